"""Rows of delimited text: CSV, TSV and their relatives.

Cells are text: types are not inferred, and "NA" stays "NA". A quote is text in a TSV.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rnnkit.data.sources.limits import (
    MAX_LINE,
    MAX_LINES,
    refuse_columns,
    refuse_missing,
)
from rnnkit.data.sources.opening import read_text
from rnnkit.errors import InputError
from rnnkit.params.delimited import WHITESPACE, Delimited

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {"csv": ",", "tsv": "\t"}
"""Format -> the separator by default."""
JOINED_LINES = 3
"""A field in quotes with so many lines is refused where each of them looks like a row."""
CHUNK_FIELDS = 2_000_000
"""Fields that are held as Python's texts, of 60 bytes each, before they go to pandas."""
SEEN_LINES, SEEN_CHARACTERS = 100, 1_000_000
"""First lines of a text, and of their characters, that say of which layout it is."""
LINE = re.compile(r"[^\r\n]*+(?:\r\n?|\n)|[^\r\n]++")
"""A line with its break, LF, CR LF or CR. (io.StringIO holds four bytes per character.)"""
UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)?")
"""What pandas calls a column without a name: row numbers that it wrote, for the most part."""


class Malformed(Exception):
    """Text that is no CSV: the line where the record begins, and the reason with the next step."""

    def __init__(self, begin: int, reason: str) -> None:
        super().__init__(reason)
        self.begin = begin


@dataclass(frozen=True)
class Layout:
    """How a text is divided into rows and fields.

    Args:
        quotes: whether fields may stand in quotes.
        trusted: whether a field in quotes may hold lines that look like rows.
        row_names: every row but the header begins with a name.
    """

    separator: str
    quotes: bool
    trusted: bool
    header: bool
    skip_rows: int = 0
    comment: str | None = None
    row_names: bool = False

    @classmethod
    def of(cls, source: Delimited, format: str, row_names: bool = False) -> Layout | None:
        """Layout of a source's file; None for a format that is not delimited text."""
        if format not in SEPARATORS:
            return None
        separator = source.separator or SEPARATORS[format]
        quotes = format == "csv" and separator != WHITESPACE
        return cls(
            separator,
            quotes if source.quotes is None else source.quotes,
            source.quotes is True,
            source.header,
            source.skip_rows,
            source.comment,
            row_names,
        )

    @cached_property
    def name(self) -> str:
        """Of the separator, for messages."""
        return {"\t": "tabs", WHITESPACE: "white space"}.get(self.separator, repr(self.separator))

    def divide(self, line: str) -> list[str]:
        """Fields of a line where quotes are text."""
        if self.separator == WHITESPACE:
            return re.split(r"[ \t]+", line.strip(" \t"))
        return line.split(self.separator)


def text_of(path: str, encoding: str, layout: Layout) -> str:
    """A file's text, with comments and skipped lines as empty lines."""
    text = read_text(path, encoding)
    if layout.skip_rows:
        lines = islice(_lines(text), layout.skip_rows)
        text = "\n" * layout.skip_rows + text[sum(map(len, lines)) :]
    if layout.comment is None:
        return text
    return re.sub(rf"(?<![^\r\n]){re.escape(layout.comment)}[^\r\n]*", "", text)


def _lines(text: str) -> Iterator[str]:
    """Lines with their breaks, LF, CR LF or CR."""
    return (match[0] for match in LINE.finditer(text))


def records(text: str, layout: Layout) -> Iterator[tuple[int, int, list[str]]]:
    """(first line, last line, record) of each record; skips blank lines.

    >>> layout = Layout(",", quotes=True, trusted=True, header=True)
    >>> list(records('a,b\\n\\n"1\\n2",3\\n', layout))
    [(1, 1, ['a', 'b']), (3, 4, ['1\\n2', '3'])]

    Raises:
        Malformed: a quote is not closed, text follows a closing quote, or a record is too long.
    """
    begin, length = 1, 0

    def lines() -> Iterator[str]:
        nonlocal length
        for line in _lines(text):
            length += len(line)
            if length > MAX_LINE:
                raise Malformed(begin, _too_long(line, length))
            yield line

    if layout.separator == WHITESPACE:
        for begin, line in enumerate(lines(), start=1):
            if line.strip():
                yield begin, begin, layout.divide(line.strip("\r\n"))
            length = 0
        return
    csv.field_size_limit(2**31 - 1)  # a text may be long
    quoting = csv.QUOTE_MINIMAL if layout.quotes else csv.QUOTE_NONE
    reader = csv.reader(lines(), delimiter=layout.separator, quoting=quoting, strict=True)  # type: ignore[arg-type]
    try:
        for record in reader:
            length = 0
            blank = len(record) == 1 and record[0].isspace() and not record[0].strip(" \t")
            if record and not blank:
                yield begin, reader.line_num, record
            begin = reader.line_num + 1
    except csv.Error as error:
        if "expected after" not in str(error):
            reason = (
                "a quote is opened and never closed; close it, write two for one that belongs to "
                "the text, or set `data.source.quotes: false` where quotes are text"
            )
        else:
            there = "" if reader.line_num == begin else f" at line {reader.line_num}"
            reason = (
                f"a field in quotes must end at its closing quote, but it closes{there} and goes "
                "on; write two quotes for one that belongs to the text, or set "
                "`data.source.quotes: false` where quotes are text"
            )
        raise Malformed(begin, reason) from None


