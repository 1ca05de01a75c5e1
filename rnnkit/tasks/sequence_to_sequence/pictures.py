"""Figures of texts by the length of what was read."""

from collections.abc import Iterator
from typing import cast

from rnnkit import figures
from rnnkit.figures import Figure
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths


def scores_by_length(predictions: Predictions) -> Iterator[tuple[str, Figure]]:
    """A metric over the length of inputs, where there are several lengths."""
    texts = cast("TextsOfLengths", predictions)
    groups = texts.by_length(texts.length_edges(), texts.table)
    if len(groups) > 1:
        metric, unit = texts.length_metric, texts.length_unit
        yield "by_length", figures.scores_by_length({"": groups}, metric, unit)
