"""Numbers with a time column, from CSV, TSV or Parquet: parsed, sorted, checked for gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.gaps import fill
from rnnkit.data.sources.tabular import TableFile, format_of
from rnnkit.errors import InputError
from rnnkit.params.source import Table

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")


def fingerprint(params: Table) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Table, part: str | None) -> pd.DataFrame:
    """The column time, the numeric columns as float64, and optional series and part.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file, a missing column, an invalid or duplicate time, a value that
            is not finite, or a refused gap.
    """
    import pandas as pd

    path, format = params.path, format_of(params.path, params.format, "csv")
    if format == "jsonl":
        raise InputError(
            f"{path}: a table must be CSV, TSV or Parquet, but its name says JSONL; "
            "convert it or set `format`"
        )
    file = TableFile(path, format, params.encoding)
    raw = file.read()
    stamps = file.column(raw, params.time, "data.source.time")
    keys = (params.time, params.id, part)
    names = params.columns or tuple(str(name) for name in raw.columns if name not in keys)
    if not names:
        raise InputError(
            f"{path}: at least one column beside {params.time!r} is needed, but there "
            "is none; add the values"
        )
    values = {name: file.column(raw, name, "data.source.columns") for name in names}
    numbers = {name: as_numbers(series, file) for name, series in values.items()}
    filled = params.gaps in ("forward", "interpolate")
    refuse_gaps(numbers, values, file, missing=filled)
    taken = [name for name in names if name in ("time", "series", "part")]
    if taken:
        raise InputError(
            f"{path}: no column of values may be called time, series or part, which have a meaning "
            f"of their own, but {taken[0]!r} is; rename it or leave it out of `data.source.columns`"
        )
    frame = pd.DataFrame({"time": as_times(stamps, file)})
    frame = pd.concat([frame, pd.DataFrame(numbers)], axis=1)
    if part is not None:
        frame["part"] = file.column(raw, part, "data.split.name")
    if params.id is not None:
        frame.insert(0, "series", _names(file.column(raw, params.id, "data.source.id"), file))
    order = [name for name in ("series", "time") if name in frame]
    _single(frame[order], file)
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    return frame if part is not None else fill(frame, params.gaps, path)


def _names(ids: pd.Series, file: TableFile) -> pd.Series:
    """Ids as text."""
    missing = ids.isna() | (ids.astype(str).str.strip() == "")
    if missing.any():
        row = int(missing.to_numpy().argmax())
        raise InputError(
            f"{file.at(row)}: every row must say to which series it belongs, but column "
            f"{ids.name!r} is empty in {int(missing.sum())}; fill it in or leave the row out"
        )
    return ids.astype(str)


def as_numbers(series: pd.Series, file: TableFile) -> pd.Series:
    """A column as float64; MISSING values become NaN.

    Raises:
        InputError: a value is not a number.
    """
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(series.dtype):
        series = series.mask(series.isin(MISSING))
    numbers = pd.to_numeric(series, errors="coerce").astype("float64")
    wrong = numbers.isna() & series.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"{file.at(row)}: column {series.name!r} must hold numbers, but "
            f"it is {series.iloc[row]!r}; correct it or leave the column out of "
            "`data.source.columns`"
        )
    return numbers


def refuse_gaps(
    numbers: dict[str, pd.Series],
    values: dict[str, pd.Series],
    file: TableFile,
    *,
    missing: bool = False,
) -> None:
    """Refuse infinite values, and missing ones unless `missing`."""
    import numpy as np

    wrong = np.isinf if missing else lambda numbers: ~np.isfinite(numbers)
    bad = {name: wrong(series.to_numpy()) for name, series in numbers.items()}
    count = sum(int(flags.sum()) for flags in bad.values())
    if count:
        row, name = min((int(flags.argmax()), name) for name, flags in bad.items() if flags.any())
        raise InputError(
            f"{file.path}: every value must be a finite number, but {count} are missing or "
            f"infinite, the first in column {name!r}, {file.line(row)} "
            f"({values[name].iloc[row]!r}); fill them in (of a series `data.source.gaps` does) or "
            "leave the column out of `data.source.columns`"
        )


def as_times(stamps: pd.Series, file: TableFile) -> pd.Series:
    """Parse times; ISO 8601 only, because 01/02/2024 is ambiguous."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(stamps.dtype) and not stamps.isna().any():
        return stamps
    if pd.api.types.is_numeric_dtype(stamps.dtype):
        stamps = stamps.astype(str)
    advice = "write times as 2024-12-31 or 2024-12-31T23:59:59"
    try:
        times = pd.to_datetime(stamps, format="ISO8601", errors="coerce")
    except ValueError as error:  # different offsets
        reason = str(error).split(". ")[0]
        raise InputError(
            f"{file.path}: column {stamps.name!r} must hold times of one kind, but {reason}; "
            "give all of them the same offset, or none"
        ) from None
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InputError(
            f"{file.at(row)}: column {stamps.name!r} must hold ISO 8601 times, but "
            f"it is {stamps.iloc[row]!r}; {advice}"
        )
    return times


def _single(keys: pd.DataFrame, file: TableFile) -> None:
    """Refuse duplicate times within a series."""
    duplicates = keys.duplicated(keep="first")
    if duplicates.any():
        row = int(duplicates.to_numpy().argmax())
        several = "series" in keys
        raise InputError(
            f"{file.at(row)}: every time may occur once"
            f"{' in each series' if several else ''}, but {int(duplicates.sum())} occur again, the "
            f"first is {keys['time'].iloc[row]}"
            f"{' of ' + repr(keys['series'].iloc[row]) if several else ''}; keep one row of each"
            + ("" if several else ", or name the series' column in `data.source.id`")
        )
