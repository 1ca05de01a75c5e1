"""Facts about prepared data for reports."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.flat_steps import count_of
from rnnkit.data.prepare.ids import END, UNKNOWN

MAX_UNSEEN = MAX_ALIKE = 5
"""Labels, and groups of them, that a note names."""
MAX_LISTED = 30
"""Names in a line."""
Facts = dict[str, Any]
"""Facts about prepared data, JSON-compatible; mappings are by split.

source: description. notes: changes made while reading. items. tokens: input steps (language
modelling: targets). longest: steps. unknown: fraction of tokens. truncated: items cut at
`data.max_length`. cut_steps: steps of theirs that are not read. left_out: training items longer
than that. unseen: label that training lacks -> number of targets. duplicates: items that are also
in an earlier split. vocabulary: size without padding. Other keys are documented by their task.
"""


def counted(fitted: Fitted, splits: Mapping[str, EncodedSplit]) -> Facts:
    """Facts items, tokens, longest, truncated, cut_steps, unseen and vocabulary."""
    cut = {split: fitted.cut(part) for split, part in splits.items()}
    facts: Facts = {
        "items": {split: len(part) for split, part in splits.items()},
        "tokens": {split: int(part.input_length.sum()) for split, part in splits.items()},
        "longest": {split: int(part.input_length.max()) for split, part in splits.items()},
        "truncated": {split: items for split, (items, _) in cut.items()},
    }
    if any(steps for _, steps in cut.values()):
        facts["cut_steps"] = {split: steps for split, (_, steps) in cut.items()}
    if unseen := {split: labels for split in splits if (labels := fitted.unseen(splits[split]))}:
        facts["unseen"] = unseen
    if fitted.inputs.vocabulary is not None:
        facts["vocabulary"] = len(fitted.inputs.vocabulary) - 1
    return facts


def cut_note(of: str, items: int, steps: int, synced: bool) -> str:
    """Note on items of a split or file that `data.max_length` shortens.

    >>> cut_note("test", 4, 1_200, synced=True)
    'items of test cut at data.max_length: 4; 1,200 of their steps are neither read nor scored'
    """
    unread = "neither read nor scored" if synced else "not read"
    return f"items of {of} cut at data.max_length: {items:,}; {steps:,} of their steps are {unread}"


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


def unknown(ids: Tensor, ends: bool = False) -> float:
    """Fraction of unknown tokens.

    Args:
        ids: [tokens], or [tokens, 1 + characters] for words with spelling.
        ends: whether ends stand among them, which do not count.
    """
    tokens = ids.numpy() if ids.ndim == 1 else ids[:, 0].numpy()
    counted = len(tokens) - (count_of(END, tokens) if ends else 0)
    return count_of(UNKNOWN, tokens) / counted if counted else 0.0


def alike_notes(labels: Iterable[str]) -> list[str]:
    """Note on labels that differ by blanks, case or Unicode form alone; none if no labels do.

    >>> alike_notes(["Pos", "neg", "pos"])
    ["labels that differ by blanks, case or Unicode form alone: 'Pos' and 'pos'"]
    """
    groups: dict[str, list[str]] = {}
    for label in labels:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
        groups.setdefault("".join(folded.split()), []).append(label)
    alike = [" and ".join(map(ascii, group)) for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    more = f" and {len(alike) - MAX_ALIKE:,} more" if len(alike) > MAX_ALIKE else ""
    shown = "; ".join(alike[:MAX_ALIKE])
    return [f"labels that differ by blanks, case or Unicode form alone: {shown}{more}"]


def listed(names: Sequence[str] | Mapping[str, int]) -> str:
    """The first names, separated by commas; with their counts, if they have any.

    >>> listed(["a", "b"]), listed({"neg": 1_200, "pos": 7})
    ('a, b', 'neg 1,200, pos 7 in train')
    """
    texts = list(names)
    if isinstance(names, Mapping):
        texts = [f"{name} {count:,}" for name, count in names.items()]
    more = f" … ({len(texts):,} in all)" if len(texts) > MAX_LISTED else ""
    return (
        ", ".join(texts[:MAX_LISTED]) + more + (" in train" if isinstance(names, Mapping) else "")
    )


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
