"""Learning rate range test: a short training whose learning rate rises from step to step.

    r_k = low · (high / low)^(k / (steps - 1))

The loss falls once the rate is large enough, and rises where the training diverges. The weights are
discarded.

Reference: L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import Window
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.runtime import numerics
from rnnkit.training.state import State
from rnnkit.training.trainer import Trainer

MIN_STEPS = 20
SMOOTHING = 0.9
"""Weight of the losses before, in their moving average."""
DIVERGED = 4.0
"""Ratio of the averaged loss to the lowest one at which the test ends."""
BELOW_LOWEST = 10.0
"""Ratio of the rate of the lowest loss to the suggested one."""


@dataclass(frozen=True)
class RangeTest:
    """The losses of rising learning rates.

    Args:
        rates: of each step, rising.
        losses: of each step, before its update; all finite.
        averages: moving averages of the losses, without their bias to zero.
        diverged: the rate at which the loss was `DIVERGED` times the lowest or not finite; None:
            it did not diverge.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    averages: tuple[float, ...]
    diverged: float | None

    @property
    def lowest(self) -> float:
        """The rate at the lowest averaged loss."""
        return self.rates[min(range(len(self.averages)), key=self.averages.__getitem__)]

    @property
    def suggested(self) -> float:
        """A tenth of `lowest`, in one figure: there the loss still falls fast."""
        return float(f"{self.lowest / BELOW_LOWEST:.1g}")


def range_test(
    experiment: Experiment, prepared: Prepared, low: float, high: float, steps: int
) -> RangeTest:
    """Test an experiment's network from its initial weights, with its own clipping.

    Args:
        low, high: learning rates.
        steps: from one to the other.

    Raises:
        InputError: a wrong range, or the loss is not finite at the lowest rates.
    """
    if not (0 < low < high and steps >= MIN_STEPS):
        raise InputError(
            f"a range test needs 0 < low < high and at least {MIN_STEPS} steps, got low {low:g}, "
            f"high {high:g} and {steps} steps"
        )
    numerics.set_threads(experiment.train.threads)
    trainer = Trainer(experiment, prepared, State.start())
    rates: list[float] = []
    losses: list[float] = []
    averages: list[float] = []
    average, diverged = 0.0, None
    for k, window in zip(range(steps), _windows(trainer), strict=False):
        rate = low * (high / low) ** (k / (steps - 1))
        trainer.update(window, rate)
        average = SMOOTHING * average + (1 - SMOOTHING) * trainer.loss
        unbiased = average / (1 - SMOOTHING ** (k + 1))
        if not math.isfinite(trainer.loss) or unbiased > DIVERGED * min([*averages, unbiased]):
            diverged = rate
            break
        rates.append(rate)
        losses.append(trainer.loss)
        averages.append(unbiased)
    if not rates:
        raise InputError(
            f"the loss of the first step is {trainer.loss:.4g}, at a learning rate of {low:g}; "
            "check the data and model.initialization"
        )
    return RangeTest(tuple(rates), tuple(losses), tuple(averages), diverged)


def _windows(trainer: Trainer) -> Iterator[Window]:
    """The windows of one epoch after another."""
    state = State.start()
    while True:
        yield from trainer.windows(state)
        state = replace(state, epoch=state.epoch + 1, step=trainer.step)
