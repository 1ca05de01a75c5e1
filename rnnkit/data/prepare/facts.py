"""Facts about prepared data for reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.ids import UNKNOWN

MAX_UNSEEN = 5
"""Labels that a note names."""
Facts = dict[str, Any]
"""Facts about prepared data, JSON-compatible; mappings are by split.

source: description. notes: changes made while reading. items. tokens: input steps (language
modelling: targets). longest: steps. unknown: fraction of tokens. truncated: items cut at
`data.max_length`. left_out: training items longer than that. unseen: label that training lacks ->
number of targets. duplicates: items that are also in an earlier split. vocabulary: size without
padding. Other keys are documented by their task.
"""


def counted(fitted: Fitted, splits: Mapping[str, EncodedSplit]) -> Facts:
    """Facts items, tokens, longest, truncated and vocabulary."""
    facts: Facts = {
        "items": {split: len(part) for split, part in splits.items()},
        "tokens": {split: int(part.input_length.sum()) for split, part in splits.items()},
        "longest": {split: int(part.input_length.max()) for split, part in splits.items()},
        "truncated": {split: fitted.cut(part) for split, part in splits.items()},
    }
    if unseen := {split: labels for split in splits if (labels := fitted.unseen(splits[split]))}:
        facts["unseen"] = unseen
    if fitted.inputs.vocabulary is not None:
        facts["vocabulary"] = len(fitted.inputs.vocabulary) - 1
    return facts


def unseen_note(of: str, unseen: Mapping[str, int]) -> str:
    """Note on labels of a split or file that training lacks.

    >>> unseen_note("test", {"X": 1})
    "labels of test that training lacks, counted as wrong and left out of the loss: 1 ('X' 1)"
    """
    shown = ", ".join(f"{label!r} {count:,}" for label, count in [*unseen.items()][:MAX_UNSEEN])
    more = ", …" if len(unseen) > MAX_UNSEEN else ""
    return (
        f"labels of {of} that training lacks, counted as wrong and left out of the loss: "
        f"{sum(unseen.values()):,} ({shown}{more})"
    )


def unknown(ids: Tensor) -> float:
    """Fraction of unknown tokens.

    Args:
        ids: [tokens], or [tokens, 1 + characters] for words with spelling.
    """
    tokens = ids.numpy() if ids.ndim == 1 else ids[:, 0].numpy()
    return float(np.mean(tokens == UNKNOWN)) if len(tokens) else 0.0


def listed(names: Sequence[str]) -> str:
    """The first names, separated by commas."""
    return ", ".join(names[:30]) + (" …" if len(names) > 30 else "")


def duration(seconds: float) -> str:
    """Minutes, or seconds of a short duration."""
    return f"{seconds / 60:,.0f} minutes" if seconds >= 600 else f"{seconds:,.0f} seconds"


WORDS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "vocabulary": ("vocabulary", "{:,} tokens".format),
    "target_vocabulary": ("targets", "{:,} tokens".format),
    "longest_target": ("longest target", "{:,} tokens".format),
    "labels": ("labels", listed),
    "categories": ("categories", listed),
    "seconds": ("recordings", duration),
}
"""Name in `Fitted.described` -> (title, formatter)."""


def format_facts(described: Mapping[str, Any]) -> dict[str, str]:
    """Format `Fitted.described`: title -> text."""
    return {WORDS[name][0]: WORDS[name][1](value) for name, value in described.items()}
