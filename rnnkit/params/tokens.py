"""Which tokenizers may differ between compared networks: those that do not affect the metrics."""

from rnnkit.params.task import Captioning, LanguageModeling
from rnnkit.params.unchecked import UncheckedExperiment

OF_TOKENS = ("loss", "perplexity", "accuracy")
"""Metrics per token; shorter tokens improve them."""


def has_right_text(experiment: UncheckedExperiment) -> bool:
    """Whether there is a correct text; a category has many plausible texts."""
    task, data = experiment.task, experiment.data
    return not (isinstance(task, Captioning) and data.source.form == "labelled_text")


def why_not(first: UncheckedExperiment, second: UncheckedExperiment, measure: str) -> str | None:
    """Why two networks of one task cannot be compared by a metric; None: their tokens allow it.

    Decoded texts are comparable across tokenizers by metrics of whole texts, if the reference texts
    are the same.
    """
    if isinstance(first.task, LanguageModeling) and first.data.tokenizer != second.data.tokenizer:
        return "perplexities of other tokens could not be compared"
    if not first.task.gives_text:
        return None
    if first.data.altered != second.data.altered:
        return (
            "the reference texts would differ (lower-cased or split at punctuation), so scores are "
            "not comparable"
        )
    if measure in OF_TOKENS and first.data.written != second.data.written:
        return f"{measure} is per token, and the tokens would differ; use a measure of whole texts"
    return None
