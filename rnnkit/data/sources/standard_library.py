"""Location and bytes of the standard library's source files, without import."""

import sysconfig
from pathlib import Path

from rnnkit.errors import InputError

FOLDER = Path(sysconfig.get_path("stdlib"))


def contents(paths: list[Path]) -> list[tuple[str, bytes]]:
    """(path inside the library, bytes) of each file.

    Raises:
        InputError: this Python has no source files.
    """
    try:
        return [(path.relative_to(FOLDER).as_posix(), path.read_bytes()) for path in paths]
    except OSError as error:
        raise InputError(
            f"{error.filename}: the standard library's source files are needed, but {error}; "
            "use a Python that comes with them or a source of your own"
        ) from None


def require(paths: list[Path], what: str) -> list[Path]:
    """Return the paths.

    Raises:
        InputError: there are none.
    """
    if not paths:
        raise InputError(
            f"{FOLDER}: the standard library's source files are needed for {what}, but there are "
            "none; use a Python that comes with them or a source of your own"
        )
    return paths
