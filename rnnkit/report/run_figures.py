"""The figures of a run: the network, its training, its sweep, and those of its task."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rnnkit import figures
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.model import Model
from rnnkit.runs.run_folder import RunFolder
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
        prepared: its data.
        predictions: of the test split.
        trials: of the sweep; empty without one.
        importance: of each searched key; empty without a sweep or if unknown.
    """
    target = folder.path / "figures"
    target.mkdir(exist_ok=True)
    drawn = []
    for name, figure in _figures(folder, experiment, prepared, predictions, trials, importance):
        figures.save(figure, target / f"{name}.png")
        drawn.append(target / f"{name}.png")
    return drawn


def _figures(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: Predictions,
    trials: list[dict[str, Any]],
    importance: Mapping[str, float],
) -> Iterator[tuple[str, Figure]]:
    task = task_for(experiment.task, prepared)
    yield "network", _network(experiment.model, task)
    yield "learning_curves", figures.learning_curves(folder.records(), experiment.train.monitor)
    yield from task.figures(predictions)
    if trials and experiment.tune:
        monitor, direction = experiment.train.monitor, experiment.direction
        searched = list(importance) or list(experiment.tune.search)
        x, y = _axes(searched)
        yield "study", figures.study(trials, x, y, monitor, direction)
        yield "history", figures.history(trials, monitor, direction)
        if importance:
            yield "importance", figures.importance(importance, monitor)
        if len(searched) > 1:
            yield "parallel_coordinates", figures.parallel(trials, searched, monitor, direction)


def _axes(searched: list[str]) -> tuple[str, str | None]:
    """The keys on the axes of the study figure: clip and depth if both were searched."""
    if {"train.clip", "model.depth"} <= set(searched):
        return "train.clip", "model.depth"
    return searched[0], searched[1] if len(searched) > 1 else None


def _network(model: Model, task: Task) -> Figure:
    sizes = task.sizes
    size = getattr(model.representation, "size", None) or sizes.features or sizes.vocabulary
    name = model.representation.kind.replace("_", "-")
    inputs = f"{name}, {size}" if size else name
    return NETWORKS[task.topology](model, inputs, task.readout)


def _recurrent(synced: bool) -> Callable[[Model, str, str], Figure]:
    def draw(model: Model, inputs: str, readout: str) -> Figure:
        kind = model.cell.kind.upper() if model.cell.kind != "custom" else "cell"
        layer = f"{kind}, {model.hidden}"
        both = model.bidirectional
        return figures.unrolled(inputs, layer, model.depth, both, synced, readout)

    return draw


def _feed_forward(model: Model, inputs: str, readout: str) -> Figure:
    return figures.feed_forward(inputs, f"layer, {model.hidden}", model.depth, readout)


def _decoding(reads_sequence: bool) -> Callable[[Model, str, str], Figure]:
    def draw(model: Model, inputs: str, readout: str) -> Figure:
        cell = f"{model.cell.kind.upper()}, {model.hidden}"
        encoder = f"bidirectional {cell}" if model.bidirectional else cell
        return figures.writer(
            inputs,
            encoder if reads_sequence else None,
            cell,
            model.depth,
            model.attention,
            model.input_feeding and model.attention != "none",
        )

    return draw


NETWORKS: Mapping[str, Callable[[Model, str, str], Figure]] = {
    "many_to_one": _recurrent(synced=False),
    "synced": _recurrent(synced=True),
    "one_to_one": _feed_forward,
    "one_to_many": _decoding(reads_sequence=False),
    "encoder_decoder": _decoding(reads_sequence=True),
}
"""Topology -> function (model params, inputs, read-out) -> figure."""
