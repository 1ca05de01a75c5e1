"""Times of a column: ISO 8601 texts, whole numbers, and the zone in which they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rnnkit.errors import InputError
from rnnkit.params.source import Frames, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

OFFSET = re.compile(r"[T ]\d{2}\S*?\s*(?P<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)$")
"""The offset from UTC behind a time of day."""
YEARS = range(1500, 2201)
"""Whole numbers that are years where all of a column lie here."""
DATES: Mapping[int, str] = {
    6: "%Y%m",
    8: "%Y%m%d",
    10: "%Y%m%d%H",
    12: "%Y%m%d%H%M",
    14: "%Y%m%d%H%M%S",
}
"""Number of digits -> the format of whole numbers that are dates."""
UNITS: Mapping[str, str] = {
    "years": "Y",
    "days": "D",
    "hours": "h",
    "minutes": "m",
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
}
"""`data.source.time_unit` -> numpy's code of the unit."""
MICROSECONDS: Mapping[str, float] = {
    "days": 86_400e6,
    "hours": 3_600e6,
    "minutes": 60e6,
    "seconds": 1e6,
    "milliseconds": 1e3,
    "microseconds": 1,
    "nanoseconds": 1e-3,
}

INT64 = (-(2**63) + 1, 2**63 - 1)


class Times(NamedTuple):
    """Times of a column, and how they were read where the file does not say it."""

    times: pd.Series
    notes: list[str]


def parse(
    cells: pd.Series, series: pd.Series | None, source: Table | Frames, at: Callable[[int], str]
) -> Times:
    """Parse times; only ISO 8601, because 01/02/2024 is ambiguous.

    Texts whose offsets differ, as in a zone with summer time, become instants in UTC, or in
    `data.source.timezone`. Without an offset they are local times of that zone. Whole numbers are
    years if all lie between 1500 and 2200, dates if all are such as 20241231 or 202412312359, and
    else seconds since 1970; `data.source.time_unit` names another unit.

    Args:
        cells: the column.
        series: to which series each row belongs; None: one series.
        at: place of a row, for messages.

    Raises:
        InputError: a value is no time, only some have an offset, a local time that a zone has twice
            or never, or an unknown zone.
    """
    import pandas as pd

    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    note = ""
    if source.time_format is not None:
        times = _of_format(cells, source.time_format, at)
    elif source.time_unit is not None:
        times = _of_unit(_numbers(cells, at), source.time_unit, cells.name, at)
    elif (number := _whole_numbers(cells)) is not None:
        times, note = _of_whole_numbers(number, cells.name, at)
    elif pd.api.types.is_datetime64_any_dtype(cells.dtype):
        times = cells
        _refuse_no_time(times, cells, at)
    else:
        times, note = _of_texts(cells, source.timezone, at)
    refuse_far_times(times, source.timezone, at)
    if source.timezone is not None:
        times = _in_zone(times, series, source.timezone, at)
    return Times(times, [f"column {cells.name!r}: {note}"] if note else [])


def _refuse_no_time(
    times: pd.Series, cells: pd.Series, at: Callable[[int], str], format: str | None = None
) -> None:
    wrong = times.isna()
    if wrong.any():
        blank = cells.isna() | (_as_texts(cells).str.strip() == "")
        row = int((blank if blank.any() else wrong).argmax())
        raise InputError(
            f"{at(row)}: column {cells.name!r} must hold "
            f"{f'times as {format}' if format else 'ISO 8601 times'}, but it is "
            f"{cells.iloc[row]!r}; write times as 2024-12-31 or 2024-12-31T23:59:59, say in "
            "`data.source.time_format` how they are written, as `%d/%m/%Y %H:%M`, or name the unit "
            "of numbers in data.source.time_unit"
        )


def refuse_far_times(times: pd.Series, zone: str | None, at: Callable[[int], str]) -> None:
    """Raise InputError for times outside the years that Python's dates, or nanoseconds of 64 bits,
    have in any zone."""
    first, last = (1, 9999) if zone is None and times.dt.tz is None else (2, 9998)
    if times.dt.unit == "ns":
        first, last = 1678, 2261
    years = times.dt.year
    far = (years < first) | (years > last)
    if far.any():
        row = int(far.argmax())
        raise InputError(
            f"{at(row)}: times must lie in the years {first} to {last}, but this one is in the "
            f"year {int(times.dt.year.iloc[row])}; correct it, or name the unit of numbers in "
            "data.source.time_unit"
        )


