"""Arrays and texts that are too large for memory, in temporary files that are mapped.

A file lies in the folder of `within`, has no name there and goes when its last array does. Pages
that were read count as memory of the process until `release_pages`, which costs reading them from
the page cache again.
"""

from __future__ import annotations

import contextlib
import mmap
import tempfile
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rnnkit.runtime.disk import naming

if TYPE_CHECKING:
    import numpy as np

IN_MEMORY = 2**25
"""Bytes up to which data stay in memory."""
_folder: ContextVar[Path | None] = ContextVar("folder", default=None)
_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    """Write temporary files into a folder that exists; else they go where `tempfile` puts them."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


class Scratch:
    """Bytes that are appended, in memory up to `IN_MEMORY`, and then in a temporary file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def append(self, content: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: the disk is full; it names the folder.
        """
        self.size += len(content)
        self._pieces.append(content)
        if self._file is None and self.size <= IN_MEMORY:
            return
        folder = _folder.get() or Path(tempfile.gettempdir())
        with naming(folder):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            for piece in self._pieces:
                _write(self._file, piece)
        self._pieces.clear()

    def buffer(self) -> Any:
        """All bytes, writable; nothing can be appended any more."""
        if self._file is None:
            return bytearray().join(self._pieces)
        with self._file:
            mapped = mmap.mmap(self._file.fileno(), 0)
        _mapped.add(mapped)
        return mapped


def _write(file: IO[bytes], content: bytes) -> None:
    """A raw file may write a part only."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


class ScratchArray:
    """A one-dimensional array that is appended to.

    Args:
        dtype: as numpy takes it.
    """

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._scratch = Scratch()

    def append(self, values: np.ndarray) -> None:
        """Append values, which must fit the type."""
        self._scratch.append(values.astype(self._dtype, copy=False).tobytes())

    def array(self) -> np.ndarray:
        """The whole array; nothing can be appended any more."""
        import numpy as np

        return np.frombuffer(self._scratch.buffer(), self._dtype)


def release_pages() -> None:
    """Give the pages of all temporary files that are mapped back to the system."""
    if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        for mapped in list(_mapped):
            mapped.madvise(mmap.MADV_DONTNEED)
