"""Training loop: a generator of `Step`, `Position`, `Refused` and `Epoch` records.

To stop early, stop iterating. It reads and writes no files; `rnnkit.training.train_into` trains in
a run folder.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.params.experiment import Experiment
from rnnkit.runtime import numerics
from rnnkit.training.evaluate import evaluate, with_monitor
from rnnkit.training.learning_rate import reduces
from rnnkit.training.state import Epoch, Position, Refused, State, Step, Tally
from rnnkit.training.trainer import Trainer

STEP_RECORDS = 300
"""Approximate number of Step records of a training."""


MAX_REFUSED = 20
"""Steps without a finite gradient in a row that end a training; or all of an epoch."""


class Diverged(RuntimeError):
    """Many steps in a row had no finite gradient.

    Args:
        message: says since when and what to do.
        first: the first of these steps.
    """

    def __init__(self, message: str, first: int) -> None:
        super().__init__(message)
        self.first = first


def train(
    experiment: Experiment, prepared: Prepared, state: State
) -> Iterator[Step | Position | Refused | Epoch]:
    """Train; yield Step records, a Position after each step and before each validation, a Refused
    after the first of some steps without a finite gradient, and an Epoch record after each epoch.

    Args:
        prepared: without a "valid" split there is no early stopping and every epoch counts as the
            best so far.
        state: `State.start()`, or the state of an earlier Position or Epoch to resume from.

    Raises:
        InputError: the monitored metric does not exist for the validation split.
        Diverged: MAX_REFUSED steps in a row, or all steps of an epoch, had no finite gradient.
    """
    experiment = with_monitor(experiment, prepared)
    params = experiment.train
    numerics.set_threads(params.threads)
    numerics.reset_peak_memory()
    trainer = Trainer(experiment, prepared, state)
    record_steps = max(1, math.ceil(trainer.planned_steps / STEP_RECORDS))
    while state.epoch < params.epochs and not stopped(experiment, state):
        epoch = state.epoch + 1
        for window in trainer.windows(state):
            trainer.update(window)
            if trainer.step % record_steps == 0:
                yield trainer.recent.record(epoch, trainer.step)
                trainer.recent = Tally()
            if trainer.refused == 1:
                yield trainer.refusal(window)
            if trainer.refused == MAX_REFUSED:
                raise _diverged(trainer, epoch)
            yield Position(epoch, trainer.step, False, trainer.state)
        if not trainer.total.steps:
            raise _diverged(trainer, epoch)
        yield Position(epoch, trainer.step, True, trainer.state)
        valid = {}
        if "valid" in prepared.splits:
            split = prepared.splits["valid"]
            valid = evaluate(trainer.network, trainer.task, split, experiment, False).metrics
        state = _advance(replace(trainer.state(), within=None), epoch, valid, experiment)
        summary = trainer.total.record(epoch, state.step)
        yield Epoch(
            epoch=epoch,
            step=state.step,
            train={"loss": summary.loss},
            valid=valid,
            gradient={
                "norm": summary.gradient_norm,
                "norm_max": summary.gradient_norm_max,
                "clipped_fraction": summary.clipped_fraction,
                "refused": float(summary.refused),
            },
            learning_rate=summary.learning_rate,
            seconds=trainer.seconds,
            peak_memory=numerics.peak_memory(),
            improved=state.best_epoch == epoch,
            last=epoch == params.epochs or stopped(experiment, state),
            state=state,
        )


def _diverged(trainer: Trainer, epoch: int) -> Diverged:
    first = trainer.step - trainer.refused + 1
    since = epoch if trainer.refused <= trainer.total.refused else epoch - 1
    return Diverged(
        f"no gradient was finite from step {first} (epoch {since}) on, in {trainer.refused} steps; "
        f"the loss was {trainer.loss:.4g}; lower train.optimizer.learning_rate or train.clip",
        first,
    )


def stopped(experiment: Experiment, state: State) -> bool:
    """Whether early stopping ends the training in this state."""
    patience = experiment.train.early_stopping
    return (
        patience is not None
        and state.best is not None
        and state.epoch - state.best_epoch >= patience.patience
    )


def better(experiment: Experiment, value: float, than: float | None) -> bool:
    """Whether a value of the monitored metric is better; a value that is not finite never is."""
    if than is None or not math.isfinite(value):
        return math.isfinite(value)
    return value < than if experiment.direction == "minimize" else value > than


def _advance(state: State, epoch: int, valid: Metrics, experiment: Experiment) -> State:
    """The state after an epoch, from that after its last step."""
    state = replace(state, epoch=epoch)
    if not valid:
        return replace(state, best_epoch=epoch)
    value = valid[experiment.monitored]
    if better(experiment, value, state.best):
        return replace(state, best=value, best_epoch=epoch)
    if reduces(experiment.train, epoch, max(state.best_epoch, state.reduced_epoch)):
        return replace(state, reductions=state.reductions + 1, reduced_epoch=epoch)
    return state
