"""Declared and actual length of the sound in a WAV file, for any encoding."""

import struct
from pathlib import Path
from typing import NamedTuple


class Sound(NamedTuple):
    """Declared and actual length.

    Args:
        promised: units declared in the header.
        there: units in the file.
        unit: samples; blocks, if the encoding packs several samples.
    """

    promised: int
    there: int
    unit: str


UNKNOWN_SIZE = 0xFFFFFFFF


def sound(path: Path) -> Sound | None:
    """Lengths of a RIFF file; None for other files and for an unknown length: files written to a
    pipe declare the maximum size, or 0.

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
                return Sound(size // align, (file_bytes - begin) // align, unit)
            opened.seek(begin + size + size % 2)  # chunks start at even offsets
    return None
