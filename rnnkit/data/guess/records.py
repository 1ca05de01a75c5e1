"""JSON: texts, pairs, recordings and tagged tokens with an object in each line, and piano rolls."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from rnnkit.data.guess import roles
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.tables import table_options
from rnnkit.data.guess.taken import GUESS, NotTaken, Option, Taken, counted
from rnnkit.data.guess.view import View
from rnnkit.data.sources import opening
from rnnkit.data.sources.jsonl import json_value, objects
from rnnkit.data.sources.piano_rolls import SPLITS
from rnnkit.data.sources.tabular import format_of
from rnnkit.params.beginning import Size

SEEN_OBJECTS = 5_000
"""First objects of a file that decide what it is."""
NOTES = range(21, 109)
"""Notes of a piano, which the source has by default."""


def from_json(
    path: str,
    sample: str,
    text: str,
    keys: Mapping[str, Any],
    total: int,
    given: Mapping[str, Any] | None,
) -> Taken:
    """A JSON file.

    Args:
        sample: the file that is looked at, where the path names several.
        text: its first characters.
        keys: of `data.source`: the encoding.
        total: number of its lines, or an estimate.
        given: the split that files give.

    Raises:
        InputError: it is not JSON of a form that is read.
    """
    if not text.lstrip().startswith("{"):
        return _pieces(path, sample, keys, given)
    first = text.split("\n", 1)[0]
    if first.strip().endswith("{") or _is_splits(first):
        return _pieces(path, sample, keys, given)
    if format_of(sample, "auto", "") != "jsonl":
        keys = {**keys, "format": "jsonl"}
    encoding = str(keys.get("encoding", "utf-8"))
    rows = [row for _, row in islice(objects(sample, encoding), SEEN_OBJECTS)]
    total = total if len(rows) == SEEN_OBJECTS else len(rows)
    lists = [key for key in rows[0] if all(_is_texts(row.get(key)) for row in rows)]
    if len(lists) > 1:
        return _tokens(path, keys, rows, lists, total, given)
    names = dict.fromkeys(key for row in rows for key in row)
    columns = [Column(name, [_cell(row.get(name)) for row in rows]) for name in names]
    options = table_options(View(path, keys, {}, columns, total, given), is_json=True)
    form = f"JSON lines with the keys {', '.join(names)}"
    if not options:
        raise NotTaken(
            f"{path}: is taken for {form}, of which none are a text and its label, two texts, a "
            "recording and its text, or lists of tokens and tags; write the params by hand"
        )
    return Taken(path, form, tuple(options))


def _cell(value: Any) -> str | None:
    """A value as a text; None for lists and objects, too."""
    if value is None or isinstance(value, list | dict):
        return None
    return value if isinstance(value, str) else str(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(t, str) for t in value)


def _tokens(
    path: str,
    keys: Mapping[str, Any],
    rows: list[dict[str, Any]],
    lists: list[str],
    total: int,
    given: Mapping[str, Any] | None,
) -> Taken:
    """Objects with lists of tokens and tags."""
    columns = [Column(key, [text for row in rows for text in row[key]]) for key in lists]
    tag = roles.named(columns, roles.TAG - roles.TOKEN) or min(columns, key=_distinct)
    token = roles.named([c for c in columns if c is not tag], roles.TOKEN) or max(
        (c for c in columns if c is not tag), key=_distinct
    )
    source = {"kind": "tokens", "path": path, **keys, "tokens": token.name, "tags": tag.name}
    source.pop("format", None)
    view = View(path, keys, {}, columns, total, given)
    count = counted(total, "sentence", total == len(rows))
    option = Option(
        {"kind": "tagging"},
        {"source": source, **view.split()},
        Size(total),
        f"{count} with one of {len(tag.counts)} tags for each token",
        {} if tag.is_named(roles.TAG) else {"data.source.tags": GUESS + "fewer values"},
    )
    return Taken(path, "JSON lines with lists of tokens and tags", (option,))


def _distinct(column: Column) -> int:
    return len(column.counts)


def _is_splits(text: str) -> bool:
    return any(f'"{name}"' in text[:200] for name in SPLITS) and "[[" in text.replace(" ", "")


def _pieces(
    path: str, sample: str, keys: Mapping[str, Any], given: Mapping[str, Any] | None
) -> Taken:
    """Pieces of music in one list, or in an object of three."""
    encoding = str(keys.get("encoding", "utf-8"))
    content = json_value(opening.read_text(sample, encoding), sample, "the file must be JSON", True)
    is_split = isinstance(content, dict) and set(content) == set(SPLITS)
    pieces = [piece for name in SPLITS for piece in content[name]] if is_split else content
    notes = _notes(pieces)
    if notes is None:
        raise NotTaken(
            f"{path}: JSON is read as one object in a line, or as pieces of music, lists of frames "
            "of MIDI notes; write one object in a line, without the brackets and commas between"
        )
    source: dict[str, Any] = {"kind": "piano_rolls", "path": path, **keys}
    if notes and min(notes) < NOTES.start:
        source["lowest"] = min(notes)
    if notes and max(notes) >= NOTES.stop:
        source["highest"] = max(notes)
    split = {"split": {"kind": "given"}} if is_split else {"split": given} if given else {}
    frames = sum(map(len, pieces)) / max(1, len(pieces))
    option = Option(
        {"kind": "music"},
        {"source": source, **split},
        Size(len(pieces), numbers=True),
        f"{counted(len(pieces), 'piece')} of {frames:.0f} frames of notes",
        {"data.split": "as the file has it"} if is_split else {},
    )
    return Taken(path, "piano rolls in JSON", (option,))


def _notes(pieces: Any) -> set[int] | None:
    """The notes of lists of lists of notes; None: it is something else."""
    if not isinstance(pieces, list) or not pieces:
        return None
    notes: set[int] = set()
    for piece in pieces:
        if not isinstance(piece, list):
            return None
        for frame in piece:
            if not isinstance(frame, list) or not all(type(note) is int for note in frame):
                return None
            notes.update(frame)
    return notes if all(0 <= note <= 127 for note in notes) else None
