"""Starts and lengths of windows, of a series and of a stream of tokens."""

from __future__ import annotations

import numpy as np


def series_windows(
    first: int, stop: int, window: int, horizon: int, inside: bool, low: int = 0
) -> np.ndarray:
    """First target row of each window, with stride 1. Inputs are the `window` rows before it.

    >>> series_windows(0, 10, window=3, horizon=2, inside=True).tolist()
    [3, 4, 5, 6, 7, 8]
    >>> series_windows(10, 13, window=3, horizon=2, inside=False).tolist()
    [10, 11]

    Args:
        first: first row of the split.
        stop: the row after its last.
        window: number of input rows.
        horizon: number of target rows, all inside the split.
        inside: whether all inputs are inside, too; otherwise they may be from an earlier split,
            because the past is known.
        low: first row of the series, the earliest start of a window.
    """
    earliest = first + window if inside else max(first, low + window)
    return np.arange(earliest, max(earliest, stop - horizon + 1), dtype=np.int64)


def stream_windows(lengths: np.ndarray, window: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(start, length) of the windows of a stream; each step is in exactly one.

    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=5)]
    [[0, 5], [5, 2]]
    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=None)]
    [[0, 3], [3, 4]]

    Args:
        lengths: steps of each item, in order.
        window: steps of each window except the last; None: one window per item.
    """
    if window is None:
        return np.cumsum(lengths) - lengths, lengths.astype(np.int64)
    total = int(lengths.sum())
    starts = np.arange(0, total, window, dtype=np.int64)
    return starts, np.minimum(window, total - starts)
