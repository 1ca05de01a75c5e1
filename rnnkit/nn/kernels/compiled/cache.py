"""The folder of the compiled code, and one process at a time that compiles. Does not import Numba.

The folder lies beside this file, or in the user's cache where that cannot be written, and is named
for a hash of the sources: Numba itself looks only at the file of the outermost function.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_COMPILED = ("__init__.py", "cache.py", "eligibility.py", "recurrence.py")
"""Modules beside this one whose changes leave the compiled code as it is."""


def cache_folder() -> Path | None:
    """The first folder that can be written; None: each process compiles for itself.

    `NUMBA_CACHE_DIR` takes precedence.
    """
    folder = Path(__file__).parent
    sources = sorted(set(folder.glob("*.py")) - {folder / name for name in NOT_COMPILED})
    content = b"\0".join(source.read_bytes() for source in sources)
    name = f"kernels-{hashlib.sha256(content).hexdigest()[:16]}"
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        parents = [Path(chosen)]
    else:
        user = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        parents = [Path(__file__).parent / "__pycache__", Path(user) / "rnnkit"]
    for parent in parents:
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent / name, os.W_OK):
            return parent / name
    return None


FOLDER = cache_folder()


@contextmanager
def compiling() -> Iterator[None]:
    """Hold the lock of the folder, so that of several processes one compiles and the others load
    what it compiled."""
    if FOLDER is None:
        yield
        return
    with (FOLDER / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def mark(name: str) -> None:
    """Note that a kernel is compiled and stored."""
    if FOLDER is not None:
        (FOLDER / f"{name}.compiled").touch()


def is_compiled() -> bool:
    """Whether an earlier process stored what a training in float32 needs."""
    names = ("forward", "backward")
    return FOLDER is not None and all(
        (FOLDER / f"{name}-torch.float32.compiled").exists() for name in names
    )
