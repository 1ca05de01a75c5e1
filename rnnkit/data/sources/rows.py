"""Rows of CSV, TSV and Parquet files.

CSV and TSV columns are text: types are not inferred, "NA" stays "NA", and TSV has no quoting.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from rnnkit.data.sources.opening import read_bytes
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, record) of CSV or TSV text; skips blank lines like pandas.

    >>> list(records('a,b\\n\\n"1\\n2",3\\n', ","))
    [(1, ['a', 'b']), (3, ['1\\n2', '3'])]
    """
    csv.field_size_limit(2**31 - 1)  # a text may be long
    quoting = _quoting(separator)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
    begin = 1
    for record in reader:
        if record and not (len(record) == 1 and record[0].isspace() and not record[0].strip(" \t")):
            yield begin, record
        begin = reader.line_num + 1


def _quoting(separator: str) -> Literal[0, 3]:
    return csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE


def separated(path: str, text: str, separator: str, has_header: bool) -> pd.DataFrame:
    """CSV or TSV text as a frame of text; InputError if a row has more fields than the header."""
    import pandas as pd

    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=0 if has_header else None,
            dtype=str,
            keep_default_na=False,
            quoting=_quoting(separator),
        )
        if not isinstance(frame.index, pd.RangeIndex):  # pandas puts surplus fields into the index
            raise pd.errors.ParserError("there is a surplus")
        if not has_header:
            frame.columns = pd.Index([str(number + 1) for number in range(frame.shape[1])])
        return frame
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(_refusal(path, text, separator, str(error))) from None


def _refusal(path: str, text: str, separator: str, error: str) -> str:
    """Message for text that pandas cannot parse."""
    rows = list(records(text, separator))
    if "EOF inside string" in error:
        return (
            f"{path}, line {rows[-1][0]}: a quote is opened and never closed; close it, or "
            "write two for one that belongs to the text"
        )
    fix = {
        ",": "put quotes around text that holds a comma",
        "\t": "take the tabs out of its text (quotes mean nothing in a TSV)",
    }[separator]
    width = len(rows[0][1]) if rows else 0
    for begin, record in rows:
        if len(record) > width:
            return (
                f"{path}, line {begin}: every line must have as many fields as the first, but it "
                f"has {len(record)} and not {width}; {fix}"
            )
    reason = " ".join(error.removeprefix("Error tokenizing data. C error: ").split())
    return f"{path}: cannot be read as a table: {reason}; correct it or set `data.source.format`"


def parquet(path: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a Parquet file, and the names of those columns that were pandas' index.

    An index without a name is a column `index` if it holds times, and is else left out: it numbers
    the rows. So is one that has the name of a column.
    """
    import pandas as pd
    import pyarrow

    content = read_bytes(path)
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).split(". ")[0].rstrip(".")
        raise InputError(
            f"{path}: a Parquet file is needed, but {reason}; write it again or set `format`"
        ) from None
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    of_time = (pd.DatetimeIndex, pd.PeriodIndex)
    names = [level.name or ("index" if isinstance(level, of_time) else None) for level in levels]
    index = {
        str(name): level
        for name, level in zip(names, levels, strict=True)
        if name is not None and str(name) not in map(str, frame.columns)
    }
    frame = frame.reset_index(drop=True)
    for place, (name, level) in enumerate(index.items()):
        frame.insert(place, name, level)
    return frame, list(index)
