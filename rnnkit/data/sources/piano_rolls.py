"""Music as JSON: pieces, made of frames of simultaneous notes; optionally split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import opening
from rnnkit.data.sources.jsonl import json_value
from rnnkit.errors import InputError
from rnnkit.params.source import PianoRolls

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "valid", "test")


def read(params: PianoRolls, part: str | None) -> pd.DataFrame:
    """The column frames, lists of lists of MIDI numbers, and part if the file has splits (`part` is
    not None)."""
    import pandas as pd

    path = params.path
    text = opening.read_text(path, params.encoding)
    content = json_value(text, path, "the file must be JSON", lines=True)
    if isinstance(content, dict) != (part is not None):
        has, fix = "pieces in one list", "`split: {kind: fractions}` or `{kind: files}`"
        if isinstance(content, dict):
            has, fix = f"splits ({', '.join(content)})", "`split: {kind: given}`"
        raise InputError(f"{path}: the file has {has}; write {fix}")
    if isinstance(content, dict) and set(content) != set(SPLITS):
        raise InputError(
            f"{path}: the splits must be train, valid and test, but they are "
            f"{', '.join(content) or 'none'}; rename them"
        )
    parts = {name: content[name] for name in SPLITS} if isinstance(content, dict) else {"": content}
    rows: list[tuple[Any, str]] = []
    for name, members in parts.items():
        if not isinstance(members, list):
            raise InputError(f"{path}: pieces must be a list, but they are {str(members)[:40]}")
        for number, piece in enumerate(members, start=1):
            _check(f"{path}, {name} piece {number}".replace(",  ", ", "), piece, params)
            rows.append((piece, name))
    if not rows:
        raise InputError(f"{path}: the file holds no piece; name another")
    frame = pd.DataFrame(rows, columns=["frames", "part"])
    return frame.drop(columns="part") if part is None else frame


def _check(where: str, piece: Any, params: PianoRolls) -> None:
    """Raise InputError for an invalid piece."""
    if not isinstance(piece, list) or len(piece) < 2:
        raise InputError(
            f"{where}: a piece must be a list of at least two frames, but it is "
            f"{str(piece)[:40]}; correct it or leave it out"
        )
    for number, notes in enumerate(piece, start=1):
        whole = isinstance(notes, list) and all(type(note) is int for note in notes)
        if not whole or not all(params.lowest <= note <= params.highest for note in notes):
            raise InputError(
                f"{where}, frame {number}: notes must be a list of whole numbers from "
                f"{params.lowest} to {params.highest}, but it is {str(notes)[:40]}; "
                "correct it, or set data.source.lowest and highest"
            )
