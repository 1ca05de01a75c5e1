"""Numbers with a time column, as CSV, TSV or Parquet: parsed, sorted, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.errors import InputError
from rnnkit.params.data import Table
from rnnkit.sources import opening
from rnnkit.sources.tabular import column, format_of, place, read_frame

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


def fingerprint(params: Table) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Table, part: str | None) -> pd.DataFrame:
    """The column time, the numeric columns as float64, and part where it is asked for.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: a bad file, a missing column, a time that cannot be read or occurs twice, a
            value that is no finite number or is missing.
    """
    import pandas as pd

    path, format = params.path, format_of(params.path, params.format, "csv")
    if format == "jsonl":
        raise InputError(
            f"{path}: a table must be CSV, TSV or Parquet, but its name says JSONL; "
            "convert it or set `format`"
        )
    raw = read_frame(path, format, params.encoding)
    stamps = column(raw, path, params.time, "data.source.time")
    names = params.columns or tuple(str(n) for n in raw.columns if n not in (params.time, part))
    if not names:
        raise InputError(
            f"{path}: at least one column beside {params.time!r} is needed, but there "
            "is none; add the values"
        )
    values = {name: column(raw, path, name, "data.source.columns") for name in names}
    numbers = {name: as_numbers(series, path, format) for name, series in values.items()}
    refuse_gaps(numbers, values, path, format)
    frame = pd.DataFrame({"time": as_times(stamps, path, format)})
    frame = pd.concat([frame, pd.DataFrame(numbers)], axis=1)
    if part is not None:
        frame["part"] = column(raw, path, part, "data.split.name")
    _single(frame["time"], path, format)
    return frame.sort_values("time", kind="stable", ignore_index=True)


def as_numbers(series: pd.Series, path: str, format: str) -> pd.Series:
    """A column as float64; MISSING is not a number.

    Raises:
        InputError: a value is no number.
    """
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(series.dtype):
        series = series.mask(series.isin(MISSING))
    numbers = pd.to_numeric(series, errors="coerce").astype("float64")
    wrong = numbers.isna() & series.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"{path}, {place(format, row)}: column {series.name!r} must hold numbers, but it is "
            f"{series.iloc[row]!r}; correct it or leave the column out of `data.source.columns`"
        )
    return numbers


def refuse_gaps(
    numbers: dict[str, pd.Series], values: dict[str, pd.Series], path: str, format: str
) -> None:
    """Refuse missing and infinite values, with their count and the first place."""
    import numpy as np

    bad = {name: ~np.isfinite(series.to_numpy()) for name, series in numbers.items()}
    count = sum(int(flags.sum()) for flags in bad.values())
    if count:
        row, name = min((int(flags.argmax()), name) for name, flags in bad.items() if flags.any())
        raise InputError(
            f"{path}: every value must be a finite number, but {count} are missing or infinite, "
            f"the first in column {name!r}, {place(format, row)} ({values[name].iloc[row]!r}); "
            "fill them in or leave the column out of `data.source.columns`"
        )


def as_times(stamps: pd.Series, path: str, format: str) -> pd.Series:
    """ISO 8601 alone: 01/02/2024 means two days, depending on who reads it."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(stamps.dtype) and not stamps.isna().any():
        return stamps
    if pd.api.types.is_numeric_dtype(stamps.dtype):
        stamps = stamps.astype(str)
    advice = "write times as 2024-12-31 or 2024-12-31T23:59:59"
    try:
        times = pd.to_datetime(stamps, format="ISO8601", errors="coerce")
    except ValueError as error:  # offsets that differ
        reason = str(error).split(". ")[0]
        raise InputError(
            f"{path}: column {stamps.name!r} must hold times of one kind, but {reason}; "
            "give all of them the same offset, or none"
        ) from None
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InputError(
            f"{path}, {place(format, row)}: column {stamps.name!r} must hold ISO 8601 times, but "
            f"it is {stamps.iloc[row]!r}; {advice}"
        )
    return times


def _single(times: pd.Series, path: str, format: str) -> None:
    twice = times.duplicated(keep="first")
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise InputError(
            f"{path}, {place(format, row)}: every time may occur once, but {int(twice.sum())} "
            f"occur again, the first is {times.iloc[row]}; keep one row of each"
        )
