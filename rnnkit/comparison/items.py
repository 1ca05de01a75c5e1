"""What each test item cost or earned, from a run's table of predictions."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas

Direction = Literal["minimize", "maximize"]
TRUTH = "truth "

MEASURES: Mapping[str, Direction] = {"accuracy": "maximize", "loss": "minimize", "mae": "minimize"}
"""What is compared -> which way it is better: each is a mean over items or their parts."""


def measured(predictions: pandas.DataFrame) -> tuple[str, pandas.DataFrame]:
    """The measure of a task that is a mean over test items, and each item's share of it.

    Args:
        predictions: of a run.

    Returns:
        its name (accuracy: right answers or tags; loss: nats per token or frame; mae: absolute
        errors in the data's units), and a frame with a row for each item: `total` and `weight`.
        The measure is the sum of totals over the sum of weights.
    """
    columns = set(predictions)
    if "log_probability" in columns:
        counted = "tokens" if "tokens" in columns else "frames"
        return "loss", _summed(
            predictions["item"], -predictions["log_probability"], predictions[counted]
        )
    if "right" in columns:
        return "accuracy", _summed(predictions["item"], predictions["right"], 1)
    if "truth" in columns:
        return "accuracy", _right(predictions)
    return "mae", _errors(predictions)


def _right(predictions: pandas.DataFrame) -> pandas.DataFrame:
    truth, predicted = predictions["truth"], predictions["predicted"]
    if isinstance(truth.iloc[0], str):
        return _summed(predictions["item"], truth == predicted, 1)
    right = [
        int((np.asarray(a) == np.asarray(b)).sum()) for a, b in zip(truth, predicted, strict=True)
    ]
    return _summed(predictions["item"], pandas.Series(right), truth.map(len))


def _errors(predictions: pandas.DataFrame) -> pandas.DataFrame:
    """Of numbers: a forecast's item is its window, by its series and its first row."""
    names = [str(name).removeprefix(TRUTH) for name in predictions if str(name).startswith(TRUTH)]
    told = "forecast" if f"forecast {names[0]}" in predictions else "predicted"
    errors = sum(
        (predictions[f"{TRUTH}{name}"] - predictions[f"{told} {name}"]).abs() for name in names
    )
    if "item" in predictions:
        return _summed(predictions["item"], errors, len(names))
    first = predictions["row"] - predictions["step"] + 1
    if "series" in predictions:
        return _summed([predictions["series"], first], errors, len(names))
    return _summed(first, errors, len(names))


def _summed(item: Any, total: object, weight: object) -> pandas.DataFrame:
    frame = pandas.DataFrame({"total": total, "weight": weight}).astype(float)
    summed: pandas.DataFrame = frame.groupby(item, sort=True).sum()
    return summed
