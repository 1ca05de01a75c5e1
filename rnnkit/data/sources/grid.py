"""The regular grid of a series' times: steps, months, business days, or a named frequency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnkit.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MAX_TIMES_PER_ROW = 100
"""Times of a regular grid per row; a sparser series is irregular."""
MIN_ABSENCES = 3
"""Times that a weekday or a time of day must lack all of its rows to count as closed."""
USUAL = 0.9
"""Fraction of the distances that are near their median where times jitter."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Grid(NamedTuple):
    """All times from the first to the last, and those asked for behind it."""

    times: pd.DatetimeIndex
    closed: str = ""
    """What of the week or of the day has no rows at all, and is no gap; empty: nothing."""


def find(times: pd.Series, ahead: int = 0) -> Grid | None:
    """The regular grid on which all times lie; None: they are irregular.

    Tried in turn: a multiple of months apart, on one day of the month (of a shorter month the last
    one), the month's end, its first or its last business day; a multiple of a step apart, which is
    the smallest and most frequent distance, on the clock of the times' zone or else in absolute
    time, without weekdays and times of day that no row has; the same weekday of the month.

    Args:
        times: of one series, ascending.
        ahead: steps behind the last time; closed weekdays and times of day are not among them, so
            there may be fewer.
    """
    import pandas as pd

    index = pd.DatetimeIndex(times)
    if len(index) < 3:
        return None
    wall = index.tz_localize(None)
    for dates in _in_months(wall, ahead):
        grid = _on_clock(dates, index)
        if grid is not None:
            return Grid(grid)
    for steps in (_days(wall, ahead), _steps(wall, ahead)):
        by_hours = steps is not None and steps[1] - steps[0] <= pd.Timedelta(hours=1)
        if by_hours and index.tz is not None:
            continue  # the hours that a zone skips or has twice are not on its clock
        grid = _on_clock(steps, index)
        if grid is not None:
            return _open(grid, index)
    grid = _absolute(index, ahead)
    if grid is not None:
        return _open(grid, index)
    grid = _on_clock(_weekday_of_month(wall, ahead), index)
    return None if grid is None else Grid(grid)


def gaps(times: pd.Series) -> np.ndarray:
    """The rows before which times are missing, from their grid, or from a usual distance.

    The usual distance is the median, if nine tenths of all differ from it by no more than half; a
    gap is longer than one and a half of it. Other times have no gaps.

    Args:
        times: of one sequence, ascending.
    """
    import numpy as np
    import pandas as pd

    index = pd.DatetimeIndex(times)
    distances = np.diff(index.asi8)
    if len(distances) < 2 or (distances == distances[0]).all():
        return np.empty(0, dtype=np.int64)
    grid = find(times)
    if grid is not None:
        return np.flatnonzero(np.diff(grid.times.get_indexer(index)) > 1) + 1
    usual = np.median(distances)
    if (np.abs(distances - usual) <= usual / 2).mean() < USUAL:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(distances > 1.5 * usual) + 1


def named(times: pd.Series, frequency: str, path: str, ahead: int = 0) -> Grid:
    """The grid of `data.source.frequency`, a frequency of pandas, with times ahead of the last.

    Raises:
        InputError: there is no such frequency, or a time does not lie on its grid.
    """
    import pandas as pd

    index = pd.DatetimeIndex(times)
    try:
        offset = pd.tseries.frequencies.to_offset(frequency)
        if index[0] + MAX_TIMES_PER_ROW * len(index) * offset < index[-1]:
            raise ValueError("too fine for the times")
        wall = index.tz_localize(None) if not isinstance(offset, pd.offsets.Tick) else index
        full = pd.date_range(wall[0], wall[-1], freq=offset)
        if ahead:
            full = full.union(pd.date_range(wall[-1], periods=ahead + 1, freq=offset))
        full = full.as_unit(index.unit)
    except (ValueError, TypeError, OverflowError):
        raise InputError(
            "data.source.frequency: must be a frequency of pandas that fits the times, such as B "
            "(business days), BME (last business day of the month), W-FRI or 15min, got "
            f"{frequency!r}"
        ) from None
    grid = _on_clock(full, index) if full.tz is None else full
    if grid is None or not index.isin(grid).all():
        off = ~(wall if full.tz is None else index).isin(full)
        raise InputError(
            f"{path}: every time must lie on the grid of data.source.frequency, {frequency}, but "
            f"{int(off.sum())} do not, the first is {index[int(off.argmax())]}; name another "
            "frequency, or set data.source.gaps to keep and leave it out"
        )
    return Grid(grid)


# ---------------------------------------------------------------------- days and steps


def _step(places: np.ndarray) -> int | None:
    """The smallest distance, if it is the most frequent and divides all others; else None."""
    import numpy as np

    if len(places) < 3:
        return None
    distances, counts = np.unique(np.diff(places), return_counts=True)
    smallest = int(distances[0])
    regular = smallest > 0 and counts.argmax() == 0 and not (distances % smallest).any()
    regular = regular and (places[-1] - places[0]) // smallest < MAX_TIMES_PER_ROW * len(places)
    return smallest if regular else None


