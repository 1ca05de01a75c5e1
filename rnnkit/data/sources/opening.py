"""Open user files: check existence and decode. Failures are one-line InputErrors."""

import codecs
import glob
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rnnkit.data.sources.limits import (
    MAX_FILE_BYTES,
    MAX_LINE,
    MAX_LINES,
    refuse_lines,
    refuse_long_line,
    refuse_size,
)
from rnnkit.data.sources.unpacking import members, open_bytes, packer, read_blocks
from rnnkit.errors import InputError, UnreadableFile, closest
from rnnkit.runtime.disk import user_path
from rnnkit.runtime.files import sha256_file, sha256_json

BEGINNING = 1024
"""First bytes of a file, which say whether it is text."""
STATELESS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})
"""Encodings in which a line is decoded without those before it, and ends with the byte of LF."""


def alternatives(path: str) -> list[tuple[str, str]]:
    """Expand the braces of a path: (name, path) for each name.

    >>> alternatives("a/train.{de,en}")
    [('de', 'a/train.de'), ('en', 'a/train.en')]
    >>> alternatives("a/b")
    [('', 'a/b')]
    """
    before, opened, rest = path.partition("{")
    names, closed, after = rest.partition("}")
    if not (opened and closed):
        return [("", path)]
    return [(name, f"{before}{name}{after}") for name in names.split(",")]


def files_of(path: str) -> list[str]:
    """Files that a path names, sorted: those in a folder, those that match a `*`, or the path.

    Names that begin with a dot are left out.

    Raises:
        InputError: there is none in the folder, or none matches.
    """
    if "*" in path and not user_path(path).exists():
        pattern = glob.escape(str(user_path(path))).replace("[*]", "*")
        names = [name for name in glob.glob(pattern, recursive=True) if Path(name).is_file()]
        if not names:
            raise UnreadableFile(
                f"{path}: no file has such a name; give the path, with * for any part of a name, "
                "from the folder where the command is started"
            )
        return sorted(names)
    place = user_path(path)
    if not place.is_dir():
        return [path]
    names = [name for name in _files(place) if not name.startswith(".")]
    if not names:
        raise UnreadableFile(f"{path}: there is no file in this folder; name another one")
    return [str(Path(path) / name) for name in names]


def archived(path: str) -> tuple[str, str]:
    """Archive and member of a path inside a .zip; of other paths, the path and ""."""
    place = user_path(path)
    for above in place.parents:
        if above.suffix == ".zip" and above.is_file():
            return str(above), place.relative_to(above).as_posix()
    return path, ""


def existing(path: str) -> Path:
    """Path of a file; InputError if it is missing, a folder, or empty."""
    place = user_path(path)
    if place.is_dir():
        raise UnreadableFile(
            f"{path}: a file is needed, but this is a folder; "
            f"name one of its files ({_some(_files(place)) or 'it holds none'})"
        )
    if not place.exists():
        folder = place.parent
        if not folder.is_dir():
            raise UnreadableFile(
                f"{path}: there is no folder {folder}; "
                "give the file's path from the folder where the command is started"
            )
        raise UnreadableFile(
            f"{path}: there is no such file{closest(place.name, _files(folder))}; "
            "give the file's path from the folder where the command is started"
        )
    if place.stat().st_size == 0:
        raise UnreadableFile(
            f"{path}: the file is empty; write the data again or name another file"
        )
    return place


def _files(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.is_file())


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def fingerprint(path: str) -> str:
    """SHA-256 of the file's bytes on disk; inside a .zip: of the whole archive; of several files
    (`files_of`): of their names and hashes."""
    if (names := files_of(path)) != [path]:
        return sha256_json([[Path(name).name, _fingerprint(name)] for name in names])
    return _fingerprint(path)


def _fingerprint(path: str) -> str:
    file = existing(archived(path)[0])
    try:
        return sha256_file(file)
    except OSError as error:
        raise UnreadableFile(
            f"{path}: cannot be read: {error.strerror}; change its permissions or name another file"
        ) from None


def read_bytes(path: str) -> bytes:
    """Bytes of a file, decompressed if it is .gz or inside a .zip.

    Raises:
        InputError: as in `existing`, or an archive that is damaged or lacks the file.
    """
    return b"".join(_blocks(path))


def _blocks(path: str) -> Iterator[bytes]:
    """The bytes of `read_bytes` in blocks, at least one."""
    archive, member = archived(path)
    empty = True
    for block in read_blocks(_packed(path), member):
        empty = False
        yield block
    if empty:
        what = f"{member} is empty; write it" if member else "the file is empty; write the data"
        raise UnreadableFile(f"{archive}: {what} again or name another file")


def _packed(path: str) -> Path:
    """Path of the file, or of the .zip that holds it; InputError if that lacks it."""
    archive, member = archived(path)
    file = existing(archive)
    if member and member not in (names := members(file)):
        raise UnreadableFile(
            f"{archive}: there is no file {member!r} in it{closest(member, names)}; there "
            f"are {_some(names)}"
        )
    return file


def beginning(path: str, size: int) -> tuple[bytes, bool]:
    """First bytes of a file, at most `size`, unpacked as by `read_bytes`, and whether they are all.

    Raises:
        InputError: as in `read_bytes`.
    """
    with open_bytes(_packed(path), archived(path)[1]) as stream:
        content = stream.read(size + 1)
    return content[:size], len(content) <= size


