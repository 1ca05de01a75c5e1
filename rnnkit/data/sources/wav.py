"""Samples of a WAV file, checked and converted."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from rnnkit.data.sources.opening import existing
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import numpy as np

MAX_SAMPLE = 1e6
"""Samples are nominally in -1 to 1; larger ones overflow float32 energies."""
UNKNOWN_SIZE = 0xFFFFFFFF


def recording(path: str, wanted: int) -> tuple[np.ndarray, int, int]:
    """float32 samples, mixed to one channel and resampled; rate and number of channels of the file.

    Raises:
        InputError: the recording is missing, empty, truncated or not WAV, or has samples that are
            not finite.
    """
    import numpy as np
    import soundfile

    file = existing(path)
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        reason = str(error).split(": ", 1)[-1].rstrip(".").lower()
        raise InputError(
            f"{path}: a WAV file is needed, but {reason}; convert it or leave it out"
        ) from None
    declared, actual, unit = lengths(file) or (0, 0, "")
    if declared > actual:
        raise InputError(
            f"{path}: the recording is cut off: its header says {declared:,} {unit} and there are "
            f"{actual:,}; copy it again or leave it out"
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


def lengths(path: Path) -> tuple[int, int, str] | None:
    """Declared and actual length of the sound in a RIFF file, for any encoding, and the unit:
    samples, or blocks, if the encoding packs several samples.

    None for other files and for an unknown length: files written to a pipe declare the maximum
    size, or 0.

    Reference: Microsoft and IBM, Multimedia Programming Interface and Data Specifications, 1991.
    """
    file_bytes = path.stat().st_size
    with path.open("rb") as opened:
        riff, _, kind = struct.unpack("<4sI4s", opened.read(12).ljust(12))
        if (riff, kind) != (b"RIFF", b"WAVE"):
            return None
        channels = align = bits = 0
        while len(head := opened.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            begin = opened.tell()
            if name == b"fmt ":
                form = opened.read(16)
                if len(form) < 16:
                    return None
                _, channels, _, _, align, bits = struct.unpack("<HHIIHH", form)
            if name == b"data" and align:
                if size in (0, UNKNOWN_SIZE) and file_bytes > begin:
                    return None
                unit = "samples" if channels * bits == 8 * align else "blocks"
                return size // align, (file_bytes - begin) // align, unit
            opened.seek(begin + size + size % 2)  # chunks start at even offsets
    return None
