"""Plain texts, and texts with labels from CSV, TSV, JSONL, Parquet or lines of `label text`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.tabular import TableFile, format_of, refuse_blank, refuse_layout
from rnnkit.data.sources.text_items import paragraphs, text_column
from rnnkit.errors import InputError
from rnnkit.params.delimited import LAYOUT
from rnnkit.params.source import LabelledText, Pairs, Text
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd


FASTTEXT = "__label__"
"""Prefix of a label in fastText's format."""
ONE_TEXT = {
    "line": "one line; write one item per line, or give files",
    "paragraph": "one paragraph, because no blank line ends one; write `unit: line`, or add some",
    "file": "one item with `unit: file`; write `unit: line` or `paragraph`, or give files",
}
"""Why a text has only one item, and what to do, by unit."""


def read_text(params: Text) -> pd.DataFrame:
    """The column text; blank items are skipped, and a note says how many lines."""
    import pandas as pd

    items: Iterable[str] = opening.rows_of(params.path, params.encoding)
    if params.unit == "paragraph":
        items = paragraphs(items)
    elif params.unit == "file":
        items = ["\n".join(items)]
    blank = 0

    def filled() -> Iterator[str]:
        nonlocal blank
        for item in items:
            if item.strip():
                yield item
            else:
                blank += 1

    texts = text_column(filled())
    if texts.empty:
        raise InputError(f"{params.path}: the file holds nothing but white space; name another")
    frame = pd.DataFrame({"text": texts})
    if len(texts) == 1:
        frame.attrs["single"] = f"{params.path} is {ONE_TEXT[params.unit]}"
    frame.attrs["notes"] = _blank_lines(blank if params.unit == "line" else 0)
    return frame


def _blank_lines(count: int) -> list[str]:
    return [f"{count:,} blank lines were left out"] if count else []


def labelled_text_sha256(params: LabelledText) -> str:
    """SHA-256 of the file, or of the files of all labels."""
    if _format(params) != "label_files":
        return opening.fingerprint(params.path)
    return sha256_json([opening.fingerprint(path) for _, path in opening.alternatives(params.path)])


def read_labelled_text(params: LabelledText, split: str | None) -> pd.DataFrame:
    """Columns text, label, and optional group and part."""
    import pandas as pd

    format = _format(params)
    if format in ("label_text", "label_files"):
        refuse_columns_of_lines(params, split)
        refuse_layout(params, format, (*LAYOUT, "missing"))
        lines, blank = _label_files(params) if format == "label_files" else _label_lines(params)
        frame = pd.DataFrame(lines, columns=["text", "label"])
        frame.attrs["notes"] = _blank_lines(blank)
        return frame
    file = TableFile(params, "label_text")
    columns = file.chosen(split, "text", "label", "group")
    refuse_blank(columns["text"], file.at)
    refuse_blank(columns["label"], file.at, numbers=True)
    frame = pd.DataFrame(columns).astype({"label": str})
    frame["label"] = file.in_points(frame["label"])
    frame.attrs["notes"] = file.notes
    return frame


def refuse_columns_of_lines(params: LabelledText | Pairs, split: str | None) -> None:
    """Raise InputError if lines, which have no columns, are split or grouped by one."""
    for key, name in (("group", params.group), ("split.name", split)):
        if name is not None:
            raise InputError(
                f"{params.path}: lines have no column {name!r}, which `{key}` asks for; use CSV, "
                "TSV, JSONL or Parquet"
            )


def _format(params: LabelledText) -> str:
    """Format of the path; a path with braces names one file per label."""
    if params.format == "auto" and len(opening.alternatives(params.path)) > 1:
        return "label_files"
    return format_of(params.path, params.format, "label_text")


def _label_lines(params: LabelledText) -> tuple[list[tuple[str, str]], int]:
    """(text, label) of each line, split at its first space only; U+00A0 stays in the text."""
    rows = []
    for where, line in opening.numbered_rows(params.path, params.encoding):
        label, _, text = line.partition(" ")
        _refuse_other_formats(where, line, label, text)
        if "\t" in label.strip():
            raise InputError(
                f"{where}: a line must be `label text` with one space between, but here is a tab: "
                f"{line[:40]!r}; a table of tabs needs `format: tsv` in data.source, and where no "
                "line names the columns `header: false, label: 1, text: 2`"
            )
        if not (label.strip() and text.strip()):
            raise InputError(
                f"{where}: a line must be `label text` with one space between, "
                f"but it is {line[:40]!r}; correct it or set `format`"
            )
        rows.append((text, label))
    return rows, 0


def _refuse_other_formats(where: str, line: str, label: str, text: str) -> None:
    """Raise InputError for a line of JSON, or of several labels with fastText's prefix."""
    if label.startswith(('{"', '[{"')):
        raise InputError(
            f"{where}: a line must be `label text`, but this one is JSON: {line[:40]!r}; set "
            "`data.source.format: jsonl`, with one object in a line"
        )
    labels = [word for word in text.split() if word.startswith(FASTTEXT)]
    if labels and label.startswith(FASTTEXT):
        raise InputError(
            f"{where}: a text has one label, but it has {len(labels) + 1}: {label!r} and "
            f"{', '.join(map(repr, labels[:3]))}; keep one of them"
        )
    if labels:
        raise InputError(
            f"{where}: the label stands first in a line, but {labels[0]!r} stands behind "
            f"{label[:40]!r}; write it first"
        )


def _label_files(params: LabelledText) -> tuple[list[tuple[str, str]], int]:
    """(stripped text, label from the braces) of each line, and the number of blank lines."""
    files = opening.alternatives(params.path)
    if len(files) < 2:
        raise InputError(
            f"{params.path}: with format: label_files the path must hold the labels in braces, as "
            "in `names/{female,male}.txt`"
        )
    lines = [
        (line.strip(), label)
        for label, named in files
        for file in opening.files_of(named)
        for line in opening.read_rows(file, params.encoding)
    ]
    texts = [line for line in lines if line[0]]
    return texts, len(lines) - len(texts)
