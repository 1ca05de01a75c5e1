"""Series from CSV, TSV or Parquet: sorted by time, gaps refused or filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnkit.data.sources import grid
from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.source import Table

if TYPE_CHECKING:
    import pandas as pd

FILLED = "filled: "
"""Prefix of the columns that say which values of another column were filled."""
HOW = {
    "forward": "the value before",
    "interpolate": "linear interpolation in time, which reads the next value",
}
"""`data.source.gaps` -> what fills a missing value."""


def read(params: Table, split: str | None) -> pd.DataFrame:
    """The column time, the numeric columns as float64, and optional series and part; of columns
    with filled values also those of `fill`."""
    filled = params.gaps in ("forward", "interpolate")
    frame, notes = _sorted_rows(params, split, missing=filled)
    if split is None:
        frame = fill(frame, params)
    frame.attrs["notes"] = [*notes, *frame.attrs.get("notes", [])]
    return frame


def read_with_rows_ahead(
    params: Table, columns: Sequence[str], targets: Sequence[str]
) -> pd.DataFrame:
    """As `read`, of some columns; the last rows of a series may lack values.

    The rows behind the last one with a value of a target, in each series, are returned as they
    are: with the covariates that are known ahead, and NaN elsewhere.

    Args:
        columns: to read, `targets` among them.

    Raises:
        InputError: as in `read`.
    """
    import pandas as pd

    rows, notes = _sorted_rows(
        params.model_copy(update={"columns": tuple(columns)}), None, missing=True
    )
    there = rows[list(targets)].notna().any(axis=1)[::-1]
    if "series" in rows:
        is_past = there.groupby(rows["series"][::-1]).cummax()[::-1]
    else:
        is_past = there.cummax()[::-1]
    past = rows[is_past].reset_index(drop=True)
    if params.gaps in ("refuse", "keep"):
        _refuse_missing(past, columns, params.path)
    past = fill(past, params) if len(past) else past
    notes += past.attrs.get("notes", [])
    past = past[[name for name in past if not str(name).startswith(FILLED)]]
    past.attrs = {}
    ahead = rows[~is_past]
    if len(ahead):
        order = ["series", "time"] if "series" in rows else ["time"]
        past = pd.concat([past, ahead]).sort_values(order, kind="stable", ignore_index=True)
    past.attrs["notes"] = notes
    return past


def _refuse_missing(past: pd.DataFrame, columns: Sequence[str], path: str) -> None:
    """Raise InputError for a missing value."""
    missing = past[list(columns)].isna().to_numpy()
    if missing.any():
        row, column = (int(place[0]) for place in missing.nonzero())
        raise InputError(
            f"{path}: every value up to the last row with targets must be a finite number, but "
            f"{int(missing.sum())} are missing, the first in column {columns[column]!r} at "
            f"{past['time'].iloc[row]}; fill them in (`data.source.gaps` does)"
        )


def _sorted_rows(params: Table, split: str | None, missing: bool) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a table as `read` gives them, with its gaps, and notes.

    Args:
        missing: keep missing values, as NaN.
    """
    import pandas as pd

    file = TableFile(params, "csv")
    columns = file.chosen(split, "time", "id")
    numbers = file.numbers(params.columns, {*file.named("time", "id"), split}, missing=missing)
    names = map(str, numbers)
    taken = [n for n in names if n in ("time", "series", "part") or n.startswith(FILLED)]
    if taken:
        raise InputError(
            f"{params.path}: no column of values may be called time, series or split, or begin "
            f"with {FILLED!r}, which have a meaning of their own, but {taken[0]!r} is; rename it "
            "or leave it out of `data.source.columns`"
        )
    frame = pd.concat(
        [file.times(columns["time"], columns.get("id")).rename("time"), numbers], axis=1
    )
    if split is not None:
        frame["part"] = columns["part"]
    order, within, fix = ["time"], "", "row of each, or name the series' column in `data.source.id`"
    if params.id is not None:
        ids = file.labels(columns["id"], "every row must say to which series it belongs")
        frame.insert(0, "series", ids)
        order, within, fix = ["series", "time"], " in each series", "row of each"
    file.refuse_equal_times(frame[order], within, fix)
    return frame.sort_values(order, kind="stable", ignore_index=True), list(file.notes)


