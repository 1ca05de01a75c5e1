"""Damage to a file: one bit flipped, an end that is missing, zeros, or the whole file lost."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path


def flip(file: Path, chance: random.Random) -> str:
    """Flips one bit; returns which."""
    content = bytearray(file.read_bytes())
    if not content:
        return "it was empty"
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)
    return f"bit {bit} of {8 * len(content)} flipped"


def truncate(file: Path, chance: random.Random) -> str:
    """Cuts the end off; returns where."""
    content = file.read_bytes()
    length = chance.randrange(max(1, len(content)))
    file.write_bytes(content[:length])
    return f"cut at byte {length} of {len(content)}"


def zero(file: Path, chance: random.Random) -> str:
    """Zeros from some place on, as a power cut leaves them; returns where."""
    content = file.read_bytes()
    start = chance.randrange(max(1, len(content)))
    file.write_bytes(content[:start] + bytes(len(content) - start))
    return f"zeros from byte {start} of {len(content)}"


def lose(file: Path, chance: random.Random) -> str:
    """Deletes it."""
    file.unlink()
    return "lost"


KINDS: Mapping[str, Callable[[Path, random.Random], str]] = {
    "flip": flip,
    "truncate": truncate,
    "zero": zero,
    "lose": lose,
}
