"""Pairs of texts: two files aligned by line, or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.tabular import TableFile, format_of, shown
from rnnkit.errors import InputError
from rnnkit.params.source import Pairs
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Pairs) -> str:
    """SHA-256 of the file or both files."""
    return sha256_json([opening.fingerprint(path) for path in _files(params)])


def read(params: Pairs, part: str | None) -> pd.DataFrame:
    """Columns source, target, and optional group and part.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file, files of unequal length, a missing column, an empty text.
    """
    import pandas as pd

    files = _files(params)
    if len(files) == 2:
        for key, name in (("group", params.group), ("split.name", part)):
            if name is not None:
                raise InputError(
                    f"{params.path}: lines have no column {name!r}, which `{key}` asks for; use "
                    "CSV, TSV, JSONL or Parquet"
                )
        return _aligned(files[0], files[1], params.encoding)
    path, format = params.path, format_of(params.path, params.format, "tsv")
    if format_of(path, params.format, "lines") == "lines":
        rows = opening.read_rows(path, params.encoding)
        first = next((row for row in rows if row.strip()), None)
        if first is not None and "\t" not in first:
            raise InputError(
                f"{path}: pairs are a table, with tabs between its columns, or two files with a "
                "line for each; name both of these in braces, as in text.{en,de}"
            )
    file = TableFile(path, format, params.encoding, params.header, has_header_key=True)
    raw = file.read()
    chosen = {
        "source": file.column(raw, params.source, "data.source.source"),
        "target": file.column(raw, params.target, "data.source.target"),
    }
    if params.group is not None:
        chosen["group"] = file.column(raw, params.group, "data.source.group")
    if part is not None:
        chosen["part"] = file.column(raw, part, "data.split.name")
    frame = pd.DataFrame(chosen)
    for field in ("source", "target"):
        for row, value in enumerate(frame[field].tolist()):
            if not (isinstance(value, str) and value.strip()):
                name = getattr(params, field)
                raise InputError(
                    f"{file.at(row)}: column {name!r} must hold text "
                    f"in every row, but it is {shown(value)}; fill it in or leave the row out"
                )
    return frame


def _files(params: Pairs) -> list[str]:
    """The table, or the source and target files."""
    files = [path for _, path in opening.alternatives(params.path)]
    if len(files) not in (1, 2):
        raise InputError(
            f"{params.path}: a pair has two sides, so the braces must hold two names, but they "
            f"hold {len(files)}; name the source's and the target's, as in `train.{{de,en}}`"
        )
    return files


def _aligned(source: str, target: str, encoding: str) -> pd.DataFrame:
    import pandas as pd

    sides = [opening.read_rows(path, encoding) for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{source} has {len(sides[0]):,} lines and {target} {len(sides[1]):,}; line by line "
            "they must belong together, so write the missing ones or leave out the rest"
        )
    for path, rows in zip((source, target), sides, strict=True):
        for number, row in enumerate(rows, start=1):
            if not row.strip():
                raise InputError(
                    f"{path}, line {number}: both lines of a pair must hold text, but this one is "
                    "empty; fill it in, or leave the line out of both files"
                )
    return pd.DataFrame({"source": sides[0], "target": sides[1]})
