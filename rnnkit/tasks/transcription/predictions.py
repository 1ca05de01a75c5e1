"""Predictions that are transcripts."""

from typing import ClassVar

import pandas

from rnnkit.metrics import Metrics, TranscriptMeter
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths


class TranscriptPredictions(TextsOfLengths):
    """With a column path, the best token of each frame."""

    columns: ClassVar[tuple[str, ...]] = (*TextsOfLengths.columns, "path")
    confidence_unit: ClassVar[str] = "nats per frame"
    length_unit: ClassVar[str] = "frames"
    length_metric: ClassVar[str] = "wer"

    def scores(self, table: pandas.DataFrame) -> Metrics:
        meter = TranscriptMeter()
        meter.update(table["predicted"].tolist(), table["truth"].tolist())
        return meter.compute()
