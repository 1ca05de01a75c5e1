"""How the times of a column are written, and the step from one to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any, NamedTuple

from rnnkit.data.guess.cells import Column, plain
from rnnkit.data.sources.times import DATES, OFFSET, YEARS

ISO = re.compile(
    r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?)?"
)
"""Times that are read without `time_format`."""
LIKE_TIME = re.compile(r"(?=.*\d)[\w .,:/+-]{4,40}")
"""Texts for which other formats are tried: strptime compiles each."""
DATE_FORMATS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%b %Y", "%B %Y", "%b-%y", "%b-%Y", "%m/%Y", "%Y/%m"),
    *("%a %b %d %Y", "%d%b%Y", "%Y %b", "%Y-%m-%d"),
)
CLOCK_FORMATS = (
    *("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H.%M.%S", " %H.%M"),
    *("T%H:%M:%S", "T%H:%M", ", %H:%M", ":%H:%M:%S", " %H", " %H:%M:%S.%f"),
)
CLOCKS = ("%H:%M:%S", "%H:%M", "%H.%M.%S", "%H.%M", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f")
"""Formats of a column with the time of day alone."""
TRIED = 400
"""Cells, spread over a column, that a format must fit."""
NAMES = frozenset(
    {
        *("time", "date", "timestamp", "datetime", "ds", "day", "month", "year", "quarter"),
        *("week", "hour", "utc", "when", "period", "moment", "zeit", "datum", "fecha", "jahr"),
    }
)
"""Words in the names of columns with times."""
SECONDS_SINCE_1970 = {"seconds": (1e8, 5e9), "milliseconds": (1e11, 5e12)}
"""Unit -> numbers that are times since 1970, from 1973 to 2128."""


class Moments(NamedTuple):
    """Times of a column.

    Args:
        keys: of `data.source`, to read them.
        times: one of each cell.
        remark: what was guessed; empty: nothing.
    """

    keys: Mapping[str, Any]
    times: list[datetime]
    remark: str = ""


def has_name(column: Column) -> bool:
    """Whether a column is called as columns of times are."""
    words = plain(column.name).split()
    return any(word in NAMES or word.endswith(("date", "time")) for word in words)


def moments(column: Column) -> Moments | None:
    """The times of a column; None: it holds none, or not in every row."""
    cells = column.filled
    if len(cells) < len(column.cells) or not cells:
        return None
    if column.is_number:
        return _of_numbers(cells) if has_name(column) and column.is_whole else None
    if all(map(ISO.fullmatch, cells)):
        return _of_iso(cells)
    return _of_format(cells)


def is_clock(column: Column) -> bool:
    """Whether a column holds times of day alone; 12.5 is a number."""
    if column.is_number:
        return False
    cells = column.filled
    if not all(map(LIKE_TIME.fullmatch, cells[:: _stride(cells)])):
        return False
    formats = (known for known in CLOCKS if _fits(known, cells[:: _stride(cells)]))
    return len(cells) == len(column.cells) and next(formats, None) is not None


def joined(date: Column, clock: Column) -> Moments | None:
    """The times of two columns, of dates and of times of day."""
    pairs = zip(date.cells, clock.cells, strict=True)
    cells = [f"{day} {time}" for day, time in pairs]
    return moments(Column(date.name, cells))


def _stride(cells: Sequence[str]) -> int:
    return max(1, len(cells) // TRIED)


def _of_iso(cells: list[str]) -> Moments | None:
    try:
        times = [_from_iso(cell) for cell in cells]
    except ValueError:  # a 31st of June
        return None
    offsets = {bool(OFFSET.search(cell)) for cell in cells}
    if len(offsets) > 1:
        return None
    if offsets == {True} and len({time.utcoffset() for time in times}) > 1:
        remark = "its offsets differ, so times are read in UTC; timezone: names the zone"
        return Moments({}, [time.astimezone(UTC) for time in times], remark)
    return Moments({}, times)


def _from_iso(cell: str) -> datetime:
    return datetime.fromisoformat(f"{cell}-01" if len(cell) == len("2024-12") else cell)


def _fits(known: str, cells: Sequence[str]) -> bool:
    try:
        for cell in cells:
            datetime.strptime(cell, known)
    except ValueError:
        return False
    return True


def _of_format(cells: list[str]) -> Moments | None:
    """Times in one of the known formats; where several fit, the one in whose order they ascend."""
    some = cells[:: _stride(cells)]
    if not all(map(LIKE_TIME.fullmatch, some)):
        return None
    fitting = [
        date + clock
        for date, clock in product(DATE_FORMATS, CLOCK_FORMATS)
        if _fits(date + clock, some)
    ]
    read: list[tuple[int, str, list[datetime]]] = []
    for known in fitting:
        try:
            times = [datetime.strptime(cell, known) for cell in cells]
        except ValueError:
            continue
        read.append((_disorder(times), known, times))
    if not read:
        return None
    read.sort(key=lambda candidate: candidate[0])  # stable: the day before the month
    _, known, times = read[0]
    others = [other for _, other, _ in read[1:]]
    remark = f"{others[0]} fits too" if others else ""
    return Moments({"time_format": known}, times, remark)


def _disorder(times: Sequence[datetime]) -> int:
    """Number of steps against the usual direction."""
    back = sum(after < before for before, after in pairwise(times))
    return min(back, len(times) - back)


def _of_numbers(cells: list[str]) -> Moments | None:
    """Whole numbers: years, dates, or times since 1970."""
    if not all(re.fullmatch(r"\d{4,14}", cell) for cell in cells):
        return None
    if all(int(cell) in YEARS for cell in cells):
        return Moments({}, [datetime(int(cell), 1, 1) for cell in cells], "years")
    known = DATES.get(len(cells[0]))
    if known and len(set(map(len, cells))) == 1 and _fits(known, cells):
        times = [datetime.strptime(cell, known) for cell in cells]
        if all(time.year in YEARS for time in times):
            return Moments({}, times, f"dates, {known}")
    for unit, (low, high) in SECONDS_SINCE_1970.items():
        if all(low <= int(cell) <= high for cell in cells):
            scale = 1 if unit == "seconds" else 1_000
            begin = datetime(1970, 1, 1)
            times = [begin + timedelta(seconds=int(cell) / scale) for cell in cells]
            return Moments({"time_unit": unit}, times, f"{unit} since 1970")
    return None


class Step(NamedTuple):
    """The usual distance of two times.

    Args:
        name: in words.
        season: steps of the cycle that such series have; 1: none.
        cycle: what it is.
        is_regular: whether all times follow one another by it.
    """

    name: str
    season: int
    cycle: str
    is_regular: bool

    @property
    def article(self) -> str:
        """Its name with an article."""
        if self.name[0].isdigit():
            return self.name
        return f"{'an' if self.name[0] in 'aeiouh' else 'a'} {self.name}"


MINUTE, HOUR, DAY = 60, 3_600, 86_400
MONTHS = {1: ("month", 12, "a year"), 3: ("quarter", 4, "a year"), 12: ("year", 1, "")}
"""Months from one time to the next -> name, season, cycle."""
LONGEST_SEASON = 288
"""Steps of a day that a network's window may hold: five minutes each."""


