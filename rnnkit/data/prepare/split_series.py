"""Split the rows of a series into three stretches of time, oldest first, and lay windows."""

from __future__ import annotations

from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.split import TRAIN, VALID, named
from rnnkit.errors import InputError
from rnnkit.params.data import Column, FileNames, Files, Fractions, Split, Time

Stretch = tuple[int, int]  # first row, and the row after the last


def split_rows(frame: pd.DataFrame, split: Split, empty: bool = False) -> dict[str, Stretch]:
    """The stretch of rows of each split; rows from `until` on are in none.

    Args:
        frame: one series.
        split: its params.
        empty: whether a split may be empty, as for one of several series.

    Raises:
        InputError: a split by hash, stretches out of order or empty, or a timestamp that is not
            comparable with the times.
    """
    if isinstance(split, Fractions):
        raise InputError(
            "data.split: fractions scatter rows over the splits, so a series would see its future; "
            "use `split: {kind: time}`"
        )
    if isinstance(split, Time):
        return _by_time(frame["time"], split, empty)
    assert not isinstance(split, FileNames)
    sides = named(frame, split)
    if not frame["time"].is_monotonic_increasing or frame["time"].duplicated().any():
        raise InputError(
            "data.split: the files of a series must follow one another in time, train, valid, "
            "test, but they overlap; cut them at two moments, or use one file and "
            "`split: {kind: time}`"
        )
    if isinstance(split, Files) and not isinstance(split.valid, str):
        train = int((sides == TRAIN).sum())
        sides[train - round(train * split.valid) : train] = VALID
    if (np.diff(sides) < 0).any():
        row = int((np.diff(sides) < 0).argmax()) + 1
        key = f"column {split.name!r}" if isinstance(split, Column) else "the files"
        raise InputError(
            "data.split: a series' splits must follow one another in time, train, valid, test, "
            f"but {key} goes from {SPLITS[sides[row - 1]]} back to {SPLITS[sides[row]]} at "
            f"{frame['time'].iloc[row]}; give each split one stretch of time"
        )
    return _stretches(np.searchsorted(sides, [0, 1, 2, 3]).tolist(), empty)


def _by_time(times: pd.Series, split: Time, empty: bool) -> dict[str, Stretch]:
    stop = len(times) if split.until is None else _row(times, split.until, "until")

    def first_row(key: str, end: int) -> int:
        start: str | float = getattr(split, key)
        return _row(times, start, key) if isinstance(start, str) else end - round(stop * start)

    test = first_row("test", stop)
    return _stretches([0, first_row("valid", test), test, stop], empty)


def _row(times: pd.Series, moment: str, key: str) -> int:
    """First row at or after a timestamp."""
    stamp, zone = pd.Timestamp(datetime.fromisoformat(moment)), getattr(times.dtype, "tz", None)
    if zone is not None and stamp.tzinfo is None:
        stamp = _in_zone(moment, zone, f"data.split.{key}")
    if zone is None and stamp.tzinfo is not None:
        raise InputError(
            f"data.split.{key}: {moment} has an offset, but the times of the series have none; "
            "leave the offset out"
        )
    return int(times.searchsorted(stamp))


def _in_zone(moment: str, zone: tzinfo, where: str) -> pd.Timestamp:
    """A local time of a zone, or the beginning of a day; InputError if the zone has it twice or
    never."""
    stamp: pd.Timestamp = pd.Timestamp(datetime.fromisoformat(moment))
    if "T" not in moment and " " not in moment:
        return pd.Timestamp(stamp.tz_localize(zone, nonexistent="shift_forward", ambiguous=True))
    for how, options in (
        ("never", {"nonexistent": "NaT", "ambiguous": True}),
        ("twice", {"nonexistent": "shift_forward", "ambiguous": "NaT"}),
    ):
        local: Any = stamp.tz_localize(zone, **options)
        if local is pd.NaT:
            raise InputError(
                f"{where}: {moment} happens {how} in {zone}; give it an offset"
                " from UTC, such as +01:00"
            )
    return pd.Timestamp(local)


def _stretches(borders: list[int], empty: bool) -> dict[str, Stretch]:
    stretches = dict(zip(SPLITS, pairwise(borders), strict=True))
    for split, (first, stop) in stretches.items():
        if first < 0 or stop < first or (stop == first and not empty):
            raise InputError(
                f"data.split: every split needs at least one row, in the order train, valid, test, "
                f"but {split} would begin at row {first} and end before row {stop}; "
                "give other moments or larger shares"
            )
    return stretches


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
