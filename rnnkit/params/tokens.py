"""Which tokenizers may differ between compared networks: those that do not affect the metrics."""

from typing import Any, Protocol

from rnnkit.params.data import Data
from rnnkit.params.task import Captioning, LanguageModeling, Transcription, Writing

OF_TOKENS = ("loss", "perplexity", "accuracy")
"""Metrics per token; shorter tokens improve them."""


class Compared(Protocol):
    """The parts of an experiment that this module reads."""

    @property
    def task(self) -> Any: ...
    @property
    def data(self) -> Data: ...


def has_right_text(experiment: Compared) -> bool:
    """Whether there is a correct text; a category has many plausible texts."""
    task, data = experiment.task, experiment.data
    return not (isinstance(task, Captioning) and data.source.form == "labelled_text")


def why_not(first: Compared, second: Compared, measure: str) -> str | None:
    """Why two networks of one task cannot be compared by a metric; None: their tokens allow it.

    Decoded texts are comparable across tokenizers by metrics of whole texts, if the reference texts
    are the same.
    """
    if isinstance(first.task, LanguageModeling) and first.data.tokenizer != second.data.tokenizer:
        return "perplexities of other tokens could not be compared"
    if not isinstance(first.task, Writing | Transcription):
        return None
    if first.data.altered != second.data.altered:
        return (
            "the reference texts would differ (lower-cased or split at punctuation), so scores are "
            "not comparable"
        )
    if measure in OF_TOKENS and first.data.written != second.data.written:
        return f"{measure} is per token, and the tokens would differ; use a measure of whole texts"
    return None
