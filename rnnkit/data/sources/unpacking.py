"""Byte streams of files: plain, packed as .gz, or members of a .zip. A packed file that is damaged,
encrypted or far larger unpacked is refused in one line."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from rnnkit.data.sources.limits import refuse_expansion, refuse_size
from rnnkit.errors import InputError, UnreadableFile

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of a .zip's members. The unpackers of others return gigabytes at once."""
ENCRYPTED = 0x1
"""Flag of an encrypted member."""
PACKED = re.compile(
    rb"(?P<gzip>\x1f\x8b)|(?P<bzip2>BZh\d1AY&SY)|(?P<xz>\xfd7zXZ)|(?P<zip>PK\x03\x04)"
    rb"|(?P<zstd>\x28\xb5\x2f\xfd)"
)
"""First bytes of packed files, by the packer."""
CHUNK = 2**20


def members(archive: Path) -> list[str]:
    """Names of the files in a .zip.

    Raises:
        InputError: it is damaged.
    """
    with _refusing_damage(archive), zipfile.ZipFile(archive) as packed:
        return [name for name in packed.namelist() if not name.endswith("/")]


def open_bytes(file: Path, member: str = "") -> IO[bytes]:
    """Stream of a file's bytes, unpacked if it is .gz or a member of a .zip.

    Raises:
        InputError: now or while reading: the file is damaged, encrypted, packed otherwise, or
            unpacks to more than MAX_EXPANSION times its size.
    """
    with _refusing_damage(file):
        raw = file.open("rb")
        try:
            if member:
                stream: IO[bytes] = _opened_member(file, raw, member)
            elif file.suffix == ".gz":
                stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
            else:
                return raw
            return io.BufferedReader(_Unpacked(file, raw, stream), CHUNK)
        except Exception:
            raw.close()
            raise


def read_blocks(file: Path, member: str = "") -> Iterator[bytes]:
    """All bytes of a file in blocks, as `open_bytes` gives them.

    Raises:
        InputError: as in `open_bytes`, or more than MAX_FILE_BYTES.
    """
    size = 0
    with open_bytes(file, member) as stream:
        refuse_size(str(file), file.stat().st_size)
        while block := stream.read(CHUNK):
            size += len(block)
            refuse_size(str(file), size)
            yield block


def packer(content: bytes) -> str | None:
    """The packer of a file's bytes; None for other files."""
    match = PACKED.match(content)
    return None if match is None else match.lastgroup


def _opened_member(file: Path, raw: BinaryIO, member: str) -> IO[bytes]:
    packed = zipfile.ZipFile(raw)
    info = packed.getinfo(member)
    if info.flag_bits & ENCRYPTED:
        raise UnreadableFile(f"{file}: {member} is encrypted; unpack it and name the file")
    if info.compress_type not in METHODS:
        raise UnreadableFile(
            f"{file}: {member} must be stored or packed by deflate, but it is packed by "
            f"method {info.compress_type}; unpack it and name the file"
        )
    return packed.open(info)


@contextmanager
def _refusing_damage(file: Path) -> Iterator[None]:
    """Any error of an unpacker, as one line: damaged bytes raise much beside its own errors."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, OSError) and error.errno is not None:
            raise UnreadableFile(f"{file}: cannot be read: {reason}; name another file") from None
        raise UnreadableFile(
            f"{file}: a {file.suffix} file must unpack whole, but {reason.rstrip('.')}; copy or "
            "download it again"
        ) from None


class _Unpacked(io.RawIOBase):
    """Unpacked bytes, refused where they are far more than the packed ones read so far.

    Args:
        file: for messages.
        raw: the packed bytes.
        stream: unpacks them.
    """

    def __init__(self, file: Path, raw: BinaryIO, stream: IO[bytes]) -> None:
        self._file, self._raw, self._stream = file, raw, stream
        self._begin, self._bytes = raw.tell(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _refusing_damage(self._file):
            content = self._stream.read(len(buffer))
        self._bytes += len(content)
        refuse_expansion(str(self._file), self._bytes, self._raw.tell() - self._begin)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        self._raw.close()
        super().close()