def read_text(path: str, encoding: str) -> str:
    """Text of a file without byte-order mark, line breaks unchanged.

    Raises:
        InputError: as in `read_bytes`, an unknown encoding, or bytes that do not decode.
    """
    return _decoded(read_bytes(path), encoding, path)


def _decoded(
    content: bytes, encoding: str, name: str, lines: int = 0, beginning: bytes = b""
) -> str:
    """Text of bytes.

    Args:
        name, lines: name of the file and number of lines before the bytes, for the message.
        beginning: first bytes of the file; empty: `content` is its beginning.
    """
    if not lines and (packed := packer(content)):
        raise InputError(
            f"{name}: a text file is needed, and this one is packed by {packed}; unpack it, or "
            "pack it by gzip and name it .gz"
        )
    try:
        text = content.decode(encoding).removeprefix("" if lines else "\ufeff")
        if not text.isascii():
            text.encode()  # unicode_escape and others decode to halves of surrogate pairs
    except UnicodeDecodeError as error:
        beginning = (beginning or content)[:BEGINNING]
        raise _undecodable(content, encoding, name, lines, error, beginning) from None
    except UnicodeError:
        raise InputError(
            f"{name}: is no text in the encoding {encoding!r}; set `encoding` to utf-8, latin-1, "
            "utf-16 or another of Python's codecs"
        ) from None
    except (LookupError, ValueError):
        raise InputError(
            f"{name}: there is no encoding {encoding!r}; use utf-8, latin-1, utf-16 or another "
            "of Python's codecs"
        ) from None
    return text


def _undecodable(
    content: bytes,
    encoding: str,
    name: str,
    lines: int,
    error: UnicodeDecodeError,
    beginning: bytes,
) -> InputError:
    utf16 = beginning[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if b"\0" in beginning and not utf16:
        return InputError(
            f"{name}: a text file is needed, and this one is of another kind; convert it, name "
            "another one, or set `encoding` (as utf-16-le) where it is text"
        )
    line = lines + content.count(b"\n", 0, error.start) + 1
    column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
    fix = "utf-8" if encoding.lower().replace("_", "-") != "utf-8" else "latin-1"
    fix = "utf-16" if utf16 else fix
    return InputError(
        f"{name}, line {line}: the text must be {encoding}, but byte {column} of the line is "
        f"0x{content[error.start]:02x}; save the file as {encoding} or set `encoding: {fix}`"
    )


def read_rows(path: str, encoding: str) -> list[str]:
    """Lines of a file, without line breaks (LF or CR LF; U+2028, form feed and others are none)."""
    return list(rows_of(path, encoding))


def rows_of(path: str, encoding: str) -> Iterator[str]:
    """As `read_rows`; a file in one of `STATELESS` is read in blocks, not as a whole.

    Raises:
        InputError: as in `read_text`, or more than MAX_LINES lines.
    """
    if not _is_stateless(encoding):
        yield from _rows(read_text(path, encoding), path)
        return
    blocks = _line_blocks(path)
    lines, beginning = 0, b""
    for content in blocks:
        text = _decoded(content, encoding, path, lines, beginning)
        beginning = beginning or content[:BEGINNING]
        lines += text.count("\n")
        if lines > MAX_LINES:
            refuse_lines(path, lines + sum(block.count(b"\n") for block in blocks))
        yield from _split(text)


def _is_stateless(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in STATELESS
    except (LookupError, ValueError):  # `read_text` refuses it
        return False


def _line_blocks(path: str) -> Iterator[bytes]:
    """The bytes of a file in blocks that end with a line."""
    pieces: list[bytes] = []
    for block in _blocks(path):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*pieces, block[:end]])
            pieces.clear()
        pieces.append(block[end:])
    if any(pieces):
        yield b"".join(pieces)


def _rows(text: str, name: str) -> list[str]:
    if (count := text.count("\n")) > MAX_LINES:
        refuse_lines(name, count)
    return _split(text)


def _split(text: str) -> list[str]:
    rows = text.replace("\r\n", "\n").split("\n")
    if rows and not rows[-1]:
        rows.pop()
    return rows


def stream_rows(stream: BinaryIO, encoding: str, name: str) -> Iterator[str]:
    """Lines of a stream as `read_rows` gives those of a file, each as soon as it is there.

    Args:
        stream: of bytes. UTF-16 and other encodings whose line break is not one byte are read to
            the end first.
        encoding: of the text.
        name: what messages call it.

    Raises:
        InputError: as in `read_text`, or a line of more than MAX_LINE bytes.
    """
    try:
        by_line = b"\n".decode(encoding) == "\n"
    except (LookupError, ValueError):
        by_line = False
    if not by_line:
        content = stream.read(MAX_FILE_BYTES + 1)
        refuse_size(name, len(content))
        yield from _rows(_decoded(content, encoding, name), name)
        return
    for number, content in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b"")):
        refuse_long_line(f"{name}, line {number + 1}", len(content))
        yield from _rows(_decoded(content, encoding, name, number), name)


def numbered_rows(path: str, encoding: str) -> Iterator[tuple[str, str]]:
    """(file and line number, for messages; line) of each line of a file.

    Raises:
        InputError: as in `read_text`, or a line of more than MAX_LINE characters.
    """
    for number, line in enumerate(rows_of(path, encoding), start=1):
        where = f"{path}, line {number}"
        refuse_long_line(where, len(line))
        yield where, line
