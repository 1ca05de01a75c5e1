"""The learning rate of a step, a pure function of the params and the training progress.

    constant   r
    decay      r · factor^max(0, epoch - after)
    plateau    r · factor^reductions
    warmup     r · min(1, (t + 1) / steps)
    cosine     r · (t + 1) / warmup                                for the first `warmup` steps t,
               r · (final + (1 - final) · (1 + cos(π p)) / 2)      with p from 0 to 1 after them

Epochs are counted from 1, steps t from 0 over the whole training. There is no state: a resumed
training gets the same rates.

References: W. Zaremba, I. Sutskever, O. Vinyals, arXiv:1409.2329, 2014 (decay); I. Loshchilov,
F. Hutter, SGDR, ICLR 2017 (one cosine, without restarts).
"""

import math

from rnnkit.params.train import Cosine, Decay, Plateau, Train, Warmup


def learning_rate(params: Train, epoch: int, step: int, steps: int, reductions: int) -> float:
    """The learning rate of a step.

    Args:
        epoch: counted from 1.
        step: counted from 0 over the whole training.
        steps: of the whole training.
        reductions: number of reductions on plateaus so far.

    >>> params = Train.model_validate({"schedule": {"kind": "warmup", "steps": 4}})
    >>> [learning_rate(params, 1, t, 9, 0) for t in (0, 1, 3, 8)]
    [0.00025, 0.0005, 0.001, 0.001]
    """
    full, schedule = params.optimizer.learning_rate, params.schedule
    if isinstance(schedule, Decay):
        return full * schedule.factor ** max(0, epoch - schedule.after)
    if isinstance(schedule, Plateau):
        return float(full * schedule.factor**reductions)
    if isinstance(schedule, Warmup):
        return full * min(1.0, (step + 1) / schedule.steps)
    if isinstance(schedule, Cosine):
        return full * _cosine(schedule, step, steps)
    return full


def _cosine(schedule: Cosine, step: int, steps: int) -> float:
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    length = steps - 1 - schedule.warmup
    progress = (step - schedule.warmup) / length if length > 0 else 1.0
    return schedule.final + (1 - schedule.final) * (1 + math.cos(math.pi * progress)) / 2


def reduces(params: Train, epoch: int, since: int) -> bool:
    """Whether the plateau schedule reduces the rate after an epoch (counted from 1); `since` is the
    epoch of the last improvement or reduction."""
    schedule = params.schedule
    return isinstance(schedule, Plateau) and epoch - since >= schedule.patience
