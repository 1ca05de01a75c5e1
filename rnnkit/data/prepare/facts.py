"""What a person wants to know of prepared data, and how it is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from torch import Tensor

from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.data.prepare.part import Part


class Facts(TypedDict, total=False):
    """What a person wants to know of prepared data, JSON-able; by split where it is a mapping.

    source: what was read. notes: what was changed when it was read. items. tokens: input steps
    (targets, for language modelling). longest: steps. unknown: fraction of tokens. truncated:
    items cut at `data.max_length`. left_out: training items longer than that. duplicates: items
    that are also in an earlier split. vocabulary: its size without padding. The others belong to
    one task, and its folder says what they are.
    """

    source: str
    notes: list[str]
    items: Mapping[str, int]
    tokens: Mapping[str, int]
    longest: Mapping[str, int]
    truncated: Mapping[str, int]
    unknown: Mapping[str, float]
    duplicates: Mapping[str, int]
    left_out: int
    vocabulary: int
    labels: Mapping[str, Mapping[str, int]]
    texts: Mapping[str, int]
    rows: Mapping[str, int]
    unused: int
    time: Mapping[str, Sequence[str]]
    series: Mapping[str, int]
    targets: Mapping[str, int]
    longest_target: Mapping[str, int]
    target_vocabulary: int
    seconds: Mapping[str, float]
    rate: int
    lowest: int


def counted(fitted: Fitted, parts: Mapping[str, Part]) -> Facts:
    """items, tokens, longest, truncated and vocabulary of splits."""
    facts: Facts = {
        "items": {split: len(part) for split, part in parts.items()},
        "tokens": {split: int(part.input_length.sum()) for split, part in parts.items()},
        "longest": {split: int(part.input_length.max()) for split, part in parts.items()},
        "truncated": {split: fitted.cut(part) for split, part in parts.items()},
    }
    if fitted.inputs.vocabulary is not None:
        facts["vocabulary"] = len(fitted.inputs.vocabulary) - 1
    return facts


def unknown(ids: Tensor) -> float:
    """The fraction of unknown tokens.

    Args:
        ids: [tokens], or [tokens, 1 + characters] of words with their spelling.
    """
    tokens = ids.numpy() if ids.ndim == 1 else ids[:, 0].numpy()
    return float(np.mean(tokens == UNKNOWN)) if len(tokens) else 0.0


def listed(names: Sequence[str]) -> str:
    """Names for a person, the first of many."""
    return ", ".join(names[:30]) + (" …" if len(names) > 30 else "")


def duration(seconds: float) -> str:
    """How long recordings are."""
    return f"{seconds / 60:,.0f} minutes" if seconds >= 600 else f"{seconds:,.0f} seconds"


WORDS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "vocabulary": ("vocabulary", lambda size: f"{size:,} tokens"),
    "target_vocabulary": ("targets", lambda size: f"{size:,} tokens"),
    "longest_target": ("longest target", lambda tokens: f"{tokens:,} tokens"),
    "labels": ("labels", listed),
    "categories": ("categories", listed),
    "seconds": ("recordings", duration),
}
"""What `Fitted.described` names -> what a person calls it, and its value in words."""


def in_words(described: Mapping[str, Any]) -> dict[str, str]:
    """What is described, for a person."""
    return {WORDS[name][0]: WORDS[name][1](value) for name, value in described.items()}
