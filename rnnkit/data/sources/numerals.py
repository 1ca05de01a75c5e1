"""Numbers of a table as people write them: decimal comma, thousands, marks of missing values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnkit.params.delimited import WithNumbers

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
"""Cells of a column of numbers that stand for no number."""


def without_marks(frame: pd.DataFrame, source: WithNumbers) -> pd.DataFrame:
    """The frame without the cells that `missing` lists as text."""
    import pandas as pd

    marks = [mark for mark in source.missing if isinstance(mark, str)]
    if not marks:
        return frame
    texts = {
        name: cells.astype("str").str.strip()
        for name, cells in frame.items()
        if not pd.api.types.is_numeric_dtype(cells.dtype)
    }
    return frame.assign(**{str(n): frame[n].mask(text.isin(marks)) for n, text in texts.items()})


def numbers(cells: pd.Series, source: WithNumbers) -> tuple[pd.Series, pd.Series]:
    """A column as float64, NaN where the value is missing; and whether a cell is no number."""
    import pandas as pd

    wrong = pd.Series(False, index=cells.index)
    if (plain := _plain(cells, source)) is not None:
        return plain, wrong
    if not pd.api.types.is_numeric_dtype(cells.dtype):
        cells = cells.mask(cells.isin(MISSING))
        plain = in_points(cells, source)
        wrong = plain.isna() & cells.notna()
        cells = plain
    parsed = pd.to_numeric(cells, errors="coerce").astype("float64")
    wrong |= parsed.isna() & cells.notna()
    marks = [float(mark) for mark in source.missing if not isinstance(mark, str)]
    return parsed.mask(parsed.isin(marks)), wrong


def _plain(cells: pd.Series, source: WithNumbers) -> pd.Series | None:
    """A column of numbers in points alone, as most are, at a tenth of the cost; None: any other."""
    import numpy as np
    import pandas as pd

    if source.decimal != "." or source.thousands is not None or source.missing:
        return None
    try:
        values = pd.to_numeric(cells).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if np.isnan(values).any() else pd.Series(values, cells.index, name=cells.name)


def in_points(cells: pd.Series, source: WithNumbers) -> pd.Series:
    """Numbers with a decimal point and without thousands; NaN for other cells.

    By default, the cells unchanged.
    """
    if source.decimal == "." and source.thousands is None:
        return cells
    decimal, groups = re.escape(source.decimal), r"\d+"
    texts = cells.astype("str").str.strip()
    if source.thousands is not None:
        groups = rf"(?:\d+|\d{{1,3}}(?:{re.escape(source.thousands)}\d{{3}})+)"
    written = rf"[+-]?(?:{groups}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?"
    fits = texts.str.fullmatch(written) & cells.notna()
    if source.thousands is not None:
        texts = texts.str.replace(source.thousands, "", regex=False)
    return texts.str.replace(source.decimal, ".", regex=False).where(fits)


def advice(cell: str, source: WithNumbers) -> str:
    """What to set where a cell is no number, by how it is written."""
    text, keys, marks = cell.strip(), "", ""
    if source.decimal == "." and source.thousands is None:
        keys = notation(text)
    else:
        marks = f" (decimal: {source.decimal!r}, thousands: {source.thousands!r})"
        grouped = rf"[+-]?\d{{1,3}}(?:([^\w+-])\d{{3}})+(?:{re.escape(source.decimal)}\d+)?"
        if source.thousands is None and (found := re.fullmatch(grouped, text)):
            keys = f'set `thousands: "{found[1]}"` in data.source'
    return keys or (
        f"correct it{marks}, write `missing: [{cell!r}]` in data.source where it stands for no "
        "value, or leave the column out of `data.source.columns`"
    )


def notation(text: str) -> str:
    """Keys to set for a number in another notation; "" if it is none."""
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", text):
        return 'set `decimal: ","` and `thousands: "."` in data.source'
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text):
        return 'set `thousands: ","` in data.source, or `decimal: ","`'
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        return 'set `decimal: ","` in data.source'
    if grouped := re.fullmatch(r"[+-]?\d{1,3}(?:([ '\u2019\u00a0\u202f])\d{3})+(\.\d+)?", text):
        return f'set `thousands: "{grouped[1]}"` in data.source'
    return ""
