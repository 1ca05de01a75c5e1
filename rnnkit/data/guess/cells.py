"""How cells of a column are written: numbers, marks of missing values, texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnnkit.data.sources.numerals import MISSING

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
"""A number with a decimal point."""
WITH_COMMA = re.compile(r"[+-]?(\d+(,\d*)?|\d{1,3}(\.\d{3})+(,\d*)?|,\d+)([eE][+-]?\d+)?")
"""A number with a decimal comma, perhaps with points between groups of digits."""
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
"""A number with commas between groups of three digits."""
MARKS = dict.fromkeys(("?", "-", "--", ".", "*", "n/a", "NAN", "missing", "<null>", "#N/A"))
"""Texts that stand for a missing number, beside those that the readers know."""
NOTHING = frozenset(MISSING)
SENTINELS = (-200.0, -999.0, -9999.0, -99999.0)
"""Numbers that stand for a missing one where they are the least and occur again."""


@dataclass(frozen=True)
class Column:
    """A column of a table, as its first rows show it.

    Args:
        name: in the header, or the column's number.
        cells: texts; None: none. Of Parquet numbers, too.
    """

    name: str
    cells: Sequence[str | None]

    @cached_property
    def filled(self) -> list[str]:
        """Cells that hold something, without the blanks around it."""
        stripped = (cell.strip() for cell in self.cells if cell is not None)
        return [cell for cell in stripped if cell not in NOTHING]

    @cached_property
    def empty(self) -> int:
        """Number of cells that hold nothing, as a column of numbers."""
        return len(self.cells) - len(self.filled)

    @cached_property
    def counts(self) -> Counter[str]:
        """Cell -> how often it occurs."""
        return Counter(self.filled)

    @cached_property
    def marks(self) -> list[str]:
        """Texts that stand for a missing number."""
        return [mark for mark in MARKS if mark in self.counts]

    def _numbers(self, pattern: re.Pattern[str]) -> bool:
        texts = [cell for cell in self.filled if cell not in MARKS]
        return bool(texts) and all(map(pattern.fullmatch, texts))

    @cached_property
    def is_number(self) -> bool:
        """Whether all its cells are numbers, with a point or, with it, commas for thousands."""
        return self._numbers(NUMBER)

    @cached_property
    def has_commas(self) -> bool:
        """Whether its cells are numbers with decimal commas."""
        return not self.is_number and self._numbers(WITH_COMMA)

    @cached_property
    def has_groups(self) -> bool:
        """Whether its cells are numbers with commas for thousands."""
        return (
            self.has_commas
            and any(map(GROUPED.fullmatch, self.filled))
            and all(GROUPED.fullmatch(cell) or NUMBER.fullmatch(cell) for cell in self.filled)
        )

    @cached_property
    def numbers(self) -> list[float]:
        """The numbers of a column that `is_number`, without the missing ones."""
        if self.is_number and not self.marks:  # faster
            return [*map(float, self.filled)]
        return [float(cell) for cell in self.filled if NUMBER.fullmatch(cell)]

    @cached_property
    def is_whole(self) -> bool:
        """Whether its cells are whole numbers."""
        return self.is_number and all(number == int(number) for number in self.numbers)

    @cached_property
    def sentinel(self) -> float | None:
        """A number that stands for a missing one, as -200; None: there is none."""
        if not self.is_number or len(self.numbers) < 2:
            return None
        least = min(self.numbers)
        rest = [number for number in self.numbers if number != least]
        if least in SENTINELS and self.numbers.count(least) > 1 and rest and min(rest) > least / 2:
            return least
        return None

    @cached_property
    def words(self) -> float:
        """Mean number of words of a cell."""
        return sum(len(cell.split()) for cell in self.filled) / max(1, len(self.filled))

    @cached_property
    def letters(self) -> float:
        """Mean number of characters of a cell."""
        return sum(map(len, self.filled)) / max(1, len(self.filled))

    def is_named(self, names: Collection[str]) -> bool:
        """Whether its name, in lower case, is one of these."""
        return plain(self.name) in names

    @property
    def is_category(self) -> bool:
        """Whether few values stand for all rows, each several times, as labels do."""
        distinct, rows = len(self.counts), len(self.filled)
        if self.is_number and not self.is_whole:
            return False
        return 2 <= distinct <= max(2, min(MAX_LABELS, rows // MIN_ROWS_PER_LABEL))

    @property
    def largest(self) -> int:
        """Number of rows of the most frequent value."""
        return max(self.counts.values(), default=0)


MAX_LABELS, MIN_ROWS_PER_LABEL = 200, 4
"""Most values of a column of labels, and rows for each on average."""


def plain(name: str) -> str:
    """A name in lower case, with spaces for its signs.

    >>> plain("Sentence #"), plain("unit_number")
    ('sentence', 'unit number')
    """
    return " ".join(re.sub(r"[\W_]+", " ", name.lower()).split())
