"""Word vectors from files: GloVe's text, word2vec's text and binary form; plain, .gz or .zip.

Reads files of gigabytes: only requested words are kept in memory.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from rnnkit.data.sources.opening import existing
from rnnkit.data.sources.public_files import located
from rnnkit.errors import InputError


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
    number of rows. Words that are not UTF-8 are read as Latin-1.

    Raises:
        InputError: a missing or truncated file, a row of another width, an invalid number.
    """
    try:
        with _opened(path) as file:
            first = file.readline()
            fields = first.split()
            header = len(fields) == 2 and all(field.isdigit() for field in fields)
            claimed = int(fields[0]) if header else None
            width = int(fields[1]) if header else len(fields) - 1
            if width < 1:
                raise InputError(f"{path}, line 1: a word and its numbers are needed; name another")
            binary = header and not _is_text(file.readline(), width)
            file.seek(len(first) if header else 0)
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
                    vectors[word] = np.array(numbers, dtype=np.float32)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        reason = str(error).rstrip(".")
        raise InputError(
            f"{path}: the file must unpack whole, but {reason}; copy it again"
        ) from None
    notes = []
    if claimed is not None and claimed != rows:
        notes.append(f"{path}: its header says {claimed:,} rows, and it has {rows:,}")
    if latin:
        notes.append(f"{path}: {latin:,} words are no UTF-8 and were read as Latin-1")
    return WordVectors(vectors, width, rows, tuple(notes))


def _opened(path: str) -> IO[bytes]:
    file = existing(located(path))
    if file.suffix == ".gz":
        return io.BufferedReader(gzip.open(file))
    if file.suffix == ".zip":
        archive = zipfile.ZipFile(file)
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise InputError(
                f"{path}: an archive must hold one file, but it holds {len(names)} "
                f"({', '.join(names[:4])}); unpack it and name the one you want"
            )
        return archive.open(names[0])
    return file.open("rb")


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


def _text(
    path: str, lines: IO[bytes], width: int, first: int
) -> Iterator[tuple[bytes, list[float]]]:
    for number, line in enumerate(lines, start=first):
        fields = line.rstrip().rsplit(b" ", width)  # a word may contain spaces
        if fields == [b""]:
            continue
        numbers = _numbers(fields[1:])
        if len(fields) != width + 1 or numbers is None:
            raise InputError(
                f"{path}, line {number}: a word and {width} numbers are needed, but it is "
                f"{line[:40].decode('utf-8', 'replace')!r}; correct it or name another file"
            )
        yield fields[0], numbers


def _binary(
    path: str, file: IO[bytes], rows: int, width: int
) -> Iterator[tuple[bytes, np.ndarray]]:
    for row in range(rows):
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b""):
            word += byte
        numbers = file.read(4 * width)
        if not byte and not word.strip():
            return
        if len(numbers) < 4 * width:
            raise InputError(f"{path}: the file is cut short in row {row + 1}; copy it again")
        yield bytes(word.lstrip(b"\n")), np.frombuffer(numbers, dtype="<f4")
