"""Samples of a WAV file, checked and converted."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.limits import MAX_SAMPLES, SAMPLING_RATES
from rnnkit.data.sources.opening import existing
from rnnkit.data.sources.riff import CODECS, MAX_SIZE, MPEG, Header, header_of
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import numpy as np

MAX_SAMPLE = 1e6
"""Samples are nominally in -1 to 1; larger ones overflow float32 energies."""
TO_PCM = "convert it to PCM (ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav) or leave it out"


def recording(path: str, wanted: int) -> tuple[np.ndarray, int, int]:
    """float32 samples, mixed to one channel and resampled; rate and number of channels of the file.

    Raises:
        InputError: the recording is missing, empty, truncated, not WAV or in an unknown codec, or
            has samples that are not finite.
    """
    import numpy as np
    import soundfile

    file = existing(path)
    header = header_of(file)
    if header is not None and header.codec not in CODECS:
        raise InputError(f"{path}: its codec cannot be read, {header.format}; {TO_PCM}")
    try:
        with soundfile.SoundFile(_readable(file, header)) as opened:
            rate = int(opened.samplerate)
            _refuse_absurd(path, rate, wanted, opened.frames, opened.channels)
            samples = opened.read(dtype="float32", always_2d=True)
    except InputError:
        raise
    except Exception as error:  # libsndfile's, and any for a damaged header
        reason = str(error).split(": ", 1)[-1].rstrip(".").lower()
        raise InputError(
            f"{path}: a WAV file is needed, but {reason}; convert it or leave it out"
        ) from None
    declared, actual, unit = (header.lengths() if header else None) or (0, 0, "")
    if declared > actual:
        raise InputError(
            f"{path}: the recording is cut off: its header says {declared:,} {unit} and there are "
            f"{actual:,}; copy it again or leave it out"
        )
    if not len(samples) and header is not None and header.declared != 0 and header.present:
        raise InputError(
            f"{path}: its {header.present:,} bytes of {header.format} cannot be read; {TO_PCM}"
        )
    if not len(samples):
        raise InputError(f"{path}: the recording is empty; record it again or leave it out")
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{path}: samples must be finite numbers, but {int((~finite).sum()):,} of "
            f"{len(samples):,} are not; record it again or leave it out"
        )
    if (greatest := max(-float(samples.min()), float(samples.max()))) > MAX_SAMPLE:
        raise InputError(
            f"{path}: samples must lie between -1 and 1, but the greatest is {greatest:.3g}; "
            "record it again or leave it out"
        )
    channels = samples.shape[1]
    mixed = samples.mean(axis=1) if channels > 1 else samples[:, 0]
    if rate != wanted:
        import librosa

        mixed = librosa.resample(mixed, orig_sr=rate, target_sr=wanted)
    return mixed, rate, channels


def _refuse_absurd(path: str, rate: int, wanted: int, frames: int, channels: int) -> None:
    """Raise InputError for a header with an impossible rate, or with too many samples to hold.

    Args:
        rate, wanted: sampling rates of the file and of the samples, in Hz.
        frames: samples of each channel.
    """
    low, high = SAMPLING_RATES
    if not low <= rate <= high:
        raise InputError(
            f"{path}: its sampling rate must lie between {low:,} and {high:,} Hz, but its header "
            f"says {rate:,}; record it again or leave it out"
        )
    count = max(frames * channels, frames * wanted // rate)
    if count > MAX_SAMPLES:
        raise InputError(
            f"{path}: a recording may have {MAX_SAMPLES:,} samples at most, but its header says "
            f"{count:,} (at {wanted:,} Hz); cut it or leave it out"
        )


def _readable(path: Path, header: Header | None) -> Any:
    """What libsndfile reads: the file; its MPEG stream alone; its bytes under the right sizes."""
    if header is None or (header.codec not in MPEG and header.declared is not None):
        return path
    content = path.read_bytes()
    if header.codec in MPEG:
        declared = header.present if header.declared is None else header.declared
        return io.BytesIO(content[header.begin :][:declared])
    sizes = (struct.pack("<I", min(size, MAX_SIZE)) for size in (len(content) - 8, header.present))
    riff, data = sizes
    begin = header.begin
    return io.BytesIO(content[:4] + riff + content[8 : begin - 4] + data + content[begin:])
