"""Failures of the disk in one line: full, read-only, over a quota, of another user, broken; and
paths that people give.

Inner code raises OSError. The command line and the launcher of flows call `disk_error`.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rnnkit.errors import InputError

_FREE = "free some of it and give the command again: it goes on where it stopped"
_ALLOW = "give this user the rights, or name another place (all output: --mlruns FOLDER)"
_MEND = "see to the disk and give the command again, or name another place (--mlruns FOLDER)"
_LOOK = "see what is there and give the command again"
NEXT_STEPS: Mapping[int, str] = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EROFS: _ALLOW,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EIO: _MEND,
    errno.EFBIG: _MEND,
    errno.ENAMETOOLONG: "name a shorter one",
    errno.EMFILE: "allow more with: ulimit -n 4096",
    errno.ENFILE: "end other programs and give the command again",
}
"""Number of an OSError -> what to do."""
NEED_PATH = (errno.EACCES, errno.EPERM)
"""Numbers that sockets raise, too: without a path it is no file's failure."""
SQLITE: Mapping[str, int] = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_CANTOPEN": errno.EACCES,
    "SQLITE_IOERR": errno.EIO,
}
"""Beginning of the name of an SQLite error -> the number of the OSError it stands for."""


class DiskError(InputError):
    """A place that cannot be written or read."""


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Put a path into an OSError: those of `write` and `fsync` have none, and those of a file that
    is renamed later have its temporary name."""
    try:
        yield
    except OSError as error:
        if error.filename2 is None:
            error.filename = str(path)
        else:  # of a rename
            error.filename2 = str(path)
        raise


def disk_error(error: BaseException | None, place: Path | str) -> DiskError | None:
    """The failure of a disk that an exception is or comes from; None if it has another cause.

    Args:
        error: the exception; its causes and contexts are searched for `NEXT_STEPS`.
        place: named where the failure itself has no path.
    """
    if isinstance(error, OSError) and error.errno and error.filename is not None:
        return _line(_path(error), error.errno)
    while error is not None:
        if isinstance(error, OSError) and error.errno and error.errno in NEXT_STEPS:
            if error.filename is not None:
                return _line(_path(error), error.errno)
            if error.errno not in NEED_PATH:
                return _line(place, error.errno)
        name = str(getattr(error, "sqlite_errorname", ""))
        for beginning, number in SQLITE.items():
            if name.startswith(beginning):
                return _line(f"a database in {place}", number)
        error = error.__cause__ or error.__context__
    return None


def user_path(text: str) -> Path:
    """The path that a person gave, with ~ expanded; nothing need be there.

    Raises:
        InputError: there is no such user, no file can have such a name, or a folder above cannot be
            entered.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        user = Path(text).parts[0]
        raise InputError(
            f"{text}: there is no user {user[1:]!r} whose folder {user} would be; write ./{user} "
            "for a file of that name"
        ) from None
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise _line(_path(error), error.errno or errno.EIO) from None
    except ValueError:  # a NUL, or half a surrogate pair
        raise InputError(
            f"{text}: no file can have such a name; write it without the escaped characters"
        ) from None
    return path


def _path(error: OSError) -> str:
    place = error.filename if error.filename2 is None else error.filename2
    return os.fsdecode(place) if isinstance(place, bytes) else str(place)


def _line(place: Path | str, number: int) -> DiskError:
    reason = os.strerror(number)
    reason = reason[0].lower() + reason[1:]
    return DiskError(f"{place}: {reason}; {NEXT_STEPS.get(number, _LOOK)}")
