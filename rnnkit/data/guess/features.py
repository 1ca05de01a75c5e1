"""Columns of numbers that a network reads: which, and how missing values are marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rnnkit.data.guess import roles
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.taken import GUESS
from rnnkit.data.guess.view import View
from rnnkit.data.sources.delimited import UNNAMED


@dataclass(frozen=True)
class Features:
    """Columns of numbers.

    Args:
        columns: that are read.
        keys: of `data.source`: the columns, where not all are read, and the marks.
        remarks: params path -> what was left out and why.
    """

    columns: Sequence[Column]
    keys: dict[str, Any]
    remarks: dict[str, str]

    @property
    def gaps(self) -> int:
        """Number of missing values."""
        return sum(column.empty + missing(column) for column in self.columns)


def missing(column: Column) -> int:
    """Number of values that a column marks as missing."""
    marked = sum(column.counts[mark] for mark in column.marks)
    return marked + (0 if column.sentinel is None else column.numbers.count(column.sentinel))


def features(
    view: View, taken: Collection[Column | None], refused: Collection[str] = (), why: str = ""
) -> Features:
    """The columns of numbers but those taken.

    Args:
        refused: names of columns that cannot be read.
        why: the reason.
    """
    others = [c for c in view.columns if not any(c is column for column in taken)]
    free = [c for c in others if not (UNNAMED.fullmatch(c.name) or c.name in view.index)]
    reasons: dict[str, str] = {}
    for column in free:
        if column is view.part or view.is_time(column):
            continue
        if not column.is_number:
            reasons[column.name] = "no numbers" if column.filled else "empty"
        elif roles.is_numbering(column) and column.is_named(roles.NUMBERING):
            reasons[column.name] = "numbers the rows"
        elif column.name in refused:
            reasons[column.name] = why
    used = [c for c in free if c.name not in reasons and c is not view.part and not view.is_time(c)]
    keys: dict[str, Any] = {}
    remarks: dict[str, str] = {}
    marks = dict.fromkeys(mark for column in used for mark in column.marks)
    sentinels = dict.fromkeys(c.sentinel for c in used if c.sentinel is not None)
    if marks or sentinels:
        numbers = [int(s) if s == int(s) else s for s in sentinels]
        keys["missing"] = [*marks, *numbers]
        if numbers:
            remarks["data.source.missing"] = f"{GUESS}{numbers[0]} stands for no value"
    if reasons:
        keys["columns"] = [column.name for column in used]
        left_out = "; ".join(f"{name} ({reason})" for name, reason in reasons.items())
        remarks["data.source.columns"] = f"left out: {left_out}"
    return Features(used, keys, remarks)


def complete(view: View, taken: Collection[Column | None]) -> Features:
    """The columns of numbers without missing values, for readers that fill none."""
    gaps = [c.name for c in view.columns if c.empty + missing(c) if c.is_number]
    kept = features(view, taken, gaps, "has missing values")
    return kept if kept.columns else features(view, taken)