def _too_long(line: str, length: int) -> str:
    """Reason for a record that is longer than MAX_LINE, up to the end of a line."""
    if length == len(line):
        return (
            f"a line may have {MAX_LINE:,} characters at most, but it has {length:,}; is a line "
            "break missing, or is the file of another kind?"
        )
    return (
        f"a row may have {MAX_LINE:,} characters at most, but a quote is opened and not closed in "
        "as many; close it, write two for one that belongs to the text, or set "
        "`data.source.quotes: false` where quotes are text"
    )


def table(path: str, text: str, layout: Layout) -> tuple[pd.DataFrame, list[str]]:
    """The rows as a frame of text, and notes.

    Raises:
        InputError: Malformed, a row with too many fields, quotes that join rows, or a table beyond
            a limit.
    """
    import pandas as pd

    rows = records(text, layout)
    joined: list[tuple[int, int, int]] = []  # lines, first line, last line
    chunks: list[pd.DataFrame] = []
    cells: list[list[str | None]] = []
    empty: list[list[str | None]] = []  # rows without any value, left out at the end
    names: list[str] = []
    width = missing = 0
    try:
        for number, (begin, end, fields) in enumerate(rows):
            record: list[str | None] = [*fields]
            if not number:
                record = ["", *record] if layout.row_names else record
                width = len(record)
                refuse_columns(f"{path}, line {begin}", width)
                names = column_names(["", *fields] if layout.row_names else fields, layout.header)
            if number > MAX_LINES:
                raise Malformed(begin, f"a table may have {MAX_LINES:,} rows; name a part of it")
            if len(record) > width:
                raise InputError(_too_many(path, text, layout, begin, len(record), width))
            if end > begin:
                joined.append((end - begin + 1, begin, end))
            if not number and layout.header:
                continue
            missing += width - len(record)
            refuse_missing(f"{path}, line {begin}", missing)
            is_empty = len(record) > 1 and not any(record)
            record += [None] * (width - len(record))
            if is_empty:
                empty.append(record)
                continue
            cells += [*empty, record]
            empty = []
            if len(cells) * width > CHUNK_FIELDS:
                chunks.append(pd.DataFrame(cells, columns=names, dtype="str"))
                cells = []
    except Malformed as error:
        raise InputError(f"{path}, line {error.begin}: {error}") from None
    notes = _joined(path, text, layout, joined, width)
    if empty:
        notes.append(f"{len(empty):,} rows without any value at the end were left out")
    if cells or not chunks:
        chunks.append(pd.DataFrame(cells, columns=names, dtype="str"))
    frame = pd.concat(chunks, ignore_index=True) if len(chunks) > 1 else chunks[0]
    return (frame.iloc[:, 1:] if layout.row_names else frame), notes


def column_names(first: list[str], header: bool) -> list[str]:
    """Names of the columns, as pandas: a name again is `name.1`, none is `Unnamed: 3`."""
    if not header:
        return [str(number + 1) for number in range(len(first))]
    names: dict[str, None] = {}
    counts = Counter[str]()
    for place, cell in enumerate(first):
        wanted = name = cell or f"Unnamed: {place}"
        while name in names:
            counts[wanted] += 1
            name = f"{wanted}.{counts[wanted]}"
        names[name] = None
    return list(names)


