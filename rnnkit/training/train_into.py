"""Training in a run folder: a journal, checkpoints, and resume from the newest whole checkpoint.

Each Step and Epoch is on disk before it is yielded. A resumed training has the bits of an
undisturbed one.
"""

import dataclasses
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import Note
from rnnkit.params.experiment import Experiment
from rnnkit.params.public import hashed_params
from rnnkit.runs.checkpoints import Checkpoint, position_of
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.step_signals import StepSignals
from rnnkit.training.evaluate import with_monitor
from rnnkit.training.kernel import training_kernel, with_kernel
from rnnkit.training.loop import Diverged, train
from rnnkit.training.state import (
    Epoch,
    HalfRate,
    Position,
    Refused,
    State,
    Step,
    Tally,
    Within,
)

CHECKPOINT_FRACTION = 0.01
"""Of the time, for checkpoints within an epoch: those that take long are written less often."""


class NeverFinite(ArithmeticError):
    """The monitored metric was never a finite number, so no epoch is the best."""


class Stopped(Exception):
    """The training was asked to stop; its checkpoint is written."""


def train_into(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Step | Refused | Epoch]:
    """As `train`, with a journal and checkpoints, from the newest whole checkpoint on.

    After divergence the training goes back once to the last epoch's end at which the gradient was
    finite, and goes on with half the learning rate; a note and a journal record "half_rate" say so.
    A checkpoint is written after each epoch, every `train.checkpoint_seconds` within it, and after
    the present step at SIGINT, SIGTERM, SIGHUP and where `stop` says so. Epochs that an earlier
    process finished are not yielded again. Damaged checkpoints are passed over for older ones; a
    note and a journal record of the kind "fallback" say so.

    Args:
        stop: asked between two steps.

    Raises:
        Diverged: as `train`, again after it went back, or at the first step.
        NeverFinite: the monitored metric was never a finite number.
        InputError: `train.kernel` is not installed.
        Stopped: `stop` said so.
    """
    experiment = with_monitor(experiment, prepared)  # before anything is removed
    training = _training_id(experiment, prepared)
    state, best_file = _resume(folder, training)
    if (kernel := training_kernel(with_kernel(experiment, prepared))) is not None:
        folder.add_fact("kernel", kernel)
    while True:
        writer = _Writer(folder, training, experiment.train.checkpoint_seconds, best_file)
        try:
            for record in _written(writer, train(experiment, prepared, state), stop):
                if isinstance(record, Epoch):
                    state = record.state
                yield record
            break
        except Diverged as error:
            state, best_file = _go_back(folder, training, state, error)
    if not state.best_epoch:
        raise NeverFinite(
            f"{experiment.monitor} was never a finite number, so no epoch is the best; "
            "lower train.optimizer.learning_rate or choose another train.monitor"
        )


def _written(
    writer: "_Writer",
    records: Iterator[Step | Position | Refused | Epoch],
    stop: Callable[[], bool],
) -> Iterator[Step | Refused | Epoch]:
    """Write the records, and checkpoints where they are due; pass on all but the positions."""
    with StepSignals(writer.write) as signals:
        for record in records:
            if isinstance(record, Position):
                writer.position = record
                if stop():
                    writer.write()
                    raise Stopped
                if writer.is_due():
                    writer.write()
                signals.step_ended()
                signals.waits = not record.is_trained
            elif isinstance(record, Epoch):
                signals.waits = True
                writer.write_epoch(record)
                with signals.released():
                    yield record
            else:
                if isinstance(record, Step):
                    writer.folder.append("step", **dataclasses.asdict(record))
                yield record


class _Writer:
    """Writes the checkpoints of a training.

    Args:
        training: its id.
        seconds: between two checkpoints within an epoch; None: none on account of time.
        best_file: of the best epoch so far.
    """

    def __init__(
        self, folder: RunFolder, training: str, seconds: float | None, best_file: str | None
    ) -> None:
        self.folder, self._training = folder, training
        self._seconds, self._best_file = seconds, best_file
        self._written, self._cost = time.monotonic(), 0.0
        self.position: Position | None = None
        """The point between two steps that is not yet on disk."""

    def is_due(self) -> bool:
        """Whether so much time has passed that a checkpoint is worth its own."""
        if self._seconds is None:
            return False
        least = max(self._seconds, self._cost / CHECKPOINT_FRACTION)
        return time.monotonic() - self._written >= least

    def write(self) -> None:
        """Write the present position, once."""
        position, self.position = self.position, None
        if position is not None:
            began = time.monotonic()
            self._save(position.state(), self._best_file)
            self._cost = self._written - began

    def write_epoch(self, record: Epoch) -> None:
        """Write the record and the state after an epoch."""
        self.position = None
        line = {k: v for k, v in vars(record).items() if k != "state"}
        self.folder.append("epoch", **line)  # first: a kill in between repeats this epoch
        name = self._save(record.state, None if record.improved else self._best_file)
        self._best_file = name if record.improved else self._best_file

    def _save(self, state: State, best_file: str | None) -> str:
        tensors, facts = _packed(state, self._training)
        name = self.folder.save_checkpoint(tensors, facts, best_file)
        self._written = time.monotonic()
        return name


def _training_id(experiment: Experiment, prepared: Prepared) -> str:
    """Hash of what determines a training, so that it does not resume from a checkpoint of another
    one, as of an earlier winner of a sweep."""
    params = hashed_params(experiment, {"name", "tune", "variants", "seeds"})
    return files.sha256_json({"params": params, "data": prepared.sha256})[:16]


