"""Columns of CSV, TSV, JSONL and Parquet files: text, labels, numbers and times."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import delimited, numerals, times
from rnnkit.data.sources.delimited import Layout
from rnnkit.data.sources.jsonl import fault, objects
from rnnkit.data.sources.limits import MAX_NUMBER, refuse_columns, refuse_missing
from rnnkit.data.sources.opening import files_of
from rnnkit.data.sources.rows import parquet
from rnnkit.errors import InputError, closest
from rnnkit.params.delimited import LAYOUT, Delimited, WithNumbers
from rnnkit.params.source import (
    Audio,
    Frames,
    LabelledText,
    Pairs,
    Table,
    TokenTable,
    Vectors,
)

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
FILE = "file"
"""Of several files, the column with the name of a row's file, without its ending."""
MEMBERSHIP = {
    "sequence": "sequence it belongs",
    "id": "series it belongs",
    "group": "group it belongs",
}
"""Field -> what a row must name in it: rows with an empty one would be one group."""


def format_of(path: str, format: str, otherwise: str) -> str:
    """Resolve `auto` by the file's ending, ignoring .gz.

    >>> format_of("a/b.CSV.gz", "auto", "label_text")
    'csv'
    """
    if format != "auto":
        return format
    name = path.lower().removesuffix(".gz")
    return next((known for ending, known in ENDINGS.items() if name.endswith(ending)), otherwise)


Tabular = LabelledText | Table | Frames | Vectors | Pairs | Audio | TokenTable


