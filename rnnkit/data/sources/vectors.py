"""Vectors with targets, one per row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.table import as_numbers, refuse_gaps
from rnnkit.data.sources.tabular import TableFile, format_of
from rnnkit.errors import InputError
from rnnkit.params.source import Vectors

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Vectors) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Vectors, part: str | None) -> pd.DataFrame:
    """Columns vector (float64 [features]), target (a list of str), and optional group and part.
    `attrs` has the names of `columns` and `targets`.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file, a missing column, a feature that is not finite, an empty
            target.
    """
    import numpy as np
    import pandas as pd

    path, format = params.path, format_of(params.path, params.format, "csv")
    if format == "jsonl":
        raise InputError(
            f"{path}: vectors must be CSV, TSV or Parquet, but the name says JSONL; "
            "convert it or set `format`"
        )
    header, comment = params.header, params.comment
    file = TableFile(path, format, params.encoding, header, comment, has_header_key=True)
    raw = file.read()
    targets = {name: file.column(raw, name, "data.source.targets") for name in params.targets}
    for name, series in targets.items():
        empty = (series.isna() | (series.astype(str).str.strip() == "")).to_numpy()
        if empty.any():
            raise InputError(
                f"{file.at(int(empty.argmax()))}: every vector needs "
                f"its target, but column {name!r} is empty in {int(empty.sum())}; fill it in or "
                "leave the row out"
            )
    excluded = {*params.targets, params.group, part}
    names = params.columns or tuple(str(name) for name in raw.columns if name not in excluded)
    if not names:
        raise InputError(f"{path}: at least one column of features is needed, but there is none")
    values = {name: file.column(raw, name, "data.source.columns") for name in names}
    numbers = {name: as_numbers(series, file) for name, series in values.items()}
    refuse_gaps(numbers, values, file)
    features = np.column_stack([series.to_numpy() for series in numbers.values()])
    rows = zip(
        *(series.astype(str).replace(params.rename) for series in targets.values()), strict=True
    )
    frame = pd.DataFrame({"vector": list(features), "target": [list(row) for row in rows]})
    if params.group is not None:
        frame["group"] = file.column(raw, params.group, "data.source.group")
    if part is not None:
        frame["part"] = file.column(raw, part, "data.split.name")
    frame.attrs = {"columns": names, "targets": params.targets}
    return frame
