"""Word vectors from files: GloVe's text, word2vec's text and binary form; plain, .gz, or in a .zip.

Reads files of gigabytes: only requested words are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from typing import IO

import numpy as np

from rnnkit.data.sources.limits import MAX_COLUMNS, MAX_LINE, refuse_long_line
from rnnkit.data.sources.opening import archived, existing
from rnnkit.data.sources.public_files import located
from rnnkit.data.sources.unpacking import members, open_bytes
from rnnkit.errors import InputError

BOM = b"\xef\xbb\xbf"  # a byte-order mark in UTF-8
RESOURCES = "__MACOSX/"  # where macOS puts its own files into a .zip
MAX_WORD_BYTES = 10_000
"""Size of a word of the binary form."""
COUNT = re.compile(rb"\d{1,18}")
"""A number of the header."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of the requested words.

    Args:
        vectors: word -> [width] float32.
        width: size of a vector.
        rows: words in the file.
        notes: irregularities of the file, one sentence each.
    """

    vectors: dict[str, np.ndarray]
    width: int
    rows: int
    notes: tuple[str, ...]


def read_vectors(path: str, wanted: Collection[str]) -> WordVectors:
    """Read the vectors of the requested words; of duplicates, the first.

    A first line of two whole numbers is word2vec's header: rows and width. A note reports a wrong
    number of rows. Words that are not UTF-8 are read as Latin-1. A byte-order mark is skipped.

    Raises:
        InputError: a missing or truncated file, a row of another width, an invalid number, or one
            that float32 cannot hold.
    """
    with _opened(path) as file:
        first = _line(path, file, 1)
        fields = first.removeprefix(BOM).split()
        header = len(fields) == 2 and all(map(COUNT.fullmatch, fields))
        claimed = int(fields[0]) if header else None
        width = int(fields[1]) if header else len(fields) - 1
        if not 1 <= width <= MAX_COLUMNS:
            raise InputError(
                f"{path}, line 1: a word and its numbers are needed, {MAX_COLUMNS:,} at most, but "
                f"there are {max(width, 0):,}; name another file"
            )
        binary = header and not _is_text(file.readline(MAX_LINE), width)
    with _opened(path) as file:
        if header:
            file.readline()
        elif first.startswith(BOM):
            file.read(len(BOM))
        entries = (
            _binary(path, file, claimed or 0, width)
            if binary
            else _text(path, file, width, 1 + header)
        )
        wanted = set(wanted)
        vectors: dict[str, np.ndarray] = {}
        rows = latin = 0
        for raw, numbers in entries:
            rows += 1
            try:
                word = raw.decode("utf-8")
            except UnicodeDecodeError:
                word, latin = raw.decode("latin-1"), latin + 1
            if word in wanted and word not in vectors:
                vectors[word] = numbers
    notes = []
    if claimed is not None and claimed != rows:
        notes.append(f"{path}: its header says {claimed:,} rows, and it has {rows:,}")
    if latin:
        notes.append(f"{path}: {latin:,} words are no UTF-8 and were read as Latin-1")
    return WordVectors(vectors, width, rows, tuple(notes))


def _opened(path: str) -> IO[bytes]:
    archive, member = archived(located(path))
    file = existing(archive)
    if file.suffix != ".zip":
        return open_bytes(file)
    names = [name for name in members(file) if not name.startswith(RESOURCES)]
    if member in names or (len(names) == 1 and not member):
        return open_bytes(file, member or names[0])
    rule = f"there is no file {member!r} in it" if member else "it must hold one file"
    raise InputError(
        f"{archive}: {rule}, but it holds {len(names)} ({', '.join(names[:4])}); write the one you "
        f"want behind the archive, as {archive}/{names[0] if names else 'vectors.txt'}"
    )


def _line(path: str, file: IO[bytes], number: int) -> bytes:
    """The next line; empty at the end of the file."""
    line = file.readline(MAX_LINE + 1)
    refuse_long_line(f"{path}, line {number}", len(line))
    return line


def _is_text(line: bytes, width: int) -> bool:
    """Whether a line has a word, which may contain spaces, and its numbers."""
    fields = line.split()
    words = len(fields) - width
    complete = words == 1 or (words > 1 and line.endswith(b"\n"))
    return complete and _numbers(fields[-width:]) is not None


def _numbers(fields: list[bytes]) -> list[float] | None:
    try:
        return [float(field) for field in fields]
    except ValueError:
        return None


def _text(path: str, file: IO[bytes], width: int, first: int) -> Iterator[tuple[bytes, np.ndarray]]:
    for number in count(first):
        line = _line(path, file, number)
        if not line:
            return
        if not line.strip():
            continue
        fields = line.rsplit(None, width)  # a word may contain spaces
        if len(fields) == width and line[:1].isspace():  # or be one
            fields = [b"", *fields]
        numbers = _numbers(fields[1:])
        if len(fields) != width + 1 or numbers is None:
            raise InputError(
                f"{path}, line {number}: a word and {width} numbers are needed, but it is "
                f"{line[:40].decode('utf-8', 'replace')!r}; correct it or name another file"
            )
        yield fields[0], _finite(np.array(numbers), f"{path}, line {number}")


def _finite(numbers: np.ndarray, where: str) -> np.ndarray:
    """As float32.

    Raises:
        InputError: a number that is not finite as such.
    """
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    if not np.isfinite(single).all():
        bad = numbers[~np.isfinite(single)][0]
        raise InputError(
            f"{where}: must be finite numbers that float32 can hold, but one is {bad:g}; correct "
            "it or leave the row out"
        )
    return single


def _binary(
    path: str, file: IO[bytes], rows: int, width: int
) -> Iterator[tuple[bytes, np.ndarray]]:
    for row in range(rows):
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b""):
            word += byte
            if len(word) > MAX_WORD_BYTES:
                raise InputError(
                    f"{path}, row {row + 1}: a word may have {MAX_WORD_BYTES:,} bytes at most, but "
                    "this one has more; copy the file again or name another"
                )
        numbers = file.read(4 * width)
        if not byte and not word.strip():
            return
        if len(numbers) < 4 * width:
            raise InputError(f"{path}: the file is cut short in row {row + 1}; copy it again")
        values = _finite(np.frombuffer(numbers, dtype="<f4"), f"{path}, row {row + 1}")
        yield bytes(word.lstrip(b"\n")), values
