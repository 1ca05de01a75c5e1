"""Predictions that are translations."""

from typing import ClassVar

import pandas

from rnnkit.metrics import Metrics, TextMeter
from rnnkit.tasks.predictions import Measured
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths


class TranslationPredictions(TextsOfLengths):
    """With a column asked, the key of items that share their references, and source, the text."""

    columns: ClassVar[tuple[str, ...]] = (*TextsOfLengths.columns, "asked")
    length_unit: ClassVar[str] = "tokens"
    length_metric: ClassVar[str] = "bleu"

    def keys(self) -> pandas.Series:
        return self.table["asked"]

    def measured(self) -> Measured:
        measured, item = super().measured(), self.table["item"]
        first = item.groupby(self.keys()).transform("min")
        return Measured(measured.name, measured.items.assign(source=first.groupby(item).first()))

    def scores(self, table: pandas.DataFrame) -> Metrics:
        meter = TextMeter(self.task.bleu_tokenizer)
        texts, truth = table["predicted"].tolist(), table["truth"].tolist()
        meter.update(table["asked"].tolist(), texts, truth)
        return meter.compute()
