"""Texts with labels, from CSV, TSV, JSONL, Parquet or lines of `label text`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.tabular import TableFile, format_of, shown
from rnnkit.errors import InputError
from rnnkit.params.source import LabelledText
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: LabelledText) -> str:
    """SHA-256 of the file, or of the files of all labels."""
    if _format(params) != "label_files":
        return opening.fingerprint(params.path)
    return sha256_json([opening.fingerprint(path) for _, path in opening.alternatives(params.path)])


def read(params: LabelledText, part: str | None) -> pd.DataFrame:
    """Columns text, label, and optional group and part.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid file, a missing column, a non-text value, an empty text or label.
    """
    import pandas as pd

    path, format = params.path, _format(params)
    if format in ("label_text", "label_files"):
        for key, name in (("group", params.group), ("split.name", part)):
            if name is not None:
                raise InputError(
                    f"{path}: lines have no column {name!r}, which `{key}` asks for; use CSV, "
                    "TSV, JSONL or Parquet"
                )
        if format == "label_files":
            return _label_files(path, params.encoding)
        return _label_text(path, params.encoding)
    file = TableFile(path, format, params.encoding)
    raw = file.read()
    chosen = {"text": file.column(raw, params.text, "data.source.text")}
    chosen["label"] = file.column(raw, params.label, "data.source.label")
    if params.group is not None:
        chosen["group"] = file.column(raw, params.group, "data.source.group")
    if part is not None:
        chosen["part"] = file.column(raw, part, "data.split.name")
    for series in (chosen["text"], chosen["label"]):
        _refuse_blank(series, file, numbers=series is chosen["label"])
    return pd.DataFrame(chosen).astype({"label": str})


def _format(params: LabelledText) -> str:
    """Format of the path; a path with braces names one file per label."""
    if params.format == "auto" and len(opening.alternatives(params.path)) > 1:
        return "label_files"
    return format_of(params.path, params.format, "label_text")


def _label_text(path: str, encoding: str) -> pd.DataFrame:
    """Split each line at its first space only; U+00A0 stays in the text."""
    import pandas as pd

    labels, texts = [], []
    for number, line in enumerate(opening.read_rows(path, encoding), start=1):
        label, _, text = line.partition(" ")
        if not (label.strip() and text.strip()):
            raise InputError(
                f"{path}, line {number}: a line must be `label text` with one space between, "
                f"but it is {line[:40]!r}; correct it or set `format`"
            )
        labels.append(label)
        texts.append(text)
    return pd.DataFrame({"text": texts, "label": labels})


def _label_files(path: str, encoding: str) -> pd.DataFrame:
    """One stripped text per line, with the labels from the braces."""
    import pandas as pd

    files = opening.alternatives(path)
    if len(files) < 2:
        raise InputError(
            f"{path}: with format: label_files the path must hold the labels in braces, as in "
            "`names/{female,male}.txt`"
        )
    rows = [
        (line.strip(), label)
        for label, file in files
        for line in opening.read_rows(file, encoding)
        if line.strip()
    ]
    return pd.DataFrame(rows, columns=["text", "label"])


def _refuse_blank(texts: pd.Series, file: TableFile, numbers: bool) -> None:
    """Refuse non-text values; labels may be integers or booleans."""
    for row, value in enumerate(texts.tolist()):
        if not ((numbers and isinstance(value, int)) or (isinstance(value, str) and value.strip())):
            raise InputError(
                f"{file.at(row)}: column {texts.name!r} must hold text in every row, "
                f"but it is {shown(value)}; fill it in or leave the row out"
            )
