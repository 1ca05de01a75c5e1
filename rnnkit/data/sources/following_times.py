"""Times of the rows that follow a series."""

from __future__ import annotations

from datetime import MAXYEAR
from typing import TYPE_CHECKING, NamedTuple

from rnnkit.data.sources import grid
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MAX_TIMES_PER_ROW = 10_000
"""Times of a grid that are searched for an open one, per row ahead."""


class Following(NamedTuple):
    """The next times of a series, and whether they lie on its grid."""

    times: pd.DatetimeIndex
    on_grid: bool


def following(times: pd.Series, count: int, frequency: str | None, path: str) -> Following:
    """The next times of a series.

    They lie on its regular grid (`rnnkit.data.sources.grid`): steps, months, business days, open
    hours. Times on no regular grid go on at their median distance.

    Args:
        times: of one series, ascending.
        count: number of times.
        frequency: `data.source.frequency`.
        path: of the table, for messages.

    Raises:
        InputError: a single time has no distance, or a time lies beyond the range of times.
    """
    import pandas as pd

    index, ahead = pd.DatetimeIndex(times), count
    if index.unit == "ns" and not (index.asi8 % 1_000).any():
        index = index.as_unit("us")  # nanoseconds end in the year 2262
    last, places = index[-1], pd.Series(index)
    try:
        while ahead <= MAX_TIMES_PER_ROW * count:
            known = (
                grid.find(places, ahead)
                if frequency is None
                else grid.named(places, frequency, path, ahead)
            )
            if known is None:
                return Following(_at_median_distance(index, count, path), on_grid=False)
            behind = known.times[known.times > last][:count]
            if len(behind) == count and behind[-1].year <= MAXYEAR:
                return Following(behind, on_grid=True)
            ahead *= 2  # the closed days and hours between
    except (OverflowError, pd.errors.OutOfBoundsDatetime):
        pass
    raise InputError(
        f"{path}: the rows ahead must lie before the year {MAXYEAR + 1}, but {count} steps behind "
        f"{last} do not; correct the times, or name the unit of numbers in data.source.time_unit"
    )


def _at_median_distance(index: pd.DatetimeIndex, count: int, path: str) -> pd.DatetimeIndex:
    import numpy as np
    import pandas as pd

    if len(index) < 2:
        raise InputError(
            f"{path}: the times of the rows ahead follow from the distance of two rows at least, "
            "but there is one; give more rows, or set data.source.frequency"
        )
    distance = round(float(np.median(np.diff(index.asi8))))
    places = int(index.asi8[-1]) + distance * np.arange(1, count + 1).astype(object)
    ticks = pd.DatetimeIndex(places.astype(np.int64).view(f"M8[{index.unit}]"))
    return ticks if index.tz is None else ticks.tz_localize("UTC").tz_convert(index.tz)