def _resume(folder: RunFolder, training: str) -> tuple[State, str | None]:
    """The state of the newest whole checkpoint of this training and the file of its best epoch.

    Later checkpoints and journal records are removed.
    """
    checkpoints = folder.checkpoints
    saved = [(line["epoch"], line["step"]) for line in folder.records("checkpoint")]
    last = max([*saved, *map(position_of, checkpoints.names())], default=(0, 0))
    checkpoint = next(
        (c for c in checkpoints.whole() if c.facts.get("training", training) == training), None
    )
    position = (0, 0) if checkpoint is None else checkpoint.position
    if last > position:
        sentence = (
            f"the checkpoint of epoch {last[0]}, step {last[1]}, or that of its best epoch, is "
            "damaged, missing or of other params; training goes on from epoch "
            f"{position[0]}, step {position[1]}"
        )
        folder.append("fallback", reason=sentence)
        warnings.warn(f"{folder.id}: {sentence}", Note, stacklevel=3)
    folder.forget_after(position)
    checkpoints.delete_after(position)
    if checkpoint is None:
        return State.start(), None
    if position not in [(0, 0), *saved]:  # killed before the record was written
        folder.append("checkpoint", epoch=position[0], step=position[1])
    state, best = _unpacked(checkpoint), checkpoints.best_of(checkpoint)
    _record_half_rate(folder, state)
    return state, None if best is None else best.name


def _go_back(
    folder: RunFolder, training: str, state: State, error: Diverged
) -> tuple[State, str | None]:
    """The state at the last epoch's end from which a step had a finite gradient, with half the
    learning rate, and the file of its best epoch. A kill in between repeats the divergence.

    Checkpoints within an epoch are left out: when they are written depends on the clock.

    Raises:
        Diverged: it went back before, or the gradient was not finite from the first step on.
    """
    if state.half_rate is not None:
        before = f"it had gone back before, with half the rate from step {state.half_rate.step} on"
        raise Diverged(f"{error}; {before}", error.first) from None
    if error.first == 1:
        raise error
    checkpoints = folder.checkpoints
    good = next((c for c in checkpoints.whole() if _is_good(c, training, error.first)), None)
    state = State.start() if good is None else _unpacked(good)
    half_rate = HalfRate(state.epoch, state.step, error.first)
    state = dataclasses.replace(state, half_rate=half_rate)
    position = (state.epoch, state.step)
    checkpoints.delete_after(position)
    folder.forget_after(position)
    best = None if good is None else checkpoints.best_of(good)
    is_best = good is not None and best is not None and best.name == good.name
    best_file = None if best is None or is_best else best.name
    name = checkpoints.save(*_packed(state, training), best_file)
    if good is not None:
        checkpoints.delete(good.name)  # else there were two of one position
    _record_half_rate(folder, state)
    warnings.warn(f"{folder.id}: {half_rate.sentence}", Note, stacklevel=3)
    return state, name if is_best else best_file


def _is_good(checkpoint: Checkpoint, training: str, refused_from: int) -> bool:
    """Whether it is of an epoch's end, and the step after it had a finite gradient."""
    facts = checkpoint.facts
    is_end = facts.get("within") is None and facts.get("training", training) == training
    return is_end and int(facts["step"]) + 1 < refused_from


def _record_half_rate(folder: RunFolder, state: State) -> None:
    """Write that the training went back to the journal, once."""
    if state.half_rate is not None and not folder.records("half_rate"):
        folder.append("half_rate", **vars(state.half_rate))


def _packed(state: State, training: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint of a training."""
    facts = {**vars(state), "training": training}
    if state.half_rate is not None:
        facts["half_rate"] = vars(state.half_rate)
    tensors = {"norms": torch.tensor(facts.pop("norms"), dtype=torch.float64)}
    groups = {"weights": facts.pop("weights"), "optimizer": facts.pop("optimizer")}
    if (within := state.within) is not None:
        tensors["random"], groups["states"] = within.random, within.states
        counted = {"windows": within.windows, "seconds": within.seconds}
        tallies = {"recent": vars(within.recent), "total": vars(within.total)}
        facts["within"] = {**counted, **tallies}
    for group, members in groups.items():
        tensors |= {f"{group}/{name}": value for name, value in members.items()}
    return tensors, facts


def _unpacked(checkpoint: Checkpoint) -> State:
    groups: dict[str, Any] = {"weights": {}, "optimizer": {}, "states": {}}
    for place, value in checkpoint.tensors.items():
        group, _, name = place.partition("/")
        if name:
            groups[group][name] = value
    states = groups.pop("states")
    fields = {field.name for field in dataclasses.fields(State)}
    facts = {name: fact for name, fact in checkpoint.facts.items() if name in fields}
    if (within := facts.get("within")) is not None:
        recent, total = Tally(**within["recent"]), Tally(**within["total"])
        random = checkpoint.tensors["random"]
        facts["within"] = Within(
            within["windows"], within["seconds"], recent, total, random, states
        )
    if (half_rate := facts.get("half_rate")) is not None:
        facts["half_rate"] = HalfRate(**half_rate)
    facts["last_norms"] = tuple(facts.get("last_norms", ()))  # older checkpoints have none
    norms = tuple(checkpoint.tensors["norms"].tolist())
    return State(norms=norms, **groups, **facts)