def _as_texts(cells: pd.Series) -> pd.Series:
    """Cells of any type as text; `astype(str)` would keep missing ones missing."""
    texts: pd.Series = cells.astype(object).map(str).astype("str")
    return texts


# ---------------------------------------------------------------------- texts


def _of_format(cells: pd.Series, format: str, at: Callable[[int], str]) -> pd.Series:
    """Texts in a format of Python's codes."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        raise InputError(
            f"{at(0)}: column {cells.name!r} holds times and no text; leave "
            "data.source.time_format out"
        )
    try:
        times = pd.to_datetime(_as_texts(cells), format=format, errors="coerce")
    except ValueError:  # offsets differ
        times = pd.to_datetime(_as_texts(cells), format=format, errors="coerce", utc=True)
    _refuse_no_time(times, cells, at, format)
    return times


def _of_texts(
    cells: pd.Series, zone: str | None, at: Callable[[int], str]
) -> tuple[pd.Series, str]:
    """ISO 8601 texts, and a note if their offsets differ and no zone is named."""
    import pandas as pd

    texts = _as_texts(cells)
    offsets = texts.map(_offset)
    times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=offsets.nunique() > 1)
    _refuse_no_time(times, cells, at)
    if (offsets != offsets.iloc[0]).any() and (offsets == "").any():
        row = int(((offsets == "") != (offsets.iloc[0] == "")).argmax())
        has, first = ("no offset", "one") if offsets.iloc[row] == "" else ("an offset", "none")
        raise InputError(
            f"{at(row)}: either all times of column {cells.name!r} have an offset from UTC or none "
            f"has, but {texts.iloc[row]!r} has {has} and the first has {first}; give all of them "
            "their offsets, or none and data.source.timezone"
        )
    different = sorted(set(offsets))
    if len(different) == 1 or zone is not None:
        return times, ""
    _refuse_local_days(times, texts, cells.name, at)
    return times, (
        f"the offsets of its times differ ({', '.join(different[:3])}): they are read as instants "
        "in UTC; for local hours and days name data.source.timezone, such as Europe/Berlin"
    )


def _refuse_local_days(
    times: pd.Series, texts: pd.Series, name: object, at: Callable[[int], str]
) -> None:
    """Raise InputError for times whose offsets differ and that are regular on the clock alone, as
    each day's midnight: in UTC they have twice as many times of day."""
    import pandas as pd

    bare = texts.str.replace(r"\s*([Zz]|[+-]\d{2}(:?\d{2})?)$", "", regex=True)
    clock = pd.to_datetime(bare, format="ISO8601")
    of_day, in_utc = ((t - t.dt.normalize()).nunique() for t in (clock, times))
    if 2 * of_day <= in_utc:
        row = int((texts.map(_offset) != _offset(texts.iloc[0])).argmax())
        raise InputError(
            f"{at(row)}: the times of column {name!r} follow the clock of a zone with summer time, "
            f"{texts.iloc[0]} and {texts.iloc[row]}; name it in data.source.timezone, such as "
            "Europe/Berlin"
        )


def _offset(text: str) -> str:
    """The offset of a text as +01:00; empty: it has none.

    >>> _offset("2024-10-25 00:00:00+02"), _offset("2024-10-25T00:00Z"), _offset("2024-10-25")
    ('+02:00', '+00:00', '')
    """
    offset = OFFSET.search(text)
    if offset is None:
        return ""
    digits = offset["offset"].replace(":", "").upper().replace("Z", "+00")
    return f"{digits[:3]}:{digits[3:] or '00'}".replace("-00:00", "+00:00")


# ---------------------------------------------------------------------- numbers


def _whole_numbers(cells: pd.Series) -> pd.Series | None:
    """A column of whole numbers as int64; None: it holds something else."""
    import pandas as pd

    if pd.api.types.is_integer_dtype(cells.dtype) and not cells.isna().any():
        return cells.astype("int64")
    texts = _as_texts(cells)
    if not len(texts) or not texts.str.fullmatch(r"[+-]?\d{1,18}").all():
        return None
    return texts.astype("int64")


