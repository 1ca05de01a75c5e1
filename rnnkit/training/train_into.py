"""Training in a run folder: a journal, checkpoints, and resume from the newest whole checkpoint.

Each record is on disk before it is yielded. A resumed training has the bits of an undisturbed one.
"""

import dataclasses
import warnings
from collections.abc import Iterator
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
from rnnkit.training.evaluate import with_monitor
from rnnkit.training.loop import Diverged, Epoch, State, Step, train


def train_into(
    folder: RunFolder, experiment: Experiment, prepared: Prepared
) -> Iterator[Step | Epoch]:
    """As `train`, with a journal and a checkpoint per epoch, from the newest whole checkpoint on.

    Epochs that an earlier process finished are not yielded again. Damaged checkpoints are passed
    over for older ones; a note and a journal record of the kind "fallback" say so.

    Raises:
        Diverged: as `train`, or the monitored metric was never a finite number.
    """
    experiment = with_monitor(experiment, prepared)  # before anything is removed
    training = _training_id(experiment, prepared)
    state, best_file = _resume(folder, training)
    for record in train(experiment, prepared, state):
        if isinstance(record, Epoch):
            state = record.state
            line = {k: v for k, v in vars(record).items() if k != "state"}
            folder.append("epoch", **line)  # first: a kill in between repeats this epoch
            tensors, facts = _packed(state)
            facts["training"] = training
            name = folder.save_checkpoint(tensors, facts, None if record.improved else best_file)
            best_file = name if record.improved else best_file
        else:
            folder.append("step", **dataclasses.asdict(record))
        yield record
    if not state.best_epoch:
        raise Diverged(
            f"{experiment.monitor} was never a finite number, so no epoch is the best; "
            "lower train.optimizer.learning_rate or choose another train.monitor"
        )


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
    for kind in ("weights", "optimizer"):
        tensors |= {f"{kind}/{name}": value for name, value in facts.pop(kind).items()}
    return tensors, facts


def _unpacked(checkpoint: Checkpoint) -> State:
    norms = tuple(checkpoint.tensors["norms"].tolist())
    kinds: dict[str, Any] = {"weights": {}, "optimizer": {}}
    for place, value in checkpoint.tensors.items():
        kind, _, name = place.partition("/")
        if name:
            kinds[kind][name] = value
    fields = {field.name for field in dataclasses.fields(State)}
    facts = {name: fact for name, fact in checkpoint.facts.items() if name in fields}
    return State(norms=norms, **kinds, **facts)