def _between(places: np.ndarray, ahead: int) -> np.ndarray | None:
    """All places from the first to `ahead` steps behind the last; None: they have no step."""
    import numpy as np

    step = _step(places)
    return None if step is None else np.arange(places[0], places[-1] + ahead * step + 1, step)


def _months(wall: pd.DatetimeIndex, ahead: int) -> np.ndarray | None:
    """As `_between`, months since 1970; None: they are irregular."""
    return _between(wall.year.to_numpy() * 12 + wall.month.to_numpy() - 1 - 1970 * 12, ahead)


def _in_months(wall: pd.DatetimeIndex, ahead: int) -> Iterator[pd.DatetimeIndex | None]:
    """The grids of a day in each month."""
    import numpy as np

    months = _months(wall, ahead)
    if months is None:
        return
    first, after = (m.astype("M8[M]").astype("M8[D]") for m in (months, months + 1))
    day = 31 if wall.is_month_end.all() else int(wall.day.max())
    yield _dates(np.minimum(first + (day - 1), after - 1), wall)
    yield _dates(np.busday_offset(after, -1, roll="forward"), wall)
    yield _dates(np.busday_offset(first, 0, roll="forward"), wall)


def _weekday_of_month(wall: pd.DatetimeIndex, ahead: int) -> pd.DatetimeIndex | None:
    """The grid of a weekday of each month, such as its third Friday."""
    import numpy as np

    months, number = _months(wall, ahead), (wall.day[0] - 1) // 7
    if months is None:
        return None
    weekmask = np.arange(7) == wall.day_of_week[0]
    return _dates(np.busday_offset(months.astype("M8[M]"), number, "forward", weekmask), wall)


def _days(wall: pd.DatetimeIndex, ahead: int) -> pd.DatetimeIndex | None:
    """The grid of a step of days."""
    import numpy as np

    days = _between(wall.to_numpy().astype("M8[D]").astype(np.int64), ahead)
    return None if days is None else _dates(days.astype("M8[D]"), wall)


def _dates(dates: Any, wall: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
    """Dates at the most frequent time of day; a zone that skips it at a date has another there.
    None: one is beyond the range of the times' unit."""
    import pandas as pd

    time_of_day = (wall - wall.normalize()).value_counts().index[0]
    try:
        local: pd.DatetimeIndex = pd.DatetimeIndex(dates).as_unit(wall.unit) + time_of_day
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        return None
    return local


def _steps(wall: pd.DatetimeIndex, ahead: int) -> pd.DatetimeIndex | None:
    """The grid of a step of the clock."""
    import pandas as pd

    ticks = _between(wall.asi8, ahead)
    return None if ticks is None else pd.DatetimeIndex(ticks.view(f"M8[{wall.unit}]"))


def _absolute(index: pd.DatetimeIndex, ahead: int) -> pd.DatetimeIndex | None:
    """The grid of a step of absolute time."""
    if index.tz is None:
        return None
    grid = _steps(index.tz_convert(None), ahead)
    return None if grid is None else grid.tz_localize("UTC").tz_convert(index.tz)


def _on_clock(wall: pd.DatetimeIndex | None, index: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
    """Local times in the zone of an index, if all of the index are among them.

    A local time that the zone skips is that an hour later, or the first after the gap; one that it
    has twice is the first or the second.
    """
    import numpy as np
    import pandas as pd

    if wall is None:
        return None
    if index.tz is None:
        return wall if index.isin(wall).all() else None
    skips: tuple[Any, ...] = (pd.Timedelta(hours=1), "shift_forward")
    for skip, first in product(skips, (True, False)):
        grid = wall.tz_localize(index.tz, np.full(len(wall), first), skip)
        if grid.is_unique and index.isin(grid).all():
            return grid
    return None


# ---------------------------------------------------------------------- closed days and hours


def _open(grid: pd.DatetimeIndex, index: pd.DatetimeIndex) -> Grid:
    """The grid without the weekdays, and the times of day, that no row has."""
    import numpy as np

    past = grid[grid <= index[-1]]
    if len(past) == len(index):
        return Grid(grid)
    days, hours = _absent(past.day_of_week, index.day_of_week), _absent(past.time, index.time)
    kept = grid[~grid.day_of_week.isin(days) & ~np.isin(grid.time, hours)]
    closed = [WEEKDAYS[day] for day in days]
    if hours:
        closed.append(f"{len(hours)} times of day, the first {hours[0]:%H:%M}")
    return Grid(kept, ", ".join(closed))


def _absent(of_grid: Any, of_rows: Any) -> list[Any]:
    """Values that the grid has at least MIN_ABSENCES times, and no row."""
    counts = Counter(of_grid)
    return sorted(v for v in counts.keys() - set(of_rows) if counts[v] >= MIN_ABSENCES)
