"""Standard output of the command: its failures have its name."""

import contextlib
import io
import os
import sys

from rnnkit.runtime.disk import naming

NAME = "standard output"


class StandardOutput(io.TextIOWrapper):
    """Text to a terminal, a file or a pipe; letters that its encoding lacks are escaped.

    Raises OSError with `NAME` as its path where nothing can be written.

    Args:
        usual: the stream of which it takes over the buffer.
    """

    def __init__(self, usual: io.TextIOWrapper) -> None:
        super().__init__(
            usual.buffer,
            encoding=usual.encoding,
            errors="backslashreplace",
            line_buffering=usual.line_buffering,
        )
        self._usual = usual  # which would close the buffer when it is deleted

    def write(self, text: str) -> int:
        """Write a text."""
        with naming(NAME):
            return super().write(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with naming(NAME):
            super().flush()


def settle_standard_output() -> None:
    """Put a `StandardOutput` in the place of `sys.stdout`, if that writes to a file descriptor."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = StandardOutput(sys.stdout)


def drop_unwritten() -> None:
    """Flush standard output; where that fails, drop what is buffered, or the interpreter would fail
    on it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
