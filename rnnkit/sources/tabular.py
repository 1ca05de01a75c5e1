"""A file of rows and named columns (CSV, TSV, JSONL, Parquet) as a frame. What they mean: readers.

CSV and TSV give text in every column: nothing is guessed, "NA" stays "NA", and a TSV has no
quoting. The frame's index counts rows from 0; `place` says where one stands in the file.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from rnnkit.errors import InputError
from rnnkit.sources.opening import closest, read_bytes, read_rows, read_text

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def format_of(path: str, format: str, otherwise: str) -> str:
    """The format's name; `auto` goes by the file's ending, without a .gz.

    >>> format_of("a/b.CSV.gz", "auto", "label_text")
    'csv'
    """
    if format != "auto":
        return format
    name = path.lower().removesuffix(".gz")
    for ending, found in ENDINGS.items():
        if name.endswith(ending):
            return found
    return otherwise


def read_frame(
    path: str, format: str, encoding: str, header: bool = True, comment: str | None = None
) -> pd.DataFrame:
    """Read csv, tsv, jsonl or parquet.

    Args:
        header: of csv and tsv, whether the first line names the columns; else they are called `1`,
            `2` and so on.
        comment: lines of csv and tsv that begin with it are left out; None: there are none.

    Raises:
        InputError: bad bytes, a row with too many fields, a line that is no JSON, no row at all, a
            header or comments where there are no lines.
    """
    import pandas as pd

    for key, used in (("header", not header), ("comment", comment is not None)):
        if used and format not in ("csv", "tsv"):
            raise InputError(
                f"{path}: data.source.{key} is for csv and tsv, and this is {format}; leave it out"
            )

    if format == "jsonl":
        # As objects: else pandas makes 1.0 of a 1 where another line has nothing.
        frame = pd.DataFrame(read_objects(path, encoding), dtype=object)
    elif format == "parquet":
        frame = _parquet(path)
    else:
        text = read_text(path, encoding)
        if comment is not None:
            lines = text.splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith(comment))
        frame = separated(path, text, "," if format == "csv" else "\t", header)
    if not len(frame):
        raise InputError(f"{path}: at least one row of data is needed, but there is none")
    return frame


def separated(path: str, text: str, separator: str, header: bool = True) -> pd.DataFrame:
    """CSV or TSV text as a frame of text.

    Raises:
        InputError: a row with more fields than the header.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=0 if header else None,
            dtype=str,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE,
        )
        if not isinstance(frame.index, pd.RangeIndex):  # pandas makes an index of a surplus
            raise pd.errors.ParserError("the first line of data has more")
        if not header:
            frame.columns = pd.Index([str(number + 1) for number in range(frame.shape[1])])
        return frame
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).removeprefix("Error tokenizing data. C error: ").split())
        raise InputError(
            f"{path}: every line must have as many fields as the header, but {reason}; "
            "put quotes around text that holds the separator"
        ) from None


def _parquet(path: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow

    content = read_bytes(path)
    try:
        return pd.read_parquet(io.BytesIO(content)).reset_index(drop=True)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).split(". ")[0].rstrip(".")
        raise InputError(
            f"{path}: a Parquet file is needed, but {reason}; write it again or set `format`"
        ) from None


def read_objects(path: str, encoding: str) -> list[dict[str, Any]]:
    """The JSON objects of a JSONL file, one per line.

    Raises:
        InputError: a line that is empty, no JSON, or no object.
    """
    objects = []
    for number, line in enumerate(read_rows(path, encoding), start=1):
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path}, line {number}, column {error.colno}: every line must be one JSON object, "
                f"but {error.msg}: {line[:40]!r}; correct the line"
            ) from None
        if not isinstance(value, dict):
            raise InputError(
                f"{path}, line {number}: every line must be one JSON object, "
                f"but this is a {type(value).__name__}; write it as {{…}}"
            )
        objects.append(value)
    return objects


def column(frame: pd.DataFrame, path: str, name: str, key: str, headed: bool = False) -> pd.Series:
    """One column of a frame.

    Args:
        key: the params key that named it, for the message.
        headed: whether the columns' names were read from a line that may be one of data.

    Raises:
        InputError: the frame has no such column.
    """
    if name not in frame.columns:
        names = [str(present) for present in frame.columns]
        other = ", or write `header: false` where the first line is data" if headed else ""
        raise InputError(
            f"{path}: there is no column {name!r}{closest(name, names)}; "
            f"the columns are {', '.join(names)}; set `{key}` to one of them{other}"
        )
    return frame[name]


def shown(value: Any) -> str:
    """What a cell holds that should hold text, for messages.

    >>> shown(" "), shown(None), shown(float("nan")), shown(7)
    ('empty', 'empty', 'empty', '7')
    """
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value.strip()):
        return "empty"
    return repr(value)[:40]


def place(format: str, row: int, header: bool = True) -> str:
    """Where a row stands in its file, as a person counts.

    Quoted line breaks inside a CSV, blank lines and comments shift its lines; rows are counted as
    if there were none.

    >>> place("csv", 0), place("csv", 0, header=False), place("jsonl", 0), place("parquet", 0)
    ('line 2', 'line 1', 'line 1', 'row 1')
    """
    if format in ("csv", "tsv"):
        return f"line {row + 1 + header}"
    return f"line {row + 1}" if format in ("jsonl", "label_text") else f"row {row + 1}"
