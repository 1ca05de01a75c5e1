"""Read CSV, TSV, JSONL and Parquet files as frames.

CSV and TSV columns are text: types are not inferred, "NA" stays "NA", and TSV has no quoting.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.opening import read_bytes, read_rows, read_text
from rnnkit.errors import InputError, closest

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
    """Resolve `auto` by the file's ending, ignoring .gz.

    >>> format_of("a/b.CSV.gz", "auto", "label_text")
    'csv'
    """
    if format != "auto":
        return format
    name = path.lower().removesuffix(".gz")
    for ending, known in ENDINGS.items():
        if name.endswith(ending):
            return known
    return otherwise


@dataclass(frozen=True)
class TableFile:
    """A file of rows and named columns.

    Attributes:
        path: of the file.
        format: csv, tsv, jsonl or parquet.
        encoding: of its text.
        header: csv and tsv: whether the first line names the columns; otherwise they are `1`, `2`
            and so on.
        comment: csv and tsv: prefix of comment lines; None: no comments.
        row_names: csv and tsv: whether rows begin with a name that has no header field; it is
            dropped.
        has_header_key: whether the source's block has the key `header`, for messages.
    """

    path: str
    format: str
    encoding: str
    header: bool = True
    comment: str | None = None
    row_names: bool = False
    has_header_key: bool = False

    @property
    def _has_lines(self) -> bool:
        return self.format in ("csv", "tsv")

    @property
    def _separator(self) -> str:
        return "," if self.format == "csv" else "\t"

    def read(self) -> pd.DataFrame:
        """The rows, under an index from 0.

        Raises:
            InputError: invalid bytes, a row with too many fields, a line of invalid JSON, no rows,
                or `header` or `comment` for a format without lines.
        """
        import pandas as pd

        for key, used in (("header", not self.header), ("comment", self.comment is not None)):
            if used and not self._has_lines:
                raise InputError(
                    f"{self.path}: data.source.{key} is for csv and tsv, and this is "
                    f"{self.format}; leave it out"
                )
        if self.format == "jsonl":
            # As objects: pandas would convert 1 to 1.0 in a column with missing values.
            frame = pd.DataFrame(read_objects(self.path, self.encoding), dtype=object)
        elif self.format == "parquet":
            frame = _parquet(self.path)
        else:
            first = self._separator if self.row_names else ""  # the first column's name is empty
            frame = _separated(self.path, first + self._text(), self._separator, self.header)
        if not len(frame):
            raise InputError(f"{self.path}: at least one row of data is needed, but there is none")
        return frame.iloc[:, 1:] if self.row_names else frame

    def column(self, frame: pd.DataFrame, name: str, key: str) -> pd.Series:
        """One column of the file's frame.

        Args:
            key: its params key, for the message.

        Raises:
            InputError: the frame has no such column.
        """
        headed = self.has_header_key and self.header and self._has_lines
        advice = ", or write `header: false` where the first line is data" if headed else ""
        if name not in frame.columns and self._has_lines and frame.shape[1] == 1:
            between = {"csv": "commas", "tsv": "tabs"}[self.format]
            raise InputError(
                f"{self.path}: there is no column {name!r}, for the first line has one field "
                f"alone: a {self.format} file needs {between} between its fields; write them, or "
                "set `data.source.format`"
            )
        return column(frame, self.path, name, key, advice)

    def at(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.path}, {self.line(row)}"

    def line(self, row: int) -> str:
        """Line at which a row begins, counting comments, blank lines and line breaks in quotes.

        Reads the file again; used only for an error message.
        """
        if self.format == "jsonl":
            return f"line {row + 1}"
        if not self._has_lines:
            return f"row {row + 1}"
        begins = (begin for begin, _ in _records(self._text(), self._separator))
        for begin in itertools.islice(begins, row + self.header, None):
            return f"line {begin}"
        return f"row {row + 1}"  # the file has changed

    def _text(self) -> str:
        """The file's text, with comments as empty lines."""
        text = read_text(self.path, self.encoding)
        if self.comment is None:
            return text
        return re.sub(rf"(?<![^\r\n]){re.escape(self.comment)}[^\r\n]*", "", text)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, record) of CSV or TSV text; skips blank lines like pandas.

    >>> list(_records('a,b\\n\\n"1\\n2",3\\n', ","))
    [(1, ['a', 'b']), (3, ['1\\n2', '3'])]
    """
    csv.field_size_limit(2**31 - 1)  # a text may be long
    records = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE,
    )
    begin = 1
    for record in records:
        if record and not (len(record) == 1 and record[0].isspace() and not record[0].strip(" \t")):
            yield begin, record
        begin = records.line_num + 1


def _separated(path: str, text: str, separator: str, header: bool) -> pd.DataFrame:
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
        if not isinstance(frame.index, pd.RangeIndex):  # pandas puts surplus fields into the index
            raise pd.errors.ParserError("there is a surplus")
        if not header:
            frame.columns = pd.Index([str(number + 1) for number in range(frame.shape[1])])
        return frame
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(_refusal(path, text, separator, str(error))) from None


def _refusal(path: str, text: str, separator: str, error: str) -> str:
    """Message for text that pandas cannot parse."""
    records = list(_records(text, separator))
    if "EOF inside string" in error:
        return (
            f"{path}, line {records[-1][0]}: a quote is opened and never closed; close it, or "
            "write two for one that belongs to the text"
        )
    fix = {
        ",": "put quotes around text that holds a comma",
        "\t": "take the tabs out of its text (quotes mean nothing in a TSV)",
    }[separator]
    width = len(records[0][1]) if records else 0
    for begin, record in records:
        if len(record) > width:
            return (
                f"{path}, line {begin}: every line must have as many fields as the first, but it "
                f"has {len(record)} and not {width}; {fix}"
            )
    reason = " ".join(error.removeprefix("Error tokenizing data. C error: ").split())
    return f"{path}: cannot be read as a table: {reason}; correct it or set `data.source.format`"


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
        InputError: a line that is empty, invalid JSON, or not an object.
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


def column(frame: pd.DataFrame, path: str, name: str, key: str, other: str = "") -> pd.Series:
    """One column of a frame.

    Args:
        path: file of the frame, for the message.
        key: params key of the column, for the message.
        other: further advice, for the message.

    Raises:
        InputError: the frame has no such column.
    """
    if name not in frame.columns:
        names = [str(present) for present in frame.columns]
        raise InputError(
            f"{path}: there is no column {name!r}{closest(name, names)}; "
            f"the columns are {', '.join(names)}; set `{key}` to one of them{other}"
        )
    return frame[name]


def shown(value: Any) -> str:
    """A non-text cell, for messages.

    >>> shown(" "), shown(None), shown(float("nan")), shown(7)
    ('empty', 'empty', 'empty', '7')
    """
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value.strip()):
        return "empty"
    return repr(value)[:40]
