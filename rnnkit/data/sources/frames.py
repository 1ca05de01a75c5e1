"""Sequences of frames, one row each, with a label per sequence or per frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import opening
from rnnkit.data.sources.table import as_numbers, as_times, refuse_gaps
from rnnkit.data.sources.tabular import TableFile, format_of
from rnnkit.errors import InputError
from rnnkit.params.source import Frames

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Frames) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Frames, part: str | None) -> pd.DataFrame:
    """One row per sequence, in order of their first frames.

    Columns: frames (float64 [steps, features]); label, or tags (a list of str) for labels per
    frame, tuples for several label columns; optional group and part; time of a single sequence.
    `attrs["columns"]` names the features, `attrs["targets"]` the label columns.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file, a missing column, a value that is not finite, a missing label,
            an invalid or duplicate time, a sequence with two labels, groups or splits.
    """
    import numpy as np
    import pandas as pd

    path, format = params.path, format_of(params.path, params.format, "csv")
    file = _file(params, format)
    raw = file.read()
    targets = (params.label,) if isinstance(params.label, str) else params.label
    named = {"sequence": params.sequence, "time": params.time, "group": params.group, "part": part}
    columns = {
        field: file.column(raw, name, f"data.source.{field}" if field != "part" else "data.split")
        for field, name in named.items()
        if name is not None
    }
    taken = [*targets, *(name for name in named.values() if name is not None)]
    names = params.columns or tuple(str(n) for n in raw.columns if n not in taken)
    if not names:
        raise InputError(f"{path}: at least one column of features is needed, but there is none")
    values = {name: file.column(raw, name, "data.source.columns") for name in names}
    numbers = {name: as_numbers(series, file) for name, series in values.items()}
    refuse_gaps(numbers, values, file)
    features = np.column_stack([series.to_numpy() for series in numbers.values()])
    labels = _labels([file.column(raw, name, "data.source.label") for name in targets], file)
    rows = pd.DataFrame({"sequence": columns.get("sequence", pd.Series(0, index=raw.index))})
    if "time" in columns:
        rows["time"] = as_times(columns["time"], file)
        _single(rows, file)
        rows = rows.sort_values("time", kind="stable")
    sequences = [
        (name, block.index.to_numpy())
        for name, block in rows.groupby("sequence", sort=False, dropna=False)
    ]
    sequences.sort(key=lambda sequence: int(sequence[1].min()))
    content: dict[str, list[Any]] = {"frames": [features[index] for _, index in sequences]}
    if params.labels == "per_frame":
        content["tags"] = [labels[index].tolist() for _, index in sequences]
    else:
        content["label"] = [_only(labels[i], path, n, "label") for n, i in sequences]
    for field in ("group", "part"):
        if field in columns:
            entries = columns[field].to_numpy(dtype=object)
            content[field] = [_only(entries[i], path, n, field) for n, i in sequences]
    if params.sequence is None and "time" in columns:
        content["time"] = [rows["time"].reset_index(drop=True)]
    frame = pd.DataFrame(content)
    frame.attrs |= {"columns": names, "targets": targets}
    return frame


def _file(params: Frames, format: str) -> TableFile:
    if format == "jsonl":
        raise InputError(
            f"{params.path}: frames must be CSV, TSV or Parquet, but its name says JSONL; "
            "convert it or set `format`"
        )
    if params.row_names and format == "parquet":
        raise InputError(
            f"{params.path}: a Parquet file names its columns, so none is left out of a header; "
            "leave data.source.row_names out"
        )
    return TableFile(params.path, format, params.encoding, row_names=params.row_names)


def _labels(columns: list[pd.Series], file: TableFile) -> Any:
    """[rows] labels as text, or tuples for several columns."""
    import numpy as np

    for series in columns:
        empty = series.isna() | (series.astype(str).str.strip() == "")
        if empty.any():
            row = int(empty.to_numpy().argmax())
            raise InputError(
                f"{file.at(row)}: every frame needs a label, but column "
                f"{series.name!r} is empty in {int(empty.sum())}; fill it in or leave the row out"
            )
    texts = [series.astype(str).to_numpy(dtype=object) for series in columns]
    if len(texts) == 1:
        return texts[0]
    labels = np.empty(len(texts[0]), dtype=object)
    labels[:] = list(zip(*texts, strict=True))
    return labels


def _only(values: Any, path: str, sequence: Any, field: str) -> Any:
    """The value shared by all frames of a sequence."""
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        fix = "set data.source.labels: per_frame" if field == "label" else "correct the rows"
        raise InputError(
            f"{path}: every sequence must have one {field}, but {str(sequence)!r} has "
            f"{len(different)}, {str(different[0])!r} and {str(different[1])!r} among them; {fix}"
        )
    return different[0]


def _single(rows: pd.DataFrame, file: TableFile) -> None:
    duplicates = rows.duplicated(keep="first")
    if duplicates.any():
        row = int(duplicates.to_numpy().argmax())
        raise InputError(
            f"{file.at(row)}: every time may occur once in a sequence, but "
            f"{int(duplicates.sum())} occur again, the first is {rows['time'].iloc[row]}; keep one "
            "of each"
        )
