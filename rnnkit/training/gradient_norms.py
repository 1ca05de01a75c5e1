"""Search range of the clip threshold, from the gradient norms of a first epoch.

Reference: Pascanu, Mikolov and Bengio 2013 choose the threshold by the norms during training.
"""

import numpy as np

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles, Range
from rnnkit.training.loop import train
from rnnkit.training.state import Epoch, State


def norm_range(experiment: Experiment, prepared: Prepared, space: Percentiles) -> Range:
    """The range between two percentiles of the norms of one epoch.

    The epoch is trained with `clip: auto`, so that the training does not diverge; its weights are
    discarded.

    Raises:
        Diverged: no step had a finite gradient.
        ValueError: the percentiles are equal.
    """
    first = experiment.replace({"tune": None, "train.clip": "auto", "train.epochs": 1})
    ends = [r for r in train(first, prepared, State.start()) if isinstance(r, Epoch)]
    low, high = (float(np.percentile(ends[-1].state.norms, q)) for q in space.percentiles)
    if not 0 < low < high:
        raise ValueError(
            f"the gradient norms of a first epoch are all about {high:.3g}; give low and high"
        )
    return Range(low=float(f"{low:.3g}"), high=float(f"{high:.3g}"), log=True, when=space.when)