def _joined(
    path: str, text: str, layout: Layout, joined: list[tuple[int, int, int]], width: int
) -> list[str]:
    """A note on fields with line breaks; InputError where each line of one looks like a row.

    Args:
        joined: (number of lines, first line, last line) of each row of several lines.
    """
    if not joined:
        return []
    lines = [*_lines(text)]
    for count, begin, end in joined:
        likely = count >= JOINED_LINES and width > 1 and not layout.trusted
        if likely and all(len(layout.divide(line)) == width for line in lines[begin - 1 : end]):
            raise InputError(
                f"{path}, line {begin}: a quote must close in its own row, but one closes at line "
                f"{end}, and every line between looks like a row; write two quotes for one that "
                "belongs to the text, or set `data.source.quotes`: false where quotes are text, "
                "true where the lines are one text"
            )
    _, begin, end = max(joined, key=lambda place: (place[0], -place[1]))
    return [
        f"{len(joined):,} rows hold line breaks in quotes, the longest from line {begin} to {end}; "
        "a quote that is not closed joins rows"
    ]


def _too_many(path: str, text: str, layout: Layout, begin: int, count: int, width: int) -> str:
    """Message for a row with more fields than the first."""
    if settings := suggested(text, layout):
        return f"{path}: {settings}"
    fix = f"take the {layout.name} out of its text (quotes mean nothing in a TSV)"
    if layout.quotes:
        held = "a comma" if layout.separator == "," else layout.name
        fix = f"put quotes around text that holds {held}"
    return (
        f"{path}, line {begin}: every line must have as many fields as the first, but it has "
        f"{count} and not {width}; {fix}"
    )


DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")


def suggested(text: str, layout: Layout) -> str:
    """Separator, decimal comma and lines above the header that fit a text better; "" for none."""
    fitting = fitting_layout(text, layout)
    if fitting is None:
        return ""
    keys = []
    facts = f"fields are separated by {fitting.layout.name} and not by {layout.name}"
    if fitting.layout.separator != layout.separator:
        keys.append(f"`separator: {_quoted(fitting.layout.separator)}`")
        if fitting.decimal_commas:
            facts += ", and numbers have decimal commas"
            keys.append('`decimal: ","`')
    if fitting.layout.skip_rows > layout.skip_rows:
        begin, width = fitting.layout.skip_rows + 1, fitting.width
        about = f"the first row of {width} fields is line {begin}, below other lines"
        facts = f"{facts}, and {about}" if keys else about
        keys.append(f"`skip_rows: {begin - 1}`")
    return f"{facts}; set {' and '.join(keys)} in data.source" if keys else ""


class Fitting(NamedTuple):
    """A layout that divides most of the first lines of a text into equally many fields."""

    layout: Layout
    width: int
    """Number of fields."""
    decimal_commas: bool


def fitting_layout(text: str, layout: Layout) -> Fitting | None:
    """The separator that fits a text best, and the lines above its header; None: none fits."""
    plain = replace(layout, quotes=False)
    seen = enumerate(_lines(text[:SEEN_CHARACTERS]), start=1)
    filled = ((number, line.rstrip("\r\n")) for number, line in seen if line.strip())
    lines = [*islice(filled, SEEN_LINES)]
    if not lines:
        return None
    best: tuple[int, int, Layout] | None = None
    for separator in dict.fromkeys((layout.separator, ";", "\t", "|", ",", WHITESPACE)):
        candidate = replace(plain, separator=separator)
        widths = Counter(len(candidate.divide(line)) for _, line in lines)
        width, count = max(widths.items(), key=lambda item: item[1])
        first = len(candidate.divide(lines[0][1]))
        # The header's width is right where no preamble stands above it
        score = count + len(lines) * (first == width)
        words = separator == WHITESPACE and (first != width or layout.separator in lines[0][1])
        fits = width > 1 and count >= 0.8 * len(lines) and not words
        if fits and (best is None or score > best[0]):
            best = score, width, candidate
    if best is None:
        return None
    _, width, candidate = best
    fields = [(number, candidate.divide(line)) for number, line in lines]
    begin = next(number for number, cells in fields if len(cells) == width)
    values = [cell for _, cells in fields for cell in cells]
    skip_rows = begin - 1 if begin > lines[0][0] else layout.skip_rows
    fitted = replace(layout, separator=candidate.separator, skip_rows=skip_rows)
    return Fitting(fitted, width, any(map(DECIMAL_COMMA.fullmatch, values)))


def _quoted(separator: str) -> str:
    return separator if separator == WHITESPACE else f'"{separator}"'.replace("\t", "\\t")
