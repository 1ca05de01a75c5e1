"""Tokenizers and sizes for texts."""

from __future__ import annotations

from typing import Any

from rnnkit.data.guess.cells import Column
from rnnkit.params.beginning import Size

LONG_WORDS = 2.5
"""Mean number of words from which a text is cut into words, and below it into characters."""
MANY_TEXTS = 2_000
"""Texts from which on words that occur once become the unknown token."""
PUNCTUATION = ".,!?;:\"'()"


def tokenizer(column: Column, total: int) -> dict[str, Any]:
    """Characters for short texts; words, at punctuation unless the text is tokenised."""
    if column.words <= LONG_WORDS:
        return {"kind": "characters"}
    sample = column.filled[:1_000]
    attached = sum(
        text.rstrip()[-1:] in PUNCTUATION and text.rstrip()[-2:-1].isalnum() for text in sample
    )
    words: dict[str, Any] = {"kind": "words"}
    if attached > 0.02 * len(sample):
        words["split"] = "punctuation"
    elif any("  " in text or "\t" in text for text in sample):
        words["split"] = "whitespace"
    if any(character.isupper() for text in sample for character in text):
        words["lowercase"] = True
    if total >= MANY_TEXTS:
        words["minimum_count"] = 2
    return words


def text_size(total: int, tokens: dict[str, Any]) -> Size:
    """The size of texts under a tokenizer."""
    return Size(total, characters=tokens["kind"] == "characters")
