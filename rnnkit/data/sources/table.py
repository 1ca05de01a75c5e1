"""Series from CSV, TSV or Parquet: sorted by time, gaps refused or filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.source import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MAX_TIMES_PER_ROW = 100
"""Times of a regular grid per row; a sparser series is irregular."""


def read(params: Table, split: str | None) -> pd.DataFrame:
    """The column time, the numeric columns as float64, and optional series and part."""
    import pandas as pd

    file = TableFile(params, "csv")
    columns = file.chosen(split, "time", "id")
    filled = params.gaps in ("forward", "interpolate")
    numbers = file.numbers(params.columns, {*file.named("time", "id"), split}, missing=filled)
    taken = [name for name in numbers if name in ("time", "series", "part")]
    if taken:
        raise InputError(
            f"{params.path}: no column of values may be called time, series or split, which have a "
            f"meaning of their own, but {taken[0]!r} is; rename it or leave it out of "
            "`data.source.columns`"
        )
    frame = pd.concat([file.times(columns["time"]).rename("time"), numbers], axis=1)
    if split is not None:
        frame["part"] = columns["part"]
    order, within, fix = ["time"], "", "row of each, or name the series' column in `data.source.id`"
    if params.id is not None:
        ids = file.labels(columns["id"], "every row must say to which series it belongs")
        frame.insert(0, "series", ids)
        order, within, fix = ["series", "time"], " in each series", "row of each"
    file.refuse_equal_times(frame[order], within, fix)
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    frame = frame if split is not None else fill(frame, params.gaps, params.path)
    frame.attrs["notes"] = [*file.notes, *frame.attrs.get("notes", [])]
    return frame


def fill(frame: pd.DataFrame, gaps: str, path: str) -> pd.DataFrame:
    """Refuse or fill gaps, by `data.source.gaps`.

    A grid is regular if all times of a series are multiples of a step apart, which is the smallest
    and most frequent distance; or on the same day of the month, a multiple of months apart. Other
    series, and those with rows at less than a hundredth of the grid, have no gaps: rows are steps.

    Args:
        frame: time, optional series, and numeric columns, sorted; numbers may be missing.
        gaps: refuse | keep | forward | interpolate.
        path: for messages.

    Returns: the frame without missing values; its `notes` report filled values.

    Raises:
        InputError: a refused gap, or a gap without neighbouring values to fill it.
    """
    import pandas as pd

    names = [name for name in frame.columns if name not in ("time", "series")]
    pieces, added, filled = [], 0, 0
    for name, table in frame.groupby("series", sort=False) if "series" in frame else [("", frame)]:
        of = f" of series {name!r}" if name != "" else ""
        values = table.set_index("time")[names]
        if gaps != "keep":
            full = grid(table["time"])
            missing = full.difference(pd.DatetimeIndex(values.index))
            if len(missing) and gaps == "refuse":
                raise InputError(
                    f"{path}: times must follow one another without a gap, but {len(missing)} are "
                    f"missing{of}, the first is {missing[0]}; set `data.source.gaps` to forward or "
                    "interpolate, which fill it, or to keep, which takes the rows as they follow"
                )
            added += len(missing)
            values = values.reindex(full) if len(missing) else values
        filled += int(values.isna().to_numpy().sum())
        piece = _filled(values, gaps, path, of).rename_axis("time").reset_index()
        if "series" in frame:
            piece.insert(0, "series", name)
        pieces.append(piece)
    result = pd.concat(pieces, ignore_index=True)
    if filled:
        how = {"forward": "the value before", "interpolate": "linear interpolation in time"}[gaps]
        times = f", at {added} times that were missing" if added else ""
        result.attrs["notes"] = [f"{filled} missing values were filled with {how}{times}"]
    return result


def grid(times: pd.Series) -> pd.DatetimeIndex:
    """All times of a regular series from first to last; irregular: its times, unchanged.

    Args:
        times: of one series, ascending.
    """
    import numpy as np
    import pandas as pd

    index = pd.DatetimeIndex(times)
    months = index.year.to_numpy() * 12 + index.month.to_numpy()
    if (index == index[0] + (months - months[0]) * pd.DateOffset(months=1)).all():
        step = _step(months)
        if step is not None:
            count = (months[-1] - months[0]) // step + 1
            return pd.DatetimeIndex(
                index[0] + np.arange(count) * step * pd.DateOffset(months=1)
            ).as_unit(index.unit)
    ticks = index.asi8
    step = _step(ticks)
    if step is None:
        return index
    full: Any = np.arange(ticks[0], ticks[-1] + 1, step)
    naive = pd.DatetimeIndex(full.view(f"M8[{index.unit}]"))
    return naive if index.tz is None else naive.tz_localize("UTC").tz_convert(index.tz)


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