class TableFile:
    """A file of rows and named columns; `notes` say what was left out of it.

    A path of a table or of frames may name several files, whose rows follow one another. They have
    a column more, `FILE`, unless there is one of that name.

    Args:
        source: names the file and its columns.
        otherwise: format of a file with another ending.

    Raises:
        InputError: invalid bytes, a row that does not fit, a line of invalid JSON, no rows, or
            a key for a format that has no use for it.
    """

    def __init__(self, source: Tabular, otherwise: str) -> None:
        self.source, self.path = source, source.path
        self.index: list[str] = []  # columns that are numbers only if they are named
        self._layout: Layout | None = None
        self._parts: list[tuple[int, TableFile]] = []
        """(first row, file) of several files."""
        if isinstance(source, Table | Frames) and (paths := files_of(self.path)) != [self.path]:
            self._join([type(self)(_at(source, path), otherwise) for path in paths])
            return
        self.format = format_of(source.path, source.format, otherwise)
        row_names = isinstance(source, Frames) and source.row_names
        if self.format == "jsonl" and isinstance(source, Table | Frames | Vectors | TokenTable):
            what = "a table" if isinstance(source, Table) else source.kind
            raise InputError(
                f"{self.path}: {what} must be CSV, TSV or Parquet, but its name says JSONL; "
                "convert it or set `format`"
            )
        self._layout = Layout.of(source, self.format, row_names)
        if self._layout is None:
            refuse_layout(source, self.format, LAYOUT)
        if row_names and self.format == "parquet":
            raise InputError(
                f"{self.path}: a Parquet file names its columns, so none is left out of a header; "
                "leave data.source.row_names out"
            )
        self.frame, self.notes = self._read(self._layout)
        if isinstance(source, WithNumbers):
            self.frame = numerals.without_marks(self.frame, source)
        if not len(self.frame):
            raise InputError(f"{self.path}: at least one row of data is needed, but there is none")

    def _join(self, files: list[TableFile]) -> None:
        """Read several files as one."""
        import pandas as pd

        first, begin = files[0], 0
        self.format, self.index, self.notes = first.format, list(first.index), []
        for file in files:
            if list(file.frame) != list(first.frame):
                raise InputError(
                    f"{file.path}: the files of {self.path} must have the same columns, but it has "
                    f"{', '.join(map(str, file.frame))} and {first.path} "
                    f"{', '.join(map(str, first.frame))}; give another path, with * for a part"
                )
            self._parts.append((begin, file))
            self.notes += [f"{file.path}: {note}" for note in file.notes]
            begin += len(file.frame)
        self.frame = pd.concat([file.frame for file in files], ignore_index=True)
        if FILE not in self.frame:
            names = [Path(file.path).name.partition(".")[0] for file in files]
            counts = [len(file.frame) for file in files]
            cells = [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
            self.frame[FILE] = pd.Series(cells, dtype="str")
            self.index.append(FILE)

    def _part(self, row: int) -> tuple[TableFile, int]:
        """Of several files, the one of a row, and the row in it."""
        begin, file = next(part for part in reversed(self._parts) if part[0] <= row)
        return file, row - begin

    def _read(self, layout: Layout | None) -> tuple[pd.DataFrame, list[str]]:
        """The rows, under an index from 0, and notes."""
        import pandas as pd

        if layout is not None:
            text = delimited.text_of(self.path, self.source.encoding, layout)
            return delimited.table(self.path, text, layout)
        if self.format == "parquet":
            frame, self.index = parquet(self.path)
            return frame, []
        # As objects: pandas would convert 1 to 1.0 in a column with missing values.
        rows = [row for _, row in objects(self.path, self.source.encoding)]
        keys = dict.fromkeys(key for row in rows for key in row)
        refuse_columns(self.path, len(keys))
        refuse_missing(self.path, len(rows) * len(keys) - sum(map(len, rows)))
        return pd.DataFrame(rows, dtype=object), []

    def column(self, name: str, key: str) -> pd.Series:
        """One column; `key`: its params key, for the message.

        Raises:
            InputError: there is no such column, or its cells are no texts, numbers and times.
        """
        import pandas as pd

        layout, other = self._layout, ""
        if layout is not None and name not in self.frame.columns:
            text = delimited.text_of(self.path, self.source.encoding, layout)
            if settings := delimited.suggested(text, layout):
                raise InputError(f"{self.path}: there is no column {name!r}, for {settings}")
            if self.frame.shape[1] == 1:
                raise InputError(
                    f"{self.path}: there is no column {name!r}, for the first line has one field "
                    f"alone, and {layout.name} must stand between fields; write them, or set "
                    "`data.source.separator`"
                )
            several = key == "data.source.time"
            other = " (or to several, as [Date, Time], which are joined)" * several
            other += ", or write `header: false` where the first line is data" * layout.header
        cells = column(self.frame, self.path, name, key, other)
        named = layout is not None and layout.header and key != "data.source.columns"
        if named and (count := int((cells == name).sum())):
            self.notes.append(
                f"column {name!r} holds its own name in {count:,} rows; write `header: false` in "
                "data.source where the first line is data"
            )
        if pd.api.types.is_datetime64_any_dtype(cells.dtype):
            times.refuse_far_times(cells, None, self.at)
        if cells.dtype == object:
            for row, value in enumerate(cells):
                if reason := fault(value):
                    raise InputError(
                        f"{self.at(row)}: column {name!r} {reason}; correct it or leave the row out"
                    )
        return cells

    def named(self, *fields: str) -> tuple[str, ...]:
        """Names of the columns that the source's fields name."""
        values = [getattr(self.source, field) for field in fields]
        return tuple(
            name
            for value in values
            if value is not None
            for name in ((value,) if isinstance(value, str) else value)
        )

    def chosen(self, split: str | None, *fields: str) -> dict[str, pd.Series]:
        """Columns that the source's fields name, and `part`; without fields that are None.

        Several columns of one field are joined with spaces.

        Raises:
            InputError: there is no such column, or a row belongs to no sequence, series or group.
        """
        import pandas as pd

        columns = {}
        for field in fields:
            if names := self.named(field):
                first, *others = (self.column(name, f"data.source.{field}") for name in names)
                if others:
                    texts = (
                        cells.astype(object).mask(cells.isna(), "").map(str)
                        for cells in (first, *others)
                    )
                    rows = zip(*texts, strict=True)
                    first = pd.Series(map(" ".join, rows), name=" ".join(names), dtype="str")
                if field in MEMBERSHIP:
                    self.labels(first, f"every row must say to which {MEMBERSHIP[field]}")
                columns[field] = first
        if split is not None:
            columns["part"] = self.column(split, "data.split.name")
        return columns

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

        if not names:
            taken = {*taken, *self.index}
            free = [str(name) for name in self.frame.columns if name not in taken]
            names = [name for name in free if not delimited.UNNAMED.fullmatch(name)]
            if left := [name for name in free if name not in names]:
                self.notes.append(
                    f"columns without a name were left out: {', '.join(left)} (list them in "
                    "data.source.columns to read them)"
                )
        if not names:
            rule = "of features is needed, but there is none"
            if isinstance(self.source, Table):
                time = " ".join(self.named("time"))
                rule = f"beside {time!r} is needed, but there is none; add the values"
            raise InputError(f"{self.path}: at least one column {rule}")
        cells = {name: self.column(name, "data.source.columns") for name in names}
        numbers = pd.DataFrame({name: self._numbers(series) for name, series in cells.items()})
        values = numbers.to_numpy()
        large = np.abs(values) > MAX_NUMBER
        bad = large if missing else large | np.isnan(values)
        if count := int(bad.sum()):
            flags = zip(bad.T, cells, strict=True)
            row, name = min((int(rows.argmax()), name) for rows, name in flags if rows.any())
            what = "missing or infinite"
            if (large & np.isfinite(values)).any():
                what = f"missing, infinite or beyond {MAX_NUMBER:.2g}, the largest in float32"
            raise InputError(
                f"{self.path}: every value must be a finite number, but {count} are {what}, the "
                f"first in column {name!r}, {self.line(row)} ({cells[name].iloc[row]!r}); fill "
                "them in (of a series `data.source.gaps` does), give the column another unit, or "
                "leave it out of `data.source.columns`"
            )
        return numbers

    def _numbers(self, cells: pd.Series) -> pd.Series:
        """A column as float64; missing values become NaN."""
        assert isinstance(self.source, WithNumbers)
        numbers, wrong = numerals.numbers(cells, self.source)
        if wrong.any():
            row = int(wrong.argmax())
            cell = cells.iloc[row]
            raise InputError(
                f"{self.at(row)}: column {cells.name!r} must hold numbers, but it is {cell!r}; "
                f"{numerals.advice(str(cell), self.source)}"
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
        return self.in_points(cells.astype(str))

    def in_points(self, labels: pd.Series) -> pd.Series:
        """Labels; numbers, in all rows, with a decimal point and without thousands."""
        if not isinstance(self.source, WithNumbers):
            return labels
        plain = numerals.in_points(labels, self.source)
        return labels if plain.isna().any() else plain

    def at(self, row: int) -> str:
        """File and line of a row, for messages."""
        if self._parts:
            file, row = self._part(row)
            return file.at(row)
        return f"{self.path}, {self.line(row)}"

    def line(self, row: int) -> str:
        """Line at which a row begins, counting comments, blank lines and line breaks in quotes.

        Reads the file again; used only for an error message.
        """
        if self._parts:
            file, row = self._part(row)
            return f"{file.line(row)} of {file.path}"
        if self.format == "jsonl":
            places = (where for where, _ in objects(self.path, self.source.encoding))
            for where in itertools.islice(places, row, None):
                return where.removeprefix(f"{self.path}, ")
        if self._layout is not None:
            text = delimited.text_of(self.path, self.source.encoding, self._layout)
            begins = (begin for begin, _, _ in delimited.records(text, self._layout))
            for begin in itertools.islice(begins, row + self._layout.header, None):
                return f"line {begin}"
        return f"row {row + 1}"  # Parquet, or the file has changed


def _at(source: Any, path: str) -> Any:
    return source.model_copy(update={"path": path})


def refuse_layout(source: Delimited, format: str, keys: Collection[str]) -> None:
    """Raise InputError for a changed key that files of this format have no use for."""
    for key in keys:
        field = type(source).model_fields.get(key)
        if field is not None and getattr(source, key) != field.get_default():
            of = "tables" if key == "missing" else "csv and tsv"
            raise InputError(
                f"{source.path}: data.source.{key} is for {of}, and this is {format}; leave it out"
            )


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
        unnamed = any(map(delimited.UNNAMED.fullmatch, names))
        called = " (Unnamed: and its place from 0 is a column without a name)" if unnamed else ""
        raise InputError(
            f"{path}: there is no column {name!r}{closest(name, names)}; "
            f"the columns are {', '.join(names)}{called}; set `{key}` to one of them{other}"
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
