"""Items of a column one after the other, so that few of them are Python's objects at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.runtime import scratch

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 256
"""Items that are taken from a column at once."""


def items_of(column: pd.Series, rows: np.ndarray | None = None) -> Iterator[Any]:
    """The items of rows, in their order; of all rows where they are None.

    As `iter(column.iloc[rows].tolist())`, without the list.
    """
    count = len(column) if rows is None else len(rows)
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        if rows is None:
            yield from column.iloc[begin:end].tolist()
        else:
            # A slice first: a column of several files would be joined to take rows from it
            taken = rows[begin:end]
            first = int(taken.min())
            yield from column.iloc[first : int(taken.max()) + 1].iloc[taken - first].tolist()
        scratch.release_pages()
