"""Plain text: one item per line, per paragraph or per file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.errors import InputError
from rnnkit.params.source import Text

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Text) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Text, part: str | None) -> pd.DataFrame:
    """The column text. Blank items are skipped.

    Args:
        params: the source's block.
        part: must be None: plain text has no columns.

    Raises:
        InputError: an invalid file, or a `part`.
    """
    import pandas as pd

    if part is not None:
        raise InputError(
            f"{params.path}: plain text has no column {part!r}; "
            "use `split: {kind: fractions}` or `split: {kind: files}`"
        )
    rows = opening.read_rows(params.path, params.encoding)
    if params.unit == "line":
        items = rows
    elif params.unit == "paragraph":
        items = re.split(r"\n(?:[ \t]*\n)+", "\n".join(rows))
    else:
        items = ["\n".join(rows)]
    kept = [item for item in items if item.strip()]
    if not kept:
        raise InputError(f"{params.path}: the file holds nothing but white space; name another")
    return pd.DataFrame({"text": kept})
