"""How well texts are written or transcribed, by how long their inputs are."""

from typing import Any

import numpy as np
import pandas

from rnnkit.metrics import TextMeter, TranscriptMeter

GROUPS = 6
"""Groups of lengths, of about as many items each."""


def edges_of(predictions: pandas.DataFrame) -> np.ndarray:
    """Where groups of lengths begin, and behind the last one."""
    lengths = predictions["length"].to_numpy()
    shares = np.linspace(0, 1, GROUPS + 1)
    found: np.ndarray = np.unique(np.quantile(lengths, shares, method="nearest"))
    return np.append(found[:-1] if len(found) > 1 else found, lengths.max() + 1)


def as_long_as(first: pandas.DataFrame, predictions: pandas.DataFrame) -> pandas.DataFrame:
    """The predictions of a network with their items' lengths as another one counts them."""
    lengths = first.set_index("item")["length"]
    return predictions.assign(length=predictions["item"].map(lengths))


def by_length(predictions: pandas.DataFrame, task: Any, edges: np.ndarray) -> pandas.DataFrame:
    """The metrics of the items of each group of lengths.

    Args:
        predictions: columns length, truth and predicted.
        task: the params' block.
        edges: of `edges_of`.

    Returns: columns length (the mean), items, and the metrics of the task's texts.
    """
    group = np.searchsorted(edges, predictions["length"], side="right") - 1
    rows = []
    for _, own in predictions.groupby(group):
        texts, truth = own["predicted"].tolist(), own["truth"].tolist()
        if task.kind == "transcription":
            heard = TranscriptMeter()
            heard.update(texts, truth)
            metrics = heard.compute()
        else:
            meter = TextMeter(task.bleu_tokenizer)
            meter.update(own["asked"].tolist(), texts, truth)
            metrics = meter.compute()
        rows.append({"length": float(own["length"].mean()), "items": len(own), **metrics})
    return pandas.DataFrame(rows)
