"""The gradient norms that a first epoch meets: where to look for a clip threshold.

Reference: Pascanu, Mikolov and Bengio 2013 choose the threshold by the norms seen in training.
"""

import numpy as np

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles, Range
from rnnkit.training.loop import Epoch, State, train


def norm_range(experiment: Experiment, prepared: Prepared, space: Percentiles) -> Range:
    """The range between two percentiles of the norms of one epoch, clipped as it goes.

    The epoch is trained with `clip: auto`, so that the norms are those of a training that does not
    blow up; its weights are not kept.

    Raises:
        Diverged: no step had a finite gradient.
        ValueError: the percentiles are the same number.
    """
    first = experiment.replace({"tune": None, "train.clip": "auto", "train.epochs": 1})
    ends = [r for r in train(first, prepared, State.start()) if isinstance(r, Epoch)]
    low, high = (float(np.percentile(ends[-1].state.norms, at)) for at in space.percentiles)
    if not 0 < low < high:
        raise ValueError(
            f"the gradient norms of a first epoch are all about {high:.3g}; give low and high"
        )
    return Range(low=float(f"{low:.3g}"), high=float(f"{high:.3g}"), log=True, when=space.when)
