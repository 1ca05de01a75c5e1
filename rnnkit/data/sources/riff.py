"""The header of a WAV file: the codec of its sound, and its declared and present length."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_SIZE = 0xFFFFFFFF
UNKNOWN_SIZES = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, MAX_SIZE)
"""Of the sound or the whole file, where a program cannot go back and write it: SoX and eSpeak, its
own 32 bits, arecord, ffmpeg."""
EXTENSIBLE, EXTENSIBLE_BYTES = 0xFFFE, 40
CODECS: Mapping[int, str] = {
    0x01: "PCM",
    0x02: "Microsoft ADPCM",
    0x03: "floats",
    0x06: "A-law",
    0x07: "mu-law",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
    0x38: "NMS ADPCM",
    0x40: "G.721 ADPCM",
    0x50: "MPEG layer 1 or 2",
    0x55: "MP3",
}
"""Format tags that are read."""
MPEG = (0x50, 0x55)
UNREAD: Mapping[int, str] = {
    0x22: "TrueSpeech",
    0x42: "G.723.1",
    0x45: "G.726",
    0x83: "G.729",
    0xFF: "AAC",
    0x160: "WMA 1",
    0x161: "WMA 2",
    0x162: "WMA Pro",
    0x28F: "G.722",
    0x2000: "AC-3",
    0x2001: "DTS",
    0x704F: "Opus",
    0xA109: "Speex",
    0xF1AC: "FLAC",
}
"""Names of format tags that are not, for the message."""


@dataclass(frozen=True)
class Header:
    """What the header of a RIFF WAVE file says of its sound.

    Args:
        codec: the format tag; of the extensible format, that of its sub-format.
        unit: bytes of a block: of one sample of each channel, or of several, if packed.
        packed: whether a block packs several samples.
        begin: where the sound begins, in bytes.
        declared: bytes of the sound; None: unknown, as where the file was written to a pipe.
        present: bytes from there to the end of the file.
        rate: samples per second.
    """

    codec: int
    unit: int
    packed: bool
    begin: int
    declared: int | None
    present: int
    rate: int

    @property
    def format(self) -> str:
        name = CODECS.get(self.codec) or UNREAD.get(self.codec)
        return f"{name or 'an unknown codec'} (format 0x{self.codec:04x})"

    def lengths(self) -> tuple[int, int, str] | None:
        """Declared and present length, and its unit; None for an unknown length."""
        if self.declared is None:
            return None
        name = "blocks" if self.packed else "samples"
        return self.declared // self.unit, self.present // self.unit, name


def header_of(path: Path) -> Header | None:
    """The header of a RIFF WAVE file, in any encoding; None for other files.

    Reference: Microsoft and IBM, Multimedia Programming Interface and Data Specifications, 1991.
    """
    file_bytes = path.stat().st_size
    with path.open("rb") as opened:
        riff, riff_bytes, kind = struct.unpack("<4sI4s", opened.read(12).ljust(12))
        if (riff, kind) != (b"RIFF", b"WAVE"):
            return None
        codec, channels, rate, align, bits = None, 0, 0, 0, 0
        while len(head := opened.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            begin = opened.tell()
            if name == b"fmt ":
                form = opened.read(min(size, EXTENSIBLE_BYTES))
                if len(form) < 16:
                    return None
                codec, channels, rate, _, align, bits = struct.unpack("<HHIIHH", form[:16])
                if codec == EXTENSIBLE and len(form) == EXTENSIBLE_BYTES:
                    (codec,) = struct.unpack("<H", form[24:26])
            if name == b"data" and codec is not None:
                present = file_bytes - begin
                near = any(abs(size - unknown) <= begin for unknown in UNKNOWN_SIZES)
                unknown = (near and size > present) or (size == 0 and riff_bytes + 8 <= begin)
                packed = channels * bits != 8 * align
                declared = None if unknown else size
                return Header(codec, max(align, 1), packed, begin, declared, present, rate)
            opened.seek(begin + size + size % 2)  # chunks start at even offsets
    return None
