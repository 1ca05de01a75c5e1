"""The order in which compiled recurrences run over the real steps of a batch."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

BLOCK_ROWS = 256
"""Fewest rows of a block of steps: enough for the products of a block to run at full speed, and few
enough for its values to stay in the cache."""


class Packing(NamedTuple):
    """Rows of step 0 of all sequences, the longest first, then of step 1 of those that have one.

    Attributes:
        place: of each packed row in the batch, `sequence * time + step`.
        place_by_time: in a batch whose memory is in the order of time, `step * batch + sequence`.
        offset: the first packed row of each step, and the end.
        order: the sequence of each row of a step.
        block: the first step of each block of steps, and the end.
        capacity: most rows of a block.
        rows: packed rows.
        is_full: whether there is no padding.
    """

    place: Int[ndarray, " rows"]
    place_by_time: Int[ndarray, " rows"]
    offset: Int[ndarray, " steps"]
    order: Int[ndarray, " batch"]
    block: Int[ndarray, " blocks"]
    capacity: int
    rows: int
    is_full: bool


def _packed(
    sequence: Int[ndarray, " rows"],
    step: Int[ndarray, " rows"],
    time: int,
    counts: Int[ndarray, " steps"],
    order: Int[ndarray, " batch"],
) -> Packing:
    """The packing of rows in their order; `counts` are the rows of each step."""
    batch = len(order)
    place, place_by_time = sequence * time + step, step * batch + sequence
    offset = np.concatenate([[0], np.cumsum(counts)])
    block, begin = [0], 0
    for number, end in enumerate(offset[1:].tolist(), start=1):
        if end - begin >= BLOCK_ROWS:
            block.append(number)
            begin = end
    if block[-1] != len(counts):
        block.append(len(counts))
    edges = np.array(block)
    capacity = int(np.diff(offset[edges]).max(initial=0))
    is_full = len(place) == batch * time
    return Packing(place, place_by_time, offset, order, edges, capacity, len(place), is_full)


@lru_cache(maxsize=256)
def pack_full(batch: int, steps: int, reverse: bool) -> Packing:
    """Without padding.

    >>> pack_full(2, 3, False).place
    array([0, 3, 1, 4, 2, 5])
    """
    sequence = np.tile(np.arange(batch), steps)
    step = np.repeat(np.arange(steps)[::-1] if reverse else np.arange(steps), batch)
    return _packed(sequence, step, steps, np.full(steps, batch), np.arange(batch))


def pack_padded(
    mask: Bool[ndarray, "batch time"], length: Int[ndarray, " batch"], reverse: bool
) -> Packing:
    """With padding anywhere, holes included. `length`: the real steps of each sequence.

    >>> mask = np.array([[True, False, False], [False, True, True]])
    >>> pack_padded(mask, mask.sum(1), True).place
    array([5, 0, 4])
    """
    order = np.argsort(-length, kind="stable")
    row, step = np.nonzero(mask[order])  # by row, then by step
    length = length[order]
    number = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    if reverse:
        number = length[row] - 1 - number
    counts = len(length) - np.searchsorted(length[::-1], np.arange(length[0]), side="right")
    starts = np.cumsum(counts) - counts
    packed = np.empty_like(row)
    packed[starts[number] + row] = np.arange(len(row))
    return _packed(order[row][packed], step[packed], mask.shape[1], counts, order)
