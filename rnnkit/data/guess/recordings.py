"""Folders of WAV files: what their names, or the folders they lie in, say of each recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.tables import recording_options
from rnnkit.data.guess.taken import GUESS, NotTaken, Taken
from rnnkit.data.guess.view import View
from rnnkit.data.sources.riff import header_of
from rnnkit.params.source import Audio

BETWEEN = ("_", "-", " ", ".")
"""Signs between the fields of a file's name."""


def take_recordings(path: str, folder: Path, files: Sequence[Path]) -> Taken:
    """What a folder of recordings is taken for.

    Args:
        path: as in the params.
        folder: where it is.
        files: its WAV files, in it or all one folder below it.

    Raises:
        NotTaken: their names do not have one form.
    """
    relative = [PurePosixPath(file.relative_to(folder).as_posix()) for file in files]
    if all(len(name.parts) == 2 for name in relative):
        pattern, fields = "{text}/{take}.wav", [Column("text", [n.parts[0] for n in relative])]
        text, remark = fields[0], f"{GUESS}a folder's name is the label of its recordings"
    elif all(len(name.parts) == 1 for name in relative):
        pattern, text, remark = _pattern([name.stem for name in relative])
    else:
        raise NotTaken(
            f"{path}: its recordings lie in several depths of folders; put them into one folder, "
            "or into one for each label, or write a table of them"
        )
    ending = relative[0].suffix
    keys: dict[str, Any] = {"names": pattern.removesuffix(".wav") + ending}
    default = Audio.model_fields["rate"].get_default()
    header = header_of(files[0])
    if header is not None and 1_000 <= header.rate < default:
        keys["rate"] = header.rate
    view = View(path, {}, {}, (text,), len(files))
    source = {"kind": "audio", "path": path, **keys}
    options = [
        type(option)(
            option.task,
            option.data,
            option.size,
            option.about,
            {**option.remarks, "data.source.names": remark},
        )
        for option in recording_options(view, source, text)
    ]
    return Taken(path, f"a folder of {len(files):,} WAV files", tuple(options))


def _pattern(stems: Sequence[str]) -> tuple[str, Column, str]:
    """Pattern of the names, their texts, and a remark: the first field with few values is the
    text."""
    for sign in BETWEEN:
        rows = [stem.split(sign) for stem in stems]
        if len({len(row) for row in rows}) > 1 or len(rows[0]) < 2 or not all(map(all, rows)):
            continue
        fields = [
            Column(f"field{i + 1}", list(cells)) for i, cells in enumerate(zip(*rows, strict=True))
        ]
        few = [column for column in fields if column.is_category]
        text = next(iter(few), max(fields, key=lambda column: column.letters))
        names = ["{text}" if column is text else f"{{{column.name}}}" for column in fields]
        place = fields.index(text) + 1
        remark = f"{GUESS}field {place} of the names is the text"
        return f"{sign.join(names)}.wav", text, remark
    return "{text}.wav", Column("text", list(stems)), f"{GUESS}the whole name is the text"
