"""Which tokens may differ between networks that are compared: those that leave what is measured."""

from typing import Any, Protocol

from rnnkit.params.data import Data
from rnnkit.params.task import Captioning, LanguageModeling, Transcription, Writing

OF_TOKENS = ("loss", "perplexity", "accuracy")
"""Measures per token: of shorter tokens they are better."""


class Compared(Protocol):
    """An experiment, as far as this looks at it."""

    @property
    def task(self) -> Any: ...
    @property
    def data(self) -> Data: ...


def has_right_text(one: Compared) -> bool:
    """Whether what is written can be right or wrong: of a category many texts are likely."""
    return not (isinstance(one.task, Captioning) and one.data.source.form == "labelled_text")


def why_not(one: Compared, other: Compared, measure: str) -> str | None:
    """Why two networks of one task could not be compared by a measure; None: their tokens allow it.

    Of what is written or transcribed other tokens are fair where whole texts are measured, as long
    as the true texts stay what they are.
    """
    if isinstance(one.task, LanguageModeling) and one.data.tokenizer != other.data.tokenizer:
        return "perplexities of other tokens could not be compared"
    if not isinstance(one.task, Writing | Transcription):
        return None
    if one.data.altered != other.data.altered:
        return "the true texts would be others, in lower case or cut at punctuation"
    if measure in OF_TOKENS and one.data.written != other.data.written:
        return f"{measure} is per token, and tokens would be others; go by a measure of whole texts"
    return None
