"""How a text is divided into rows and fields: separator, header, comments, quotes, decimals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from rnnkit.data.guess.cells import Column, plain
from rnnkit.data.guess.moments import has_name as has_name_of_times
from rnnkit.data.guess.moments import moments
from rnnkit.data.guess.roles import NAMES
from rnnkit.data.guess.taken import GUESS
from rnnkit.data.sources.delimited import (
    SEPARATORS,
    Layout,
    Malformed,
    column_names,
    fitting_layout,
    records,
)
from rnnkit.params.delimited import WHITESPACE

SEEN_RECORDS = 500
"""First rows that decide on the layout."""
TRIED = ("\t", ";", "|", ",", WHITESPACE)
MOST = 0.95
"""Fraction of the rows that must have as many fields as most have."""
MIN_NUMBERS = 0.5
"""Fraction of the fields that must be numbers where white space or a comma in prose separates."""


@dataclass(frozen=True)
class Divided:
    """A text as a table.

    Args:
        keys: of `data.source` that say so, where they differ from the defaults.
        remarks: key -> what was guessed.
        columns: with the cells of all rows that were read, numbers in points.
        form: in words.
    """

    keys: dict[str, Any]
    remarks: dict[str, str]
    columns: tuple[Column, ...]
    form: str

    @property
    def rows(self) -> int:
        """Number of rows that were read."""
        return len(self.columns[0].cells)


def divided(text: str, format: str, is_whole: bool) -> Divided | None:
    """A text as a table; None: it is none.

    Args:
        text: the file, or its first lines.
        format: by the file's ending, `csv` or `tsv`; empty: neither.
        is_whole: whether the text is the whole file.
    """
    layout = _layout(text, format)
    if layout is None:
        return None
    rows = _rows(text, layout)
    if rows is None or len(rows) < 2:
        return None
    if not is_whole:
        rows = rows[:-1]  # the last one may be cut
    row_names = not layout.row_names and _has_row_names(rows)
    header = row_names or _has_header(rows)
    first = ["", *rows[0]] if row_names else rows[0]
    body = rows[1:] if header else rows
    width = len(first)
    body = [row for row in body if any(row)]
    if not body:
        return None
    names = column_names(first, header)
    columns = [
        Column(name, [row[place] if place < len(row) else None for row in body])
        for place, name in enumerate(names[:width])
    ]
    keys, remarks = _keys(layout, format, header, row_names)
    columns = columns[1:] if row_names else columns
    columns = _in_points(columns, layout, keys, remarks)
    return Divided(keys, remarks, tuple(columns), _form(layout, header, len(columns)))


def _layout(text: str, format: str) -> Layout | None:
    comment = _comment(text)
    default = SEPARATORS.get(format)
    best: tuple[tuple[bool, bool, bool, float, int], Layout] | None = None
    for separator in dict.fromkeys(filter(None, (default, *TRIED))):
        quotes = separator not in ("\t", WHITESPACE)
        layout = Layout(separator, quotes, True, True, comment=comment)
        rows = _rows(text, layout, SEEN_RECORDS)
        if rows is None and quotes:
            layout = replace(layout, quotes=False)
            rows = _rows(text, layout, SEEN_RECORDS)
        if rows is None or len(rows) < 2:
            continue
        width, share = _width(rows)
        is_default = separator == default
        if width < 2 or share < MOST or not (is_default or _is_table(rows, layout, format)):
            continue
        stray = sum('"' in cell for row in rows for cell in row)
        score = len(rows[0]) == width, not stray, is_default, share, width
        if best is None or score > best[0]:
            best = score, layout
    if best is not None:
        return best[1]
    if default is None:
        return None
    layout = Layout(default, default != "\t", True, True, comment=comment)
    if fitting := fitting_layout(text, layout):
        rows = _rows(text, fitting.layout, SEEN_RECORDS)
        if rows and len(rows) > 1 and _width(rows)[1] >= MOST:
            return fitting.layout
    return None


def _comment(text: str) -> str | None:
    """The mark of comment lines at the beginning of a text."""
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:SEEN_RECORDS]
    marked = [line.startswith("#") for line in lines]
    return "#" if marked and marked[0] and not all(marked) else None


def _skipped(text: str, count: int) -> str:
    return "".join(islice(text.splitlines(keepends=True), count, None))


def _rows(text: str, layout: Layout, count: int | None = None) -> list[list[str]] | None:
    """Records of a text, at most `count`; None: its quotes do not fit."""
    if layout.skip_rows:
        text = _skipped(text, layout.skip_rows)
    if layout.comment:
        text = re.sub(rf"(?m)^{re.escape(layout.comment)}.*$", "", text)
    if count is not None:
        text = "\n".join(islice(text.split("\n"), 2 * count))
    rows: list[list[str]] = []
    try:
        for _, _, record in records(text, layout):
            rows.append(record)
            if len(rows) == count:
                break
    except Malformed:
        return rows if count is not None and len(rows) > count // 2 else None
    return rows


def _width(rows: Sequence[list[str]]) -> tuple[int, float]:
    """The usual number of fields, and the fraction of rows that have it (a header may lack one)."""
    widths = Counter(map(len, rows[1:]))
    width, count = widths.most_common(1)[0]
    if len(rows[0]) != width and not (len(rows[0]) == width - 1 and len(widths) == 1):
        return width, 0.0
    return width, count / (len(rows) - 1)


def _is_table(rows: Sequence[list[str]], layout: Layout, format: str) -> bool:
    """Whether rows of a file, whose ending does not say so, are those of a table and no prose."""
    if layout.separator in ("\t", ";", "|") or (format and layout.separator == ","):
        return True
    cells = [cell for row in rows[1:] for cell in row]
    numbers = sum(Column("", [cell]).is_number for cell in cells)
    return numbers >= MIN_NUMBERS * len(cells) and len(set(map(len, rows))) < 3


def _has_row_names(rows: Sequence[list[str]]) -> bool:
    """Whether every row but the first has a field more, as in tables of R."""
    return {len(row) for row in rows[1:]} == {len(rows[0]) + 1}


def _has_header(rows: Sequence[list[str]]) -> bool:
    """Whether the first row names the columns."""
    first, *body = rows
    if len(set(first)) < len(first) or any(Column("", [cell]).is_number for cell in first if cell):
        return False
    columns = [
        Column(name, [row[place] if place < len(row) else "" for row in body[:SEEN_RECORDS]])
        for place, name in enumerate(first)
    ]
    if any(column.name in column.counts for column in columns if not column.is_number):
        return False  # the first line is a row as the others
    for column in columns:
        if column.is_number or column.has_commas or has_name_of_times(column):
            return True
        if moments(column) is not None:
            return moments(Column("", [column.name])) is None
    if any(plain(name) in NAMES for name in first):
        return True
    # labels, as against texts, occur again
    repeated = [column for column in columns if column.largest > 1 and column.name.strip()]
    return any(column.is_category for column in repeated)


def _keys(
    layout: Layout, format: str, header: bool, row_names: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    keys: dict[str, Any] = {}
    remarks: dict[str, str] = {}
    if not format:
        keys["format"] = "tsv" if layout.separator == "\t" else "csv"
        format = keys["format"]
    if layout.separator != SEPARATORS[format]:
        keys["separator"] = layout.separator
    if not layout.quotes and layout.separator not in ("\t", WHITESPACE):
        keys["quotes"] = False
        remarks["quotes"] = GUESS + "a quote is not closed, so quotes are text"
    if layout.skip_rows:
        keys["skip_rows"] = layout.skip_rows
        remarks["skip_rows"] = GUESS + "lines above the header"
    if layout.comment:
        keys["comment"] = layout.comment
    if not header:
        keys["header"] = False
        remarks["header"] = GUESS + "the first line looks like data; columns are 1, 2, ..."
    if row_names:
        keys["row_names"] = True
    return keys, remarks


def _in_points(
    columns: Sequence[Column], layout: Layout, keys: dict[str, Any], remarks: dict[str, str]
) -> list[Column]:
    """The columns with numbers in points; sets the keys that say how they are written."""
    with_commas = [column for column in columns if column.has_commas]
    if not with_commas:
        return list(columns)
    cells = [cell for column in with_commas for cell in column.filled if "," in cell]
    if all(column.has_groups for column in with_commas) and layout.separator != ";":
        keys["thousands"] = ","
        remarks["thousands"] = GUESS + f"{cells[0].strip()} could have a decimal comma"
        marks = {",": ""}
    else:
        keys["decimal"] = ","
        marks = {",": "."}
        if any("." in cell for cell in cells):
            keys["thousands"] = "."
            marks["."] = ""
    table = str.maketrans(marks)
    return [
        Column(column.name, [cell and cell.translate(table) for cell in column.cells])
        if column in with_commas
        else column
        for column in columns
    ]


def _form(layout: Layout, header: bool, count: int) -> str:
    between = {"\t": "tabs", WHITESPACE: "white space", ",": "commas"}
    separator = between.get(layout.separator, layout.separator)
    lacking = "" if header else " and no header"
    return f"a table of {count:,} columns with {separator} between the fields{lacking}"
