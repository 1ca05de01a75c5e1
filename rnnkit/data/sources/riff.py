"""How much sound the header of a WAV file tells of, and how much there is. Of any encoding."""

import struct
from pathlib import Path
from typing import NamedTuple


class Sound(NamedTuple):
    """What a header tells, and what is true.

    Args:
        promised: how many units the header tells of.
        there: how many there are.
        unit: samples; blocks, where an encoding packs several samples into one.
    """

    promised: int
    there: int
    unit: str


UNKNOWN = 0xFFFFFFFF


def sound(path: Path) -> Sound | None:
    """Of a RIFF file with sound in it; None: it is of another kind, or does not know how much: one
    that was written to a pipe has the largest size there is, or none.

    Reference: Microsoft and IBM, Multimedia Programming Interface and Data Specifications, 1991.
    """
    whole = path.stat().st_size
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
                if size in (0, UNKNOWN) and whole > begin:
                    return None
                unit = "samples" if channels * bits == 8 * align else "blocks"
                return Sound(size // align, (whole - begin) // align, unit)
            opened.seek(begin + size + size % 2)  # chunks begin at even places
    return None
