"""New inputs in files of the form of a run's data: recognised, and read without their targets."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import like, read_file
from rnnkit.data.sources.opening import alternatives
from rnnkit.data.sources.tabular import format_of
from rnnkit.params.data import Split
from rnnkit.params.source import Audio, LabelledText, Pairs, Source
from rnnkit.runtime.disk import user_path

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {"csv": ",", "tsv": "\t"}
TABLES = (*SEPARATORS, "parquet")
OTHERWISE = {"labelled_text": "label_text", "pairs": "tsv"}
"""Kind of source -> the format of its file with an unknown ending; csv for other tables."""
FIELDS = {
    "samples": ("audio",),
    "window": ("time",),
    "tokens": ("token",),
    "frames": ("sequence", "label"),
    "vector": ("targets",),
}
"""Column of a frame -> the source's fields that name a column of the table, where they differ."""


def is_table(path: str) -> bool:
    """Whether a file is a table by its ending."""
    return format_of(path, "auto", "lines") in TABLES


def is_named_as_own(source: Source, path: str) -> bool:
    """Whether a path alone says that it is of the form of the source, the block that reads it."""
    if isinstance(source, Audio) and source.names is not None:
        return user_path(path).is_dir()
    if isinstance(source, LabelledText | Pairs) and len(alternatives(path)) > 1:
        return True
    format = getattr(source, "format", None)
    return format == "parquet" or (format is not None and is_table(path))


def is_own_form(source: Source, rows: Sequence[str], column: str, targets: Sequence[str]) -> bool:
    """Whether lines are those of a file of the source, with targets, and no bare inputs.

    Args:
        source: block that reads the file.
        rows: first lines of the file.
        column: column of a frame with the inputs.
        targets: labels of the run; empty: they are numbers.
    """
    filled = [row for row in rows if row.strip()]
    format = getattr(source, "format", None)
    if format is not None:
        format = format_of(getattr(source, "path", ""), format, OTHERWISE.get(source.kind, "csv"))
    if format in SEPARATORS:
        return _is_header(source, filled, SEPARATORS[format], column)
    has_target = HAS_TARGET.get(source.kind)
    if has_target is None:
        return source.kind == "piano_rolls" and _pieces(rows)
    return 2 * sum(has_target(row, targets) for row in filled) > len(filled)


def _is_header(source: Any, rows: Sequence[str], separator: str, column: str) -> bool:
    """Whether the first line names the column of the inputs; without a header has fields."""
    rows = rows[getattr(source, "skip_rows", 0) :]
    if comment := getattr(source, "comment", None):
        rows = [row for row in rows if not row.startswith(comment)]
    first = next(iter(rows), "").strip("\r")
    if first.lstrip()[:1] in ("[", "{"):  # JSON
        return False
    separator = getattr(source, "separator", None) or separator
    if separator == "whitespace":
        fields = first.split()
    else:
        try:
            fields = next(csv.reader([first], delimiter=separator), [])
        except csv.Error:  # a field that is too long, or a carriage return in it
            return False
    if not getattr(source, "header", True):
        return len(fields) > 1
    names = getattr(source, "columns", None)
    fields_of = (getattr(source, field, None) for field in (column, *FIELDS.get(column, ())))
    names = names or next(filter(None, fields_of), column)
    return any(name in fields for name in ([names] if isinstance(names, str) else names))


def _labelled(line: str, labels: Sequence[str]) -> bool:
    label, *text = re.split(r"[ \t]", line, maxsplit=1)
    plain = label.removeprefix("__label__")
    return bool(text) and (_is_target(label, labels) or _is_target(plain, labels))


def _tagged(line: str, tags: Sequence[str]) -> bool:
    return any(field in tags for field in re.split(r"[ \t]+", line.strip())[1:])


def _is_target(text: str, labels: Sequence[str]) -> bool:
    if labels:
        return text in labels
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text) is not None


def _pieces(rows: Sequence[str]) -> bool:
    """Whether lines are one JSON value: an object of pieces, or a list of lists of frames."""
    try:
        value: Any = json.loads("\n".join(rows))
    except (ValueError, RecursionError):
        return False
    if isinstance(value, dict):
        return "test" in value
    for _ in range(2):
        if not (isinstance(value, list) and value):
            return False
        value = value[0]
    return isinstance(value, list)


def is_json_lines(rows: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether lines are JSON objects that hold an input under one of the keys."""

    def is_object(row: str) -> bool:
        try:
            value = json.loads(row)
        except (ValueError, RecursionError):
            return False
        return isinstance(value, dict) and any(key in value for key in keys)

    filled = [row for row in rows if row.strip()]
    return 2 * sum(map(is_object, filled)) > len(filled)


HAS_TARGET: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "labelled_text": _labelled,
    "conll": _tagged,
    "conllu": lambda line, _: line.count("\t") == 9,
    "pronunciations": lambda line, _: len(line.split()) > 1,
    "ts": lambda line, _: line.startswith("@") or ":" in line,
}
"""Kind of source whose file has lines -> whether a line is one of it, with its target."""


def read_inputs(
    source: Source, path: str, column: str, columns: tuple[str, ...] | None, split: Split
) -> pd.DataFrame:
    """Read a file like a run's source; a table needs no column of targets.

    Args:
        column: column of a frame with the inputs.
        columns: feature columns of the run.

    Raises:
        InputError: as in `read_file`.
    """
    without = _without_targets(like(source, path, columns), column, columns)
    return read_file(without, path, columns, split)


def _without_targets(source: Any, column: str, columns: tuple[str, ...] | None) -> Source:
    """The source with the column of its inputs in place of its targets' and its groups'."""
    instead: dict[str, Any] = {}
    if source.kind == "labelled_text":
        field, target = ("label", "text") if column == "label" else ("text", "label")
        instead = {target: getattr(source, field)}
    elif source.kind == "pairs":
        instead = {"target": source.source}
    elif source.kind == "audio" and source.names is None:
        instead = {"text": source.audio}
    elif source.kind == "token_table":
        instead = {"tag": source.token}
    elif source.kind == "vectors" and columns:
        instead = {"targets": columns[:1]}
    elif source.kind == "frames" and columns:
        instead = {"label": columns[0], "labels": "per_frame"}
    if "group" in type(source).model_fields:
        instead["group"] = None
    changed: Source = source.model_copy(update=instead)
    return changed