def fill(frame: pd.DataFrame, params: Table) -> pd.DataFrame:
    """Refuse or fill gaps, by `data.source.gaps`.

    A series on no regular grid (`rnnkit.data.sources.grid`) has no gaps: its rows are the steps.

    Args:
        frame: time, optional series, and numeric columns, sorted; numbers may be missing.
        params: the source.

    Returns: the frame without missing values. Where values were filled, its `notes` report it, and
        a column `FILLED + name` is true in the filled rows of the column.

    Raises:
        InputError: a refused gap, or a gap without neighbouring values to fill it.
    """
    import pandas as pd

    names = [name for name in frame.columns if name not in ("time", "series")]
    pieces, notes, added = [], Counter[str](), 0
    groups = frame.groupby("series", sort=False) if "series" in frame else [("", frame)]
    for name, table in groups:
        of = f" of series {name!r}" if name != "" else ""
        values = table.set_index("time")[names]
        if params.gaps != "keep":
            full, note = _full(table["time"], params)
            missing = full.difference(pd.DatetimeIndex(values.index))
            if len(missing) and params.gaps == "refuse":
                raise InputError(
                    f"{params.path}: times must follow one another without a gap, but "
                    f"{len(missing)} are missing{of}, the first is {missing[0]}; set "
                    "`data.source.gaps` to forward or interpolate, which fill it, or to keep, "
                    "which takes the rows as they follow"
                )
            notes.update([note] if note else [])
            added += len(missing)
            values = values.reindex(full) if len(missing) else values
        filled = values.isna().add_prefix(FILLED)
        values = _filled(values, params.gaps, params.path, of)
        piece = pd.concat([values, filled], axis=1).rename_axis("time").reset_index()
        if "series" in frame:
            piece.insert(0, "series", name)
        pieces.append(piece)
    result = pd.concat(pieces, ignore_index=True)
    filled = result[[FILLED + name for name in names]]
    result = result.drop(columns=[name for name in filled if not filled[name].any()])
    series = f" of {len(pieces)} series" if len(pieces) > 1 else ""
    result.attrs["notes"] = [
        note + (f" ({count}{series})" if series else "") for note, count in notes.items()
    ]
    if count := int(filled.to_numpy().sum()):
        times = f", at {added} times that were missing" if added else ""
        result.attrs["notes"].append(
            f"{count} missing values were filled with {HOW[params.gaps]}{times}"
        )
    return result


def _full(times: pd.Series, params: Table) -> tuple[pd.DatetimeIndex, str]:
    """All times of a series, and a note on what is no gap."""
    import pandas as pd

    if params.frequency is not None:
        return grid.named(times, params.frequency, params.path).times, ""
    steps = grid.find(times)
    if steps is not None:
        return steps.times, f"no row has {steps.closed}: these are no gaps" if steps.closed else ""
    note = "times lie on no regular grid, so rows are the steps and none counts as missing"
    return pd.DatetimeIndex(times), f"{note}; data.source.frequency names the grid"


def _filled(values: pd.DataFrame, gaps: str, path: str, of: str) -> pd.DataFrame:
    if gaps == "forward":
        values = values.ffill()
    elif gaps == "interpolate":
        values = values.interpolate("time", limit_area="inside")
    left = values.isna()
    if left.to_numpy().any():
        name = next(name for name in left if left[name].any())
        ends = "first" if gaps == "forward" else "first or last"
        raise InputError(
            f"{path}: the {ends} value{of} must be there to fill a gap with, but column {name!r} "
            f"has none at {values.index[int(left[name].argmax())]}; cut the table or leave the "
            "column out of `data.source.columns`"
        )
    return values
