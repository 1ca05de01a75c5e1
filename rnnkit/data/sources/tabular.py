"""Columns of CSV, TSV, JSONL and Parquet files: text, labels, numbers and times."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import times
from rnnkit.data.sources.jsonl import fault, objects
from rnnkit.data.sources.opening import read_text
from rnnkit.data.sources.rows import parquet, records, separated
from rnnkit.errors import InputError, closest
from rnnkit.params.source import Audio, Frames, LabelledText, Pairs, Table, Vectors

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
"""Cells of a column of numbers that stand for no number."""


def format_of(path: str, format: str, otherwise: str) -> str:
    """Resolve `auto` by the file's ending, ignoring .gz.

    >>> format_of("a/b.CSV.gz", "auto", "label_text")
    'csv'
    """
    if format != "auto":
        return format
    name = path.lower().removesuffix(".gz")
    return next((known for ending, known in ENDINGS.items() if name.endswith(ending)), otherwise)


class TableFile:
    """A file of rows and named columns.

    Args:
        source: names the file and its columns.
        otherwise: format of a file with another ending.

    Raises:
        InputError: invalid bytes, a row with too many fields, a line of invalid JSON, no rows, or
            `header`, `comment` or `row_names` for a format without lines.
    """

    def __init__(
        self, source: LabelledText | Table | Frames | Vectors | Pairs | Audio, otherwise: str
    ) -> None:
        self.source, self.path = source, source.path
        self.notes: list[str] = []  # on how cells were read
        self.index: list[str] = []  # columns that are numbers only if they are named
        self.format = format_of(source.path, source.format, otherwise)
        self._separator = {"csv": ",", "tsv": "\t"}.get(self.format)
        self._header = source.header if isinstance(source, Pairs | Vectors) else True
        self._comment = source.comment if isinstance(source, Vectors) else None
        row_names = isinstance(source, Frames) and source.row_names
        if self.format == "jsonl" and isinstance(source, Table | Frames | Vectors):
            what = "a table" if isinstance(source, Table) else source.kind
            raise InputError(
                f"{self.path}: {what} must be CSV, TSV or Parquet, but its name says JSONL; "
                "convert it or set `format`"
            )
        for key, used in (("header", not self._header), ("comment", self._comment is not None)):
            if used and self._separator is None:
                raise InputError(
                    f"{self.path}: data.source.{key} is for csv and tsv, and this is "
                    f"{self.format}; leave it out"
                )
        if row_names and self.format == "parquet":
            raise InputError(
                f"{self.path}: a Parquet file names its columns, so none is left out of a header; "
                "leave data.source.row_names out"
            )
        self.frame = self._read(row_names)
        if not len(self.frame):
            raise InputError(f"{self.path}: at least one row of data is needed, but there is none")

    def _read(self, row_names: bool) -> pd.DataFrame:
        """The rows, under an index from 0."""
        import pandas as pd

        if self._separator is not None:
            first = self._separator if row_names else ""  # the first column's name is empty
            frame = separated(self.path, first + self._text(), self._separator, self._header)
            return frame.iloc[:, 1:] if row_names else frame
        if self.format == "parquet":
            frame, self.index = parquet(self.path)
            return frame
        # As objects: pandas would convert 1 to 1.0 in a column with missing values.
        return pd.DataFrame(
            [row for _, row in objects(self.path, self.source.encoding)], dtype=object
        )

    def column(self, name: str, key: str) -> pd.Series:
        """One column; `key`: its params key, for the message.

        Raises:
            InputError: there is no such column.
        """
        if self._separator and name not in self.frame.columns and self.frame.shape[1] == 1:
            between = {"csv": "commas", "tsv": "tabs"}[self.format]
            raise InputError(
                f"{self.path}: there is no column {name!r}, for the first line has one field "
                f"alone: a {self.format} file needs {between} between its fields; write them, or "
                "set `data.source.format`"
            )
        named = self._separator and self._header and isinstance(self.source, Pairs | Vectors)
        advice = ", or write `header: false` where the first line is data" if named else ""
        cells = column(self.frame, self.path, name, key, advice)
        if self.format == "jsonl":
            for row, value in enumerate(cells):
                if reason := fault(value):
                    raise InputError(
                        f"{self.at(row)}: column {name!r} {reason}; correct it or leave the row out"
                    )
        return cells

    def chosen(self, split: str | None, *fields: str) -> dict[str, pd.Series]:
        """Columns that the source's fields name, and `part`; without fields that are None."""
        names = {field: (getattr(self.source, field), f"data.source.{field}") for field in fields}
        names["part"] = split, "data.split.name"
        return {
            field: self.column(name, key)
            for field, (name, key) in names.items()
            if name is not None
        }

    def numbers(
        self,
        names: Collection[str] | None,
        taken: Collection[str | None],
        missing: bool = False,
    ) -> pd.DataFrame:
        """The columns of these names, or all that are not taken, as float64.

        Args:
            missing: keep missing values, as NaN.

        Raises:
            InputError: there is no column, or a value is not a number, infinite, or missing.
        """
        import numpy as np
        import pandas as pd

        taken = {*taken, *self.index}
        names = names or [str(name) for name in self.frame.columns if name not in taken]
        if not names:
            rule = "of features is needed, but there is none"
            if isinstance(self.source, Table):
                rule = f"beside {self.source.time!r} is needed, but there is none; add the values"
            raise InputError(f"{self.path}: at least one column {rule}")
        cells = {name: self.column(name, "data.source.columns") for name in names}
        numbers = pd.DataFrame({name: self._numbers(series) for name, series in cells.items()})
        values = numbers.to_numpy()
        bad = np.isinf(values) if missing else ~np.isfinite(values)
        if count := int(bad.sum()):
            flags = zip(bad.T, cells, strict=True)
            row, name = min((int(rows.argmax()), name) for rows, name in flags if rows.any())
            raise InputError(
                f"{self.path}: every value must be a finite number, but {count} are missing or "
                f"infinite, the first in column {name!r}, {self.line(row)} "
                f"({cells[name].iloc[row]!r}); fill them in (of a series `data.source.gaps` does) "
                "or leave the column out of `data.source.columns`"
            )
        return numbers

    def _numbers(self, cells: pd.Series) -> pd.Series:
        """A column as float64; MISSING values become NaN."""
        import pandas as pd

        if not pd.api.types.is_numeric_dtype(cells.dtype):
            cells = cells.mask(cells.isin(MISSING))
        numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
        wrong = numbers.isna() & cells.notna()
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError(
                f"{self.at(row)}: column {cells.name!r} must hold numbers, but "
                f"it is {cells.iloc[row]!r}; correct it or leave the column out of "
                "`data.source.columns`"
            )
        return numbers

    def times(self, cells: pd.Series, series: pd.Series | None = None) -> pd.Series:
        """Parse a column of times (`rnnkit.data.sources.times`); adds to `notes`.

        Args:
            series: to which series each row belongs.
        """
        assert isinstance(self.source, Table | Frames)
        parsed = times.parse(cells, series, self.source, self.at)
        self.notes += parsed.notes
        return parsed.times

    def refuse_equal_times(self, keys: pd.DataFrame, within: str, fix: str) -> None:
        """Raise InputError if rows have the same `time` (and other keys)."""
        duplicates = keys.duplicated(keep="first")
        if duplicates.any():
            row = int(duplicates.argmax())
            of = f" of {keys['series'].iloc[row]!r}" if "series" in keys else ""
            raise InputError(
                f"{self.at(row)}: every time may occur once{within}, but "
                f"{int(duplicates.sum())} occur again, the first is {keys['time'].iloc[row]}{of}; "
                f"keep one {fix}"
            )

    def labels(self, cells: pd.Series, rule: str) -> pd.Series:
        """A column as text; InputError, which begins with the rule, if any cell is empty."""
        empty = cells.isna() | (cells.astype(str).str.strip() == "")
        if empty.any():
            raise InputError(
                f"{self.at(int(empty.argmax()))}: {rule}, but column {cells.name!r} is empty in "
                f"{int(empty.sum())}; fill it in or leave the row out"
            )
        return cells.astype(str)

    def at(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.path}, {self.line(row)}"

    def line(self, row: int) -> str:
        """Line at which a row begins, counting comments, blank lines and line breaks in quotes.

        Reads the file again; used only for an error message.
        """
        if self.format == "jsonl":
            places = (where for where, _ in objects(self.path, self.source.encoding))
            for where in itertools.islice(places, row, None):
                return where.removeprefix(f"{self.path}, ")
        if self._separator is not None:
            begins = (begin for begin, _ in records(self._text(), self._separator))
            for begin in itertools.islice(begins, row + self._header, None):
                return f"line {begin}"
        return f"row {row + 1}"  # Parquet, or the file has changed

    def _text(self) -> str:
        """The file's text, with comments as empty lines."""
        text = read_text(self.path, self.source.encoding)
        if self._comment is None:
            return text
        return re.sub(rf"(?<![^\r\n]){re.escape(self._comment)}[^\r\n]*", "", text)


def column(frame: pd.DataFrame, path: str, name: str, key: str, other: str = "") -> pd.Series:
    """One column of a frame.

    Args:
        path, key: file of the frame and params key of the column, for the message.
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


def refuse_blank(
    cells: pd.Series, at: Callable[[int], str], rule: str = "", numbers: bool = False
) -> None:
    """Raise InputError for a cell without text.

    Args:
        at: place of a row, for the message.
        rule: start of the message.
        numbers: allow integers and booleans.
    """
    rule = rule or f"column {cells.name!r} must hold text in every row, but it"
    for row, value in enumerate(cells.tolist()):
        if not ((numbers and isinstance(value, int)) or (isinstance(value, str) and value.strip())):
            raise InputError(
                f"{at(row)}: {rule} is {shown(value)}; fill it in or leave the row out"
            )


def shown(value: Any) -> str:
    """A non-text cell, for messages.

    >>> shown(" "), shown(None), shown(float("nan")), shown(7)
    ('empty', 'empty', 'empty', '7')
    """
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value.strip()):
        return "empty"
    return repr(value)[:40]
