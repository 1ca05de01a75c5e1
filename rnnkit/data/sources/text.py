"""Plain text: each line, each paragraph, or the whole file is one item."""

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
    """One column, text. Items of nothing but white space are left out.

    Args:
        params: the source's block.
        part: must be None, for plain text has no columns.

    Raises:
        InputError: a bad file, or a column is asked for.
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