def _numbers(cells: pd.Series, at: Callable[[int], str]) -> pd.Series:
    """A column of finite numbers, as int64 where they are whole."""
    import numpy as np
    import pandas as pd

    whole = _whole_numbers(cells)
    if whole is not None:
        return whole
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        cells = cells.astype(str)
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(bad.argmax())
        raise InputError(
            f"{at(row)}: with data.source.time_unit column {cells.name!r} must hold numbers, but "
            f"it is {cells.iloc[row]!r}; correct it or leave data.source.time_unit out"
        )
    return numbers


def _of_whole_numbers(
    number: pd.Series, name: object, at: Callable[[int], str]
) -> tuple[pd.Series, str]:
    """Whole numbers without a unit: years, dates or seconds."""
    import pandas as pd

    if number.isin(YEARS).all():
        return _of_unit(number, "years", name, at), (
            "its whole numbers are read as years; data.source.time_unit names another unit"
        )
    texts = number.astype(str)
    format = DATES.get(len(texts.iloc[0]))
    if format is not None and texts.str.len().nunique() == 1 and texts.str[0].str.isdigit().all():
        times = pd.to_datetime(texts, format=format, errors="coerce")
        if times.dt.year.isin(YEARS).all():
            return times, f"its whole numbers are read as dates, {format}"
    return _of_unit(number, "seconds", name, at), (
        "its whole numbers are read as seconds since 1970; data.source.time_unit names another unit"
    )


def _of_unit(number: pd.Series, unit: str, name: object, at: Callable[[int], str]) -> pd.Series:
    """Numbers of a unit since 1970, or years, as times without a zone."""
    import numpy as np
    import pandas as pd

    code, whole = UNITS[unit], pd.api.types.is_integer_dtype(number.dtype)
    since = number - 1970 if unit == "years" else number
    # all nanoseconds of 64 bits lie in the years 1677 to 2262
    ends = np.array(["0001-01-01", "9999-12-31"], dtype="M8[D]")
    low, high = ends.astype(f"M8[{code}]").astype("int64") if unit != "nanoseconds" else INT64
    bad = ~since.between(low, high) | (not whole and unit == "years")
    if bad.any():
        row = int(bad.argmax())
        rule = "whole years" if unit == "years" else f"{unit} since 1970"
        raise InputError(
            f"{at(row)}: column {name!r} must hold {rule}, between the years 1 and 9999, but it is "
            f"{number.iloc[row]!s}; set data.source.time_unit to the unit of its numbers"
        )
    if not whole:  # fractions, to the microsecond
        since, code = since * MICROSECONDS[unit], "us"
    times = since.round().to_numpy().astype("int64").astype(f"M8[{code}]")
    times = times.astype("M8[s]") if code in ("Y", "D", "h", "m") else times
    return pd.Series(times, index=number.index, name=name)


# ---------------------------------------------------------------------- zones


def _in_zone(
    times: pd.Series, series: pd.Series | None, zone: str, at: Callable[[int], str]
) -> pd.Series:
    """Instants in a zone; times without an offset are its local times.

    Of a local time that the zone has twice, the first row of a series is summer time and the second
    is not.
    """
    import pandas as pd

    if times.dt.tz is not None:
        converted: pd.Series = times.dt.tz_convert(zone)
        return converted
    if series is None:
        series = pd.Series(0, index=times.index)
    again = pd.DataFrame({"series": series, "time": times})
    descending = len(times) > 1 and times.iloc[0] > times.iloc[-1]
    before = again.groupby(["series", "time"], dropna=False).cumcount(ascending=not descending)
    count = before.groupby([series, times], dropna=False).transform("size")
    local: pd.Series = times.dt.tz_localize(
        zone, ambiguous=(before == 0).to_numpy(), nonexistent="NaT"
    )
    single = times.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    never = local.isna()
    twice = single.isna() & ~never & (count != 2)
    if (never | twice).any():
        row = int((never | twice).argmax())
        what = "never" if never.iloc[row] else f"twice, and {count.iloc[row]} rows have it"
        raise InputError(
            f"{at(row)}: {times.iloc[row].isoformat()} happens {what}, in {zone}; give the times "
            "their offsets from UTC"
        )
    return local
