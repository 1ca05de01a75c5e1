"""Parameters of an experiment, with bounds, units and defaults. One file per block."""

from rnnkit.params.experiment import Experiment
from rnnkit.params.load import build, change, dump, load

__all__ = ["Experiment", "build", "change", "dump", "load"]
