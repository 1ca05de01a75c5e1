"""What each test item cost or earned, from a run's table of predictions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas

from rnnkit.errors import InputError
from rnnkit.metrics import least_edits

Direction = Literal["minimize", "maximize"]
TRUTH = "truth "

MEASURES: Mapping[str, Direction] = {
    "accuracy": "maximize",
    "loss": "minimize",
    "mae": "minimize",
    "wer": "minimize",
}
"""What is compared -> which way it is better: each is a mean over items or their parts."""
LIKELIHOODS = ("loss", "perplexity")


def measured(predictions: pandas.DataFrame, shown: Sequence[str]) -> tuple[str, pandas.DataFrame]:
    """The measure of a task that is a mean over test items, and each item's share of it.

    Args:
        predictions: of a run.
        shown: the metrics of its result that a person sees; the first one decides.

    Returns:
        its name (accuracy: right answers or tags; loss: nats per token or frame; mae: absolute
        errors in the data's units; wer: edits per word of what was to be written or heard), and a
        frame with a row for each item: `total` and `weight`. The measure is the sum of totals over
        the sum of weights. Items that ask for the same have the first of them in `source`, and
        together count as one.
    """
    columns = set(predictions)
    if "log_probability" in columns and "truth" in columns and shown[0] not in LIKELIHOODS:
        return "wer", _edited(predictions)
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


def one_measure(names: Iterable[str]) -> str:
    """The measure that all runs have.

    Raises:
        InputError: they have several.
    """
    found = sorted(set(names))
    if len(found) > 1:
        raise InputError(
            f"the runs are measured by {' and '.join(found)}; compare runs of one form of data, "
            "made by one version"
        )
    return found[0]


def _edited(predictions: pandas.DataFrame) -> pandas.DataFrame:
    """Of texts, against the nearest of the references of what they were asked for."""
    asked = predictions["asked" if "asked" in predictions else "item"]
    references = predictions["truth"].groupby(asked).agg(list)
    share = asked.map(asked.value_counts())  # of several items that ask for the same
    counted = [
        least_edits(text, references[key])
        for text, key in zip(predictions["predicted"], asked, strict=True)
    ]
    edits, words = (pandas.Series(numbers) / share for numbers in zip(*counted, strict=True))
    found = _summed(predictions["item"], edits, words)
    if "asked" in predictions:
        first = predictions["item"].groupby(asked).transform("min")
        found["source"] = first.groupby(predictions["item"]).first()
    return found


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
