"""Temporary files and folders: named for the process that writes them, so that those of a killed
process can be told from those of a living one."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}")


def temporary_path(path: Path) -> Path:
    """A new path beside a file or folder, for its unfinished content; hidden by a leading dot."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")


@contextlib.contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """A new folder beside a path, with a name of `temporary_path`, which is deleted at the end."""
    folder = temporary_path(path)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unfinished(folder: Path) -> Iterator[Path]:
    """Temporary files and folders, at any depth, of processes that have ended.

    A process of this machine counts as their writer if it began before their last change; process
    numbers are used again.
    """
    for above, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            if (match := _NAME.fullmatch(name)) is None:
                continue
            path = Path(above, name)
            with contextlib.suppress(FileNotFoundError):  # renamed meanwhile
                if not _is_running(int(match[1]), path.lstat().st_mtime):
                    yield path
            if name in folders:
                folders.remove(name)


def remove_unfinished(folder: Path) -> None:
    """Delete what `unfinished` gives."""
    for path in list(unfinished(folder)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_running(pid: int, changed: float) -> bool:
    """Whether a process runs that has begun before a moment, in seconds since 1970."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= changed + 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # of another user
        return True
