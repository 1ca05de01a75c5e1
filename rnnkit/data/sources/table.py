"""Numbers with a time column, from CSV, TSV or Parquet: parsed, sorted, checked for gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources.gaps import fill
from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.source import Table

if TYPE_CHECKING:
    import pandas as pd


def read(params: Table, part: str | None) -> pd.DataFrame:
    """The column time, the numeric columns as float64, and optional series and part."""
    import pandas as pd

    file = TableFile(params, "csv")
    columns = file.chosen(part, "time", "id")
    numbers = file.numbers(
        {params.time, params.id, part}, params.gaps in ("forward", "interpolate")
    )
    taken = [name for name in numbers if name in ("time", "series", "part")]
    if taken:
        raise InputError(
            f"{params.path}: no column of values may be called time, series or part, which have a "
            f"meaning of their own, but {taken[0]!r} is; rename it or leave it out of "
            "`data.source.columns`"
        )
    frame = pd.concat([file.times(columns["time"]).rename("time"), numbers], axis=1)
    if part is not None:
        frame["part"] = columns["part"]
    order, within, fix = ["time"], "", "row of each, or name the series' column in `data.source.id`"
    if params.id is not None:
        ids = file.labels(columns["id"], "every row must say to which series it belongs")
        frame.insert(0, "series", ids)
        order, within, fix = ["series", "time"], " in each series", "row of each"
    file.refuse_equal_times(frame[order], within, fix)
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    return frame if part is not None else fill(frame, params.gaps, params.path)
