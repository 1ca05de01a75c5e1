"""Keys of sources whose files may be CSV or TSV: rows, fields, numbers and times as written."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block

WHITESPACE = "whitespace"
"""The separator that is any run of spaces and tabs."""

Separator = Annotated[str, Field(pattern=rf'^([^"\w\r\n]|{WHITESPACE})$')]
Mark = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[^\d+-]$")]


def _time_format(text: str) -> str:
    try:
        datetime.strptime("", text)
    except ValueError as error:
        if "%" not in text or "does not match" not in str(error):
            raise ValueError("must be a format such as %d/%m/%Y %H:%M") from None
    return text


TimeFormat = Annotated[str, AfterValidator(_time_format)]


class Delimited(Block):
    """A source whose file may be CSV or TSV."""

    kind: str
    path: str
    """The file; with `split: {kind: files}`, the training file."""
    separator: Separator | None = None
    """CSV and TSV: the character between fields, such as `;`, or `whitespace` for any run of spaces
    and tabs. null: a comma, in TSV a tab."""
    quotes: bool | None = None
    """CSV and TSV: whether fields may stand in double quotes; false: a quote is text. null: true in
    CSV, but a field in quotes that holds lines which look like rows is refused; false in TSV."""
    header: bool = True
    """CSV and TSV: whether the first line names the columns; else they are `1`, `2` and so on."""
    skip_rows: int = Field(default=0, ge=0, le=1_000_000)
    """CSV and TSV: lines above the header, or above the first row, that are not read."""
    comment: Annotated[str, Field(min_length=1)] | None = None
    """CSV and TSV: prefix of comment lines; null: no comments."""
    encoding: str = "utf-8"


class WithNumbers(Delimited):
    """A source whose file may be CSV or TSV and may hold numbers."""

    decimal: Mark = "."
    """CSV and TSV: the decimal mark of numbers."""
    thousands: Mark | None = None
    """CSV and TSV: the mark between groups of three digits; null: none."""
    missing: Annotated[tuple[str | int | float, ...], Field(strict=False)] = ()
    """Cells that stand for no value, such as `?` or -200, beside empty ones, NA, NaN and null. A
    number stands for every way to write it."""


LAYOUT = ("separator", "quotes", "header", "skip_rows", "comment", "decimal", "thousands")
"""Keys that only CSV and TSV have a use for."""
