"""Recordings from WAV files, with transcripts from a table or from the file names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.public_files import hashed_local_path
from rnnkit.data.sources.tabular import TableFile, column, refuse_blank
from rnnkit.data.sources.wav import recording
from rnnkit.errors import InputError
from rnnkit.params.source import FIELD, Audio
from rnnkit.runtime.disk import user_path
from rnnkit.runtime.files import sha256_named

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: Audio) -> str:
    """SHA-256 of the names and bytes of all files, including those named in a table."""
    listed = _listed(params, None)
    table = [] if params.names is not None else [(params.path, opening.fingerprint(params.path))]
    hashes = ((name, opening.fingerprint(name)) for name in sorted(set(listed["file"])))
    return sha256_named((hashed_local_path(name), sha.encode()) for name, sha in [*table, *hashes])


def read(params: Audio, split: str | None) -> pd.DataFrame:
    """Columns samples (float32 [samples], -1 to 1, at `rate`), text, name (of the file; in a table:
    its path), and optional group and part. `attrs` has `rate` and `notes` on changes."""
    import pandas as pd

    listed = _listed(params, split)
    recordings = [recording(file, params.rate) for file in listed["file"]]
    samples = pd.Series([samples for samples, _, _ in recordings], dtype=object)
    frame = pd.DataFrame({"samples": samples, "text": listed["text"]})
    in_table = params.names is None  # in any folder
    folder = user_path(params.path)
    frame["name"] = [
        file if in_table else Path(file).relative_to(folder).as_posix() for file in listed["file"]
    ]
    frame = frame.assign(**{name: listed[name] for name in ("group", "part") if name in listed})
    notes = list(listed.attrs["notes"])
    if mixed := sum(channels > 1 for _, _, channels in recordings):
        notes.append(f"the channels of {mixed:,} recordings were mixed to one")
    for rate, count in sorted(Counter(rate for _, rate, _ in recordings).items()):
        if rate != params.rate:
            notes.append(f"{count:,} recordings were resampled from {rate:,} to {params.rate:,} Hz")
    frame.attrs = {"rate": params.rate, "notes": notes}
    return frame


def _listed(params: Audio, split: str | None) -> pd.DataFrame:
    """Columns file, text, and optional group and part; `attrs["notes"]` of the table."""
    import pandas as pd

    if params.names is not None:
        columns, at = _named(params, split)
        notes = []
    else:
        file = _table(params)
        notes = file.notes
        columns, at = file.chosen(split, "audio", "text", "group"), file.at
        columns["file"] = _recordings(columns.pop("audio"), file)
    rule = f"every recording needs its transcript as text, but column {params.text!r}"
    refuse_blank(columns["text"], at, rule)
    listed = pd.DataFrame(columns)
    listed.attrs["notes"] = notes
    return listed


def _table(params: Audio) -> TableFile:
    path = params.path
    if user_path(path).is_dir():
        raise InputError(
            f"{path}: is a folder, and the transcripts of its recordings must be in their names; "
            'say how in data.source.names, as in "{text}_{take}.wav"'
        )
    if path.lower().endswith(".wav"):
        raise InputError(
            f"{path}: is one recording, and a table of recordings is needed, or a folder of them "
            "with data.source.names; name one"
        )
    return TableFile(params, "csv")


def _recordings(names: pd.Series, table: TableFile) -> pd.Series:
    """Paths, from the table's folder."""
    rule = f"every row needs the path of its recording, but column {names.name!r}"
    refuse_blank(names, table.at, rule)
    files = names.map(lambda name: str(Path(table.path).parent / name))
    for row, file in enumerate(files):
        try:
            exists = user_path(file).exists()
        except InputError as error:
            raise InputError(f"{table.at(row)}: {error}") from None
        if not exists:
            raise InputError(
                f"{table.at(row)}: there is no recording {file}; paths in a table "
                "begin where the table lies"
            )
    return files


def _named(params: Audio, part: str | None) -> tuple[dict[str, pd.Series], Callable[[int], str]]:
    """Columns from the file names in a folder, sorted by name, and the place of a row."""
    import pandas as pd

    assert params.names is not None
    folder = user_path(params.path)
    if not folder.is_dir():
        raise InputError(
            f"{params.path}: a folder of .wav files is needed, but there is none; give its path "
            "from the folder where the command is started, or leave data.source.names out"
        )
    below = "/" in params.names
    inside = folder.glob("*/" * params.names.count("/") + "*")
    files = sorted(file for file in inside if file.suffix.lower() == ".wav")
    if not files:
        where = f"{params.names.count('/')} folders below this one" if below else "in this folder"
        raise InputError(f"{params.path}: there is no .wav file {where}; name another one")
    pieces = FIELD.split(params.names)
    pattern = re.compile(
        "".join(
            f"(?P<{piece}>[^/]+?)" if number % 2 else re.escape(piece)
            for number, piece in enumerate(pieces)
        )
    )
    rows = []
    for file in files:
        match = pattern.fullmatch(file.relative_to(folder).as_posix())
        if match is None:
            raise InputError(
                f"{file}: the name must be like {params.names!r}; rename it, leave it out, or "
                "correct data.source.names"
            )
        rows.append(match.groupdict())
    fields, paths = pd.DataFrame(rows), [str(file) for file in files]
    columns = {
        field: column(fields, params.path, name, key)
        for field, name, key in (
            ("text", params.text, "data.source.text"),
            ("group", params.group, "data.source.group"),
            ("part", part, "data.split.name"),
        )
        if name is not None
    }
    return {"file": pd.Series(paths), **columns}, paths.__getitem__
