"""Every knob of an experiment: its bounds, its unit, its only default. One file per block."""

from rnnkit.params.experiment import Experiment
from rnnkit.params.load import change, dump, load

__all__ = ["Experiment", "change", "dump", "load"]
