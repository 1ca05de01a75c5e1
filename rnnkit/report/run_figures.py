"""The figures of a run: the network, its training, its sweep, and those of its task."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rnnkit import figures
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.model import Model
from rnnkit.runs.run_folder import DIAGNOSIS, RunFolder
from rnnkit.tasks import Task, task_for
from rnnkit.tasks.predictions import Predictions


def draw(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: Predictions,
    trials: list[dict[str, Any]],
    importance: Mapping[str, float],
) -> list[Path]:
    """Draw the figures into the folder's `figures/`; return their paths.

    Args:
        folder: the run, with the journal of its training.
        experiment: with the `tune` block, if it was tuned.
        predictions: of the test split.
        trials: of the sweep; empty without one.
        importance: of each searched key; empty without a sweep or if unknown.
    """
    task = task_for(experiment.task, prepared)
    monitor, direction = experiment.monitor, experiment.direction
    drawn = {"network": _network(experiment.model, task)}
    drawn["learning_curves"] = figures.learning_curves(folder.records(), monitor)
    if measured := sorted(folder.records(DIAGNOSIS), key=lambda line: line["epoch"]):
        drawn["gradient_through_time"] = figures.gradient_through_time(measured)
        drawn["recurrent_weights"] = figures.recurrent_weights(measured)
    drawn |= task.figures(predictions)
    if trials and experiment.tune:
        searched = sorted(importance, key=lambda path: -importance[path])
        searched += [path for path in experiment.tune.search if path not in importance]
        drawn["study"] = figures.study(trials, *_axes(searched), monitor, direction)
        drawn["history"] = figures.history(trials, monitor, direction)
        if importance:
            drawn["importance"] = figures.importance(importance, monitor)
        if len(searched) > 1:
            parallel = figures.parallel(trials, searched, monitor, direction)
            drawn["parallel_coordinates"] = parallel
    return figures.save_all(drawn, folder.path / "figures")


def _axes(searched: list[str]) -> tuple[str, str | None]:
    """The keys on the axes of the study figure: clip and depth if both were searched, else the two
    most important ones.

    Args:
        searched: the most important first.
    """
    if {"train.clip", "model.depth"} <= set(searched):
        return "train.clip", "model.depth"
    return searched[0], searched[1] if len(searched) > 1 else None


def _network(model: Model, task: Task) -> Figure:
    sizes = task.sizes
    numbers = sizes.step(model)
    size = getattr(model.representation, "size", None) or numbers or sizes.vocabulary
    name = model.representation.kind.replace("_", "-")
    inputs = f"{name}, {size}" if size else name
    return NETWORKS[task.topology](model, inputs, task.readout)


def _recurrent(model: Model, inputs: str, readout: str, synced: bool) -> Figure:
    layer, both = f"{model.cell.name}, {model.hidden}", model.bidirectional
    spelling = getattr(model.representation, "characters", None)
    characters = None
    if spelling is not None:
        inputs = f"{inputs}\n+ 2 × {spelling.hidden}"
        characters = f"characters, {spelling.size}\n{model.cell.name}, both ways"
    return figures.unrolled(inputs, layer, model.depth, both, synced, readout, characters)


def _feed_forward(model: Model, inputs: str, readout: str) -> Figure:
    return figures.feed_forward(inputs, f"layer, {model.hidden}", model.depth, readout)


def _decoding(model: Model, inputs: str, readout: str, reads_sequence: bool) -> Figure:
    cell = f"{model.cell.name}, {model.hidden}"
    encoder = f"bidirectional {cell}" if model.bidirectional else cell
    attention, feeding = model.attention, model.input_feeding
    shown = encoder if reads_sequence else None
    return figures.writer(inputs, shown, cell, model.depth, attention, feeding)


NETWORKS: Mapping[str, Callable[[Model, str, str], Figure]] = {
    "many_to_one": partial(_recurrent, synced=False),
    "synced": partial(_recurrent, synced=True),
    "one_to_one": _feed_forward,
    "one_to_many": partial(_decoding, reads_sequence=False),
    "encoder_decoder": partial(_decoding, reads_sequence=True),
}
"""Topology -> function (model params, inputs, read-out) -> figure."""
