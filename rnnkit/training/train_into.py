"""Training in a run folder: a journal, checkpoints, and resume from the newest whole checkpoint.

Each record is on disk before it is yielded. A resumed training has the bits of an undisturbed one.
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
from rnnkit.training.loop import Diverged, train
from rnnkit.training.state import Epoch, Position, State, Step, Tally, Within

CHECKPOINT_FRACTION = 0.01
"""Of the time, for checkpoints within an epoch: those that take long are written less often."""


class Stopped(Exception):
    """The training was asked to stop; its checkpoint is written."""


def train_into(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Step | Epoch]:
    """As `train`, with a journal and checkpoints, from the newest whole checkpoint on.

    A checkpoint is written after each epoch, every `train.checkpoint_seconds` within it, and after
    the present step at SIGINT, SIGTERM, SIGHUP and where `stop` says so. Epochs that an earlier
    process finished are not yielded again. Damaged checkpoints are passed over for older ones; a
    note and a journal record of the kind "fallback" say so.

    Args:
        stop: asked between two steps.

    Raises:
        Diverged: as `train`, or the monitored metric was never a finite number.
        Stopped: `stop` said so.
    """
    experiment = with_monitor(experiment, prepared)  # before anything is removed
    training = _training_id(experiment, prepared)
    state, best_file = _resume(folder, training)
    writer = _Writer(folder, training, experiment.train.checkpoint_seconds, best_file)
    with StepSignals(writer.write) as signals:
        for record in train(experiment, prepared, state):
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
                line = {k: v for k, v in vars(record).items() if k != "state"}
                folder.append("epoch", **line)  # first: a kill in between repeats this epoch
                writer.write_epoch(record)
                state = record.state
                with signals.released():
                    yield record
            else:
                folder.append("step", **dataclasses.asdict(record))
                yield record
    if not state.best_epoch:
        raise Diverged(
            f"{experiment.monitor} was never a finite number, so no epoch is the best; "
            "lower train.optimizer.learning_rate or choose another train.monitor"
        )


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
        self._folder, self._training = folder, training
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
        """Write the state after an epoch."""
        self.position = None
        name = self._save(record.state, None if record.improved else self._best_file)
        self._best_file = name if record.improved else self._best_file

    def _save(self, state: State, best_file: str | None) -> str:
        tensors, facts = _packed(state)
        name = self._folder.save_checkpoint(
            tensors, {**facts, "training": self._training}, best_file
        )
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
    if position not in saved:  # killed before the record was written
        folder.append("checkpoint", epoch=position[0], step=position[1])
    best = checkpoints.best_of(checkpoint)
    return _unpacked(checkpoint), None if best is None else best.name


def _packed(state: State) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint."""
    facts = dict(vars(state))
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
    norms = tuple(checkpoint.tensors["norms"].tolist())
    return State(norms=norms, **groups, **facts)
