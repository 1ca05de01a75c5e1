"""Flat arrays of ids that may be too large for memory, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnnkit.runtime import scratch

BLOCK = 2**20
"""Steps that are read at once."""
TYPES = (np.uint8, np.int16, np.int32, np.int64)
"""Types of stored ids. Batches have int64."""


def smallest_type(size: int) -> type[np.integer]:
    """Type of the ids of a vocabulary of this size.

    >>> [smallest_type(size).__name__ for size in (256, 257, 10_000)]
    ['uint8', 'int16', 'int16']
    """
    return next(kind for kind in TYPES if size - 1 <= np.iinfo(kind).max)


def blocks_of(flat: np.ndarray) -> Iterator[np.ndarray]:
    """The array in blocks, whose pages are given back."""
    for begin in range(0, len(flat), BLOCK):
        yield flat[begin : begin + BLOCK]
        scratch.release_pages()


def numbers_of(flat: np.ndarray) -> Iterator[int]:
    """The elements as Python's numbers."""
    for block in blocks_of(flat):
        yield from block.tolist()


def count_of(id: int, flat: np.ndarray) -> int:
    """How often an id occurs."""
    return sum(int(np.count_nonzero(block == id)) for block in blocks_of(flat))


def places_of(id: int, flat: np.ndarray) -> np.ndarray:
    """Where an id occurs, ascending."""
    blocks = enumerate(blocks_of(flat))
    places = [np.flatnonzero(block == id) + number * BLOCK for number, block in blocks]
    return np.concatenate(places) if places else np.zeros(0, np.int64)
