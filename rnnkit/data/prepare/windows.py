"""Where windows begin and how long they are, as arrays: of a series, and of a stream of tokens."""

from __future__ import annotations

import numpy as np


def series_windows(
    first: int, stop: int, window: int, horizon: int, inside: bool, low: int = 0
) -> np.ndarray:
    """The rows at which targets begin, with stride 1. Inputs are the `window` rows before.

    >>> series_windows(0, 10, window=3, horizon=2, inside=True).tolist()
    [3, 4, 5, 6, 7, 8]
    >>> series_windows(10, 13, window=3, horizon=2, inside=False).tolist()
    [10, 11]

    Args:
        first: the part's first row.
        stop: the row behind its last.
        window: input rows.
        horizon: target rows; they lie wholly inside the part.
        inside: whether the inputs lie wholly inside too; otherwise they may reach back over the
            part's border, as a forecaster knows the past.
        low: the first row of the series, before which no window begins.
    """
    earliest = first + window if inside else max(first, low + window)
    return np.arange(earliest, max(earliest, stop - horizon + 1), dtype=np.int64)


def stream_windows(lengths: np.ndarray, window: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(start, length) of the windows that cut a stream; each step is in exactly one.

    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=5)]
    [[0, 5], [5, 2]]
    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=None)]
    [[0, 3], [3, 4]]

    Args:
        lengths: steps of each item, in the stream's order.
        window: steps of each window but the last; None: one window for each item.
    """
    if window is None:
        return np.cumsum(lengths) - lengths, lengths.astype(np.int64)
    total = int(lengths.sum())
    starts = np.arange(0, total, window, dtype=np.int64)
    return starts, np.minimum(window, total - starts)
