"""The figures of a run, drawn from its folder: which there are for which task."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib.figure import Figure

from rnnkit import figures
from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.evaluation.comparison.lengths import by_length, edges_of
from rnnkit.params import Experiment
from rnnkit.params.data import Characters
from rnnkit.runs.run_folder import RunFolder

SHOWN = 4
"""Items of which is shown what the network looked at."""
PIECES = 60
"""Consecutive items among which the page of coloured code is chosen."""


def draw(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    predictions: pandas.DataFrame,
    trials: list[dict[str, Any]],
    importance: Mapping[str, float],
) -> list[Path]:
    """Draws what there is to see into the folder's `figures/`.

    Args:
        folder: the run; its journal gives the curves.
        experiment: with the `tune` block, if it was tuned.
        prepared: its data.
        predictions: of the test part.
        trials: of the sweep; empty without one.
        importance: of each searched key; empty without a sweep, or where it is not known.
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
    predictions: pandas.DataFrame,
    trials: list[dict[str, Any]],
    importance: Mapping[str, float],
) -> Iterator[tuple[str, Figure]]:
    yield "network", _network(experiment, prepared)
    yield "learning_curves", figures.learning_curves(folder.records(), experiment.train.monitor)
    kind = experiment.task.kind
    if prepared.labels and kind != "memory":
        yield "confusion_matrix", figures.confusion_matrix(predictions, prepared.labels)
    if kind == "tagging" and isinstance(experiment.data.tokenizer, Characters):
        pieces = _pieces(prepared, predictions)
        yield "coloured_text", figures.coloured_code(pieces, prepared.labels or ())
    if "length" in predictions:
        lengths = by_length(predictions, experiment.task, edges_of(predictions))
        metric = "wer" if kind == "transcription" else "bleu"
        unit = "frames" if kind == "transcription" else "tokens"
        if len(lengths) > 1:
            yield "by_length", figures.scores_by_length({"": lengths}, metric, unit)
    if "attention" in predictions:
        yield "attention", figures.attention(_looks(prepared, predictions))
    if "path" in predictions:
        yield "heard", figures.heard(_heard(prepared, predictions))
    if kind == "language_modeling":
        yield "surprise", figures.surprise(predictions, "token")
    if kind == "music":
        yield "surprise", figures.surprise(predictions, "frame")
    if kind == "memory":
        yield "remembered", figures.remembered(predictions)
    if kind == "vector" and prepared.scaler and prepared.scaler.targets:
        yield "told", figures.told(predictions, prepared.scaler.targets)
    if kind == "forecasting" and prepared.scaler:
        yield "forecasts", figures.forecasts(predictions, prepared.scaler.targets)
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
    """The keys on the axes of the study's picture: clip and depth where both were searched."""
    if {"train.clip", "model.depth"} <= set(searched):
        return "train.clip", "model.depth"
    return searched[0], searched[1] if len(searched) > 1 else None


def _network(experiment: Experiment, prepared: Prepared) -> Figure:
    model, topology = experiment.model, experiment.task.topology
    reads = prepared.features
    size = getattr(model.representation, "size", None) or reads
    if prepared.vocabulary is not None and size is None:
        size = len(prepared.vocabulary)
    name = model.representation.kind.replace("_", "-")
    inputs = f"{name}, {size}" if size else name
    what = f"{len(prepared.labels)} labels" if prepared.labels else "numbers"
    if experiment.task.kind == "language_modeling":
        what = "next token"
    if experiment.task.kind == "music":
        what = "next frame"
    if topology in ("one_to_many", "encoder_decoder"):
        cell = f"{model.cell.kind.upper()}, {model.hidden}"
        encoder = f"bidirectional {cell}" if model.bidirectional else cell
        reads_one = topology == "one_to_many"
        return figures.writer(
            inputs,
            None if reads_one else encoder,
            cell,
            model.depth,
            model.attention,
            model.input_feeding and model.attention != "none",
        )
    if experiment.task.kind == "transcription":
        what = "token or blank"
    if topology == "one_to_one":
        return figures.feed_forward(inputs, f"layer, {model.hidden}", model.depth, what)
    layer = f"{model.cell.kind.upper() if model.cell.kind != 'custom' else 'cell'}, {model.hidden}"
    synced = topology == "synced"
    return figures.unrolled(inputs, layer, model.depth, model.bidirectional, synced, what)


def _looks(
    prepared: Prepared, predictions: pandas.DataFrame
) -> list[tuple[list[str], list[str], np.ndarray]]:
    """What was read, what was written and the weights between them, of a few items of middle
    length, which are spread over the part."""
    part, chosen = prepared.parts["test"], _spread(predictions)
    places = {item: i for i, item in enumerate(part.item.tolist())}
    return [
        (
            _tokens(part, places[item], prepared),
            list(pieces),
            np.stack([np.asarray(row, dtype=float) for row in weights]),
        )
        for item, pieces, weights in zip(
            chosen["item"], chosen["pieces"], chosen["attention"], strict=True
        )
    ]


def _heard(
    prepared: Prepared, predictions: pandas.DataFrame
) -> list[tuple[np.ndarray, list[str], str, str]]:
    """Features, path, told and true transcript of a few items."""
    part, chosen = prepared.parts["test"], _spread(predictions)
    places = {item: i for i, item in enumerate(part.item.tolist())}
    found = []
    for row in chosen.to_dict("records"):
        i = places[row["item"]]
        start, length = int(part.input_start[i]), int(part.input_length[i])
        features = part.inputs[start : start + length].numpy()
        found.append((features, list(row["path"]), row["predicted"], row["truth"]))
    return found


def _spread(predictions: pandas.DataFrame) -> pandas.DataFrame:
    """Four items of about the median length, right ones and wrong ones."""
    middle = predictions["length"].median()
    near = predictions[(predictions["length"] - middle).abs() <= 0.2 * middle]
    near = near.drop_duplicates(["truth", "predicted"])
    wrong = near[~near["right"].astype(bool)].head(SHOWN // 2)
    right = near[near["right"].astype(bool)].head(SHOWN - len(wrong))
    chosen: pandas.DataFrame = pandas.concat([right, wrong])
    return chosen if len(chosen) else predictions.head(SHOWN)


def _pieces(
    prepared: Prepared, predictions: pandas.DataFrame
) -> list[tuple[list[str], list[str], list[str]]]:
    """The longest stretch of consecutive items: (tokens, true tags, predicted tags) of each."""
    part = prepared.parts["test"]
    rows = predictions.sort_values("item")
    stretch = (rows["item"].diff() != 1).cumsum()
    longest = rows[stretch == stretch.value_counts().idxmax()].head(PIECES)
    places = {item: i for i, item in enumerate(part.item.tolist())}
    return [
        (_tokens(part, places[item], prepared), list(truth), list(predicted))
        for item, truth, predicted in zip(
            longest["item"], longest["truth"], longest["predicted"], strict=True
        )
    ]


def _tokens(part: Part, i: int, prepared: Prepared) -> list[str]:
    assert prepared.tokenizer is not None
    start, length = int(part.input_start[i]), int(part.input_length[i])
    return [prepared.tokenizer.piece(k) for k in part.inputs[start : start + length].tolist()]
