"""A table as guessing sees it: its columns, how it is read, its times and its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rnnkit.data.guess import moments
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.roles import split_of
from rnnkit.data.guess.taken import counted

OF_NUMBERS = ("decimal", "thousands", "missing")
"""Keys of sources with numbers alone."""
FEW_ITEMS = 300
"""Below this the held-out splits get larger shares."""


@dataclass(frozen=True)
class Times:
    """The column, or columns, of times."""

    names: str | tuple[str, ...]
    columns: tuple[Column, ...]
    read: moments.Moments


@dataclass(frozen=True)
class View:
    """A table.

    Args:
        path: as in the params.
        keys: of `data.source`, how it is read.
        said: key -> what was guessed about it.
        columns: with the cells that were read.
        total: number of rows of the file, or an estimate.
        given: the split that files give; None: none.
    """

    path: str
    keys: Mapping[str, Any]
    said: Mapping[str, str]
    columns: Sequence[Column]
    total: int
    given: Mapping[str, Any] | None = None
    index: Sequence[str] = field(default=())
    """Columns of Parquet that were pandas' index."""
    file: Column | None = None
    """Of several files, the name of each row's file."""

    @property
    def rows(self) -> int:
        """Number of rows that were read."""
        return len(self.columns[0].cells)

    def number_of(self, what: str, count: int | None = None) -> str:
        """The number of rows, or another one, in words: about, if not all rows were read."""
        return counted(self.total if count is None else count, what, self.total == self.rows)

    @property
    def scale(self) -> float:
        """Rows of the file for each row that was read."""
        return self.total / max(1, self.rows)

    @cached_property
    def part(self) -> Column | None:
        """The column that says train, valid or test."""
        return None if self.given else split_of(self.columns)

    @cached_property
    def times(self) -> Times | None:
        """The times: a column that is called so, before others; or a date and a time of day."""
        candidates = [column for column in self.columns if column.filled and not column.empty]
        candidates.sort(key=lambda column: not moments.has_name(column))
        for date in candidates:
            if date.is_number and not moments.has_name(date):
                continue
            read = moments.moments(date)
            if read is None:
                continue
            clock = next((c for c in candidates if c is not date and moments.is_clock(c)), None)
            midnight = all(time.time().isoformat() == "00:00:00" for time in read.times)
            both = clock and midnight and moments.joined(date, clock)
            if clock and both:
                return Times((date.name, clock.name), (date, clock), both)
            return Times(date.name, (date,), read)
        return None

    def is_time(self, column: Column) -> bool:
        """Whether a column holds the times."""
        return self.times is not None and any(column is time for time in self.times.columns)

    def source(self, kind: str, numbers: bool = True, **named: Any) -> dict[str, Any]:
        """The source block.

        Args:
            numbers: whether the kind has the keys of numbers.
            named: its further keys.
        """
        left_out = () if numbers else OF_NUMBERS
        keys = {key: value for key, value in self.keys.items() if key not in left_out}
        return {"kind": kind, "path": self.path, **keys, **named}

    def split(self) -> dict[str, Any]:
        """The split block: by files, by a column, or larger shares of few items; else nothing."""
        if self.given:
            return {"split": dict(self.given)}
        if self.part is not None:
            return {"split": {"kind": "column", "name": self.part.name}}
        if self.total < FEW_ITEMS:
            return {"split": {"kind": "fractions", "valid": 0.2, "test": 0.2}}
        return {}

    def remarks(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Remarks by params path, without empty ones."""
        layout = {f"data.source.{key}": text for key, text in self.said.items()}
        return {path: text for path, text in {**layout, **(more or {})}.items() if text}
