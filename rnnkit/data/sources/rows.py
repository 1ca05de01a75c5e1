"""Rows of JSONL and Parquet files; those of CSV and TSV are in `delimited`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.opening import numbered_rows, read_bytes
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def parquet(path: str) -> pd.DataFrame:
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


def objects(path: str, encoding: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, JSON object) of each line of a JSONL file.

    Raises:
        InputError: a line that is empty, invalid JSON, or not an object.
    """
    for where, line in numbered_rows(path, encoding):
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{where}, column {error.colno}: every line must be one JSON object, "
                f"but {error.msg}: {line[:40]!r}; correct the line"
            ) from None
        if not isinstance(value, dict):
            raise InputError(
                f"{where}: every line must be one JSON object, "
                f"but this is a {type(value).__name__}; write it as {{…}}"
            )
        yield where, value