def step_of(times: Sequence[datetime]) -> Step:
    """The step of a series' times, in any order."""
    ordered = sorted(set(times))
    if len(ordered) < 3:
        return Step("step", 1, "", True)
    steps = [*pairwise(ordered)]
    months = Counter(12 * (b.year - a.year) + b.month - a.month for a, b in steps)
    usual, count = months.most_common(1)[0]
    near = len({time.day for time in ordered}) == 1 or min(time.day for time in ordered) > 27
    if near and usual in MONTHS and count > 0.5 * len(ordered):
        name, season, cycle = MONTHS[usual]
        return Step(name, season, cycle, len(months) == 1)
    seconds = Counter((b - a).total_seconds() for a, b in steps)
    size, _ = seconds.most_common(1)[0]
    is_regular = len(seconds) == 1
    if size == DAY:
        if any(time.weekday() > 4 for time in ordered):
            return Step("day", 7, "a week", is_regular)
        over_weekend = [b - a == timedelta(days=3 if a.weekday() == 4 else 1) for a, b in steps]
        return Step("business day", 5, "a week", all(over_weekend))
    if size == 7 * DAY:
        return Step("week", 52, "a year", is_regular)
    if size < DAY and DAY % size == 0 and DAY // size <= LONGEST_SEASON:
        name = "hour" if size == HOUR else f"{size / MINUTE:g} minutes"
        return Step(name, int(DAY // size), "a day", is_regular)
    if size < HOUR and HOUR % size == 0 and HOUR // size <= LONGEST_SEASON:
        name = "minute" if size == MINUTE else f"{size:g} seconds"
        return Step(name, int(HOUR // size), "an hour", is_regular)
    name = f"{size / DAY:g} days" if size >= DAY else f"{size:g} seconds"
    return Step(name, 1, "", is_regular)
