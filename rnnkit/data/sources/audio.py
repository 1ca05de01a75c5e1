"""Recordings from WAV files, with transcripts from a table or from the file names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import opening, riff
from rnnkit.data.sources.public_files import hashed_place
from rnnkit.data.sources.tabular import TableFile, column, format_of, shown
from rnnkit.errors import InputError
from rnnkit.params.source import FIELD, Audio
from rnnkit.runtime.files import sha256_file, sha256_named

MAX_SAMPLE = 1e6
"""Samples are nominally in -1 to 1; larger ones overflow float32 energies."""

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def fingerprint(params: Audio) -> str:
    """SHA-256 of the names and bytes of all files, including those named in a table."""
    listed = _listed(params, None)
    files = sorted({str(file): Path(file) for file in listed["file"]}.items())
    table = [] if params.names is not None else [(params.path, opening.fingerprint(params.path))]
    hashes = ((name, sha256_file(opening.existing(name))) for name, _ in files)
    return sha256_named((hashed_place(name), sha.encode()) for name, sha in [*table, *hashes])


def read(params: Audio, part: str | None) -> pd.DataFrame:
    """Columns samples (float32 [samples], -1 to 1, at `rate`), text, name (of the file; in a table:
    its path), and optional group and part. `attrs` has `rate` and `notes` on changes.

    Args:
        params: the source's block.
        part: the column that says train, valid or test; None: the data do not say.

    Raises:
        InputError: an invalid table or folder, a name that does not match the pattern, a recording
            that is missing, empty, truncated or not WAV, or samples that are not finite.
    """
    import pandas as pd

    listed = _listed(params, part)
    samples, mixed, resampled = [], 0, dict[int, int]()
    for file in listed["file"]:
        waveform, rate, channels = recording(str(file), params.rate)
        mixed += channels > 1
        if rate != params.rate:
            resampled[rate] = resampled.get(rate, 0) + 1
        samples.append(waveform)
    frame = pd.DataFrame({"samples": pd.Series(samples, dtype=object)})
    frame["text"] = listed["text"].tolist()
    in_table = params.names is None  # in any folder
    frame["name"] = [str(file) if in_table else Path(file).name for file in listed["file"]]
    for name in ("group", "part"):
        if name in listed:
            frame[name] = listed[name].tolist()
    notes = []
    if mixed:
        notes.append(f"the channels of {mixed:,} recordings were mixed to one")
    for rate, count in sorted(resampled.items()):
        notes.append(f"{count:,} recordings were resampled from {rate:,} to {params.rate:,} Hz")
    frame.attrs = {"rate": params.rate, "notes": notes}
    return frame


def recording(path: str, wanted: int) -> tuple[np.ndarray, int, int]:
    """float32 samples, mixed to one channel and resampled; rate and number of channels of the file.

    Raises:
        InputError: the recording is missing, empty, truncated or not WAV, or has samples that are
            not finite.
    """
    import numpy as np
    import soundfile

    file = opening.existing(path)
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        reason = str(error).split(": ", 1)[-1].rstrip(".").lower()
        raise InputError(
            f"{path}: a WAV file is needed, but {reason}; convert it or leave it out"
        ) from None
    sound = riff.sound(file)
    if sound is not None and sound.promised > sound.there:
        raise InputError(
            f"{path}: the recording is cut off: its header says {sound.promised:,} "
            f"{sound.unit} and there are {sound.there:,}; copy it again or leave it out"
        )
    if not len(samples):
        raise InputError(f"{path}: the recording is empty; record it again or leave it out")
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{path}: samples must be finite numbers, but {int((~finite).sum()):,} of "
            f"{len(samples):,} are not; record it again or leave it out"
        )
    if (greatest := float(np.abs(samples).max())) > MAX_SAMPLE:
        raise InputError(
            f"{path}: samples must lie between -1 and 1, but the greatest is {greatest:.3g}; "
            "record it again or leave it out"
        )
    mixed = samples.mean(axis=1)
    if rate != wanted:
        import librosa

        mixed = librosa.resample(mixed, orig_sr=rate, target_sr=wanted)
    return mixed, int(rate), samples.shape[1]


def _listed(params: Audio, part: str | None) -> pd.DataFrame:
    """Columns file, text, and optional group and part."""
    import pandas as pd

    raw, where, files = _named(params) if params.names is not None else _table(params)
    chosen: dict[str, Any] = {
        "file": files,
        "text": column(raw, params.path, params.text, "data.source.text"),
    }
    if params.group is not None:
        chosen["group"] = column(raw, params.path, params.group, "data.source.group")
    if part is not None:
        chosen["part"] = column(raw, params.path, part, "data.split.name")
    for row, text in enumerate(chosen["text"]):
        if not (isinstance(text, str) and text.strip()):
            raise InputError(
                f"{where(row)}: every recording needs what is said in it, as text, but column "
                f"{params.text!r} is {shown(text)}; fill it in or leave the row out"
            )
    return pd.DataFrame(chosen)


def _table(params: Audio) -> tuple[pd.DataFrame, Any, list[str]]:
    path, format = params.path, format_of(params.path, params.format, "csv")
    if Path(path).expanduser().is_dir():
        raise InputError(
            f"{path}: is a folder, and what is said in its recordings must be in their names; say "
            'how in data.source.names, as in "{text}_{take}.wav"'
        )
    if path.lower().endswith(".wav"):
        raise InputError(
            f"{path}: is one recording, and a table of recordings is needed, or a folder of them "
            "with data.source.names; name one"
        )
    table = TableFile(path, format, params.encoding)
    raw = table.read()
    folder = Path(path).parent
    names = table.column(raw, params.audio, "data.source.audio").tolist()
    for row, name in enumerate(names):
        if not (isinstance(name, str) and name.strip()):
            raise InputError(
                f"{table.at(row)}: every row needs the path of its recording, but "
                f"column {params.audio!r} is {shown(name)}; fill it in or leave the row out"
            )
    files = [str(folder / name) for name in names]
    for row, file in enumerate(files):
        if not Path(file).expanduser().exists():
            raise InputError(
                f"{table.at(row)}: there is no recording {file}; paths in a table "
                "begin where the table lies"
            )
    return raw, table.at, files


def _named(params: Audio) -> tuple[pd.DataFrame, Any, list[str]]:
    """Fields of the file names in a folder, sorted by name."""
    import pandas as pd

    assert params.names is not None
    folder = Path(params.path).expanduser()
    if not folder.is_dir():
        raise InputError(
            f"{params.path}: a folder of .wav files is needed, but there is none; give its path "
            "from the folder where the command is started, or leave data.source.names out"
        )
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".wav")
    if not files:
        raise InputError(f"{params.path}: there is no .wav file in this folder; name another one")
    pieces = FIELD.split(params.names)
    pattern = re.compile(
        "".join(
            f"(?P<{piece}>.+?)" if number % 2 else re.escape(piece)
            for number, piece in enumerate(pieces)
        )
    )
    rows = []
    for file in files:
        match = pattern.fullmatch(file.name)
        if match is None:
            raise InputError(
                f"{file}: the name must be like {params.names!r}; rename it, leave it out, or "
                "correct data.source.names"
            )
        rows.append(match.groupdict())
    return pd.DataFrame(rows), lambda row: str(files[row]), [str(file) for file in files]
