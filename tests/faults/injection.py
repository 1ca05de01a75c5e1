"""Faults inside a process: writes, fsyncs and renames that fail, are torn or end in a kill; a clock
that is set back.

The harness copies this file as `sitecustomize.py` to a folder on PYTHONPATH, so that a command and
all its worker processes have it. Standard library only. Without the variable RNNKIT_FAULT it does
nothing. What C libraries write themselves (SQLite, Parquet) does not pass here.
"""

import builtins
import errno
import fcntl
import io
import json
import os
import signal
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

VARIABLE = "RNNKIT_FAULT"
Operation = Literal["open", "write", "fsync", "rename", "mkdir"]
Action = Literal["fail", "kill before", "kill after", "tear", "set the clock back", "count"]
SECONDS_BACK = 86_400.0


@dataclass(frozen=True)
class Fault:
    """What happens at which operation below a folder.

    Operations of all processes are counted together, in a file.
    """

    folder: str
    """Absolute; operations elsewhere are left alone."""
    log: str
    """A line per operation; the line `fired` once the fault happened."""
    action: Action = "fail"
    operations: tuple[str, ...] = ("write", "fsync", "rename")
    names: str = "*"
    """Pattern of the names of files: those that are opened, or the new name of a rename."""
    number: int = 1
    """The how manyth of these operations, from 1."""
    error: str = "ENOSPC"
    stays: bool = False
    """All later ones fail, too, as on a disk that is full or read-only."""


class Injection:
    """A fault in this process."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def covers(self, path: Any) -> bool:
        """Whether a path is the fault's folder or lies in it."""
        if isinstance(path, int | bytes):
            return False
        absolute = os.path.abspath(os.fspath(path))
        return absolute == self.fault.folder or absolute.startswith(f"{self.fault.folder}/")

    def hits(self, operation: Operation, path: Any) -> bool:
        """Counts an operation. Whether the fault is to happen at it."""
        if not self.covers(path):
            return False
        fault, name = self.fault, os.path.basename(os.fspath(path))
        with _open(fault.log, "a+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.seek(0)
            lines = log.read().splitlines()
            log.write(f"{operation} {name}\n")
            if operation not in fault.operations or not fnmatch(name, fault.names):
                return False
            if "fired" in lines:
                return fault.stays and fault.action == "fail"
            same = [
                words for line in lines if (words := line.partition(" "))[0] in fault.operations
            ]
            count = 1 + sum(fnmatch(words[2], fault.names) for words in same)
            if count != fault.number or fault.action == "count":
                return False
            log.write("fired\n")
        return True

    def happen(self, operation: Operation, path: Any) -> bool:
        """Counts an operation, and fails or kills in its place. Whether a kill follows it."""
        if not self.hits(operation, path):
            return False
        action = self.fault.action
        if action == "fail":
            number = getattr(errno, self.fault.error)
            raise OSError(number, os.strerror(number), str(path))
        if action == "set the clock back":
            set_clock_back()
            return False
        if action == "kill before":
            kill_group()
        return True

    def patch(self) -> None:
        """Puts the fault in place of the system's functions."""
        os.fsync = self._after(os.fsync, "fsync", lambda fd, *_, **__: _path_of(fd))
        os.replace = self._after(os.replace, "rename", lambda _, new, *__, **___: new)
        os.rename = self._after(os.rename, "rename", lambda _, new, *__, **___: new)
        os.mkdir = self._after(os.mkdir, "mkdir", lambda path, *_, **__: path)
        os.sendfile = self._after(os.sendfile, "write", lambda fd, *_, **__: _path_of(fd))
        builtins.open = io.open = self._opened

    def _after(self, call: Any, operation: Operation, path_of: Any) -> Any:
        def faulty(*arguments: Any, **named: Any) -> Any:
            killed = self.happen(operation, path_of(*arguments, **named))
            result = call(*arguments, **named)
            if killed:
                kill_group()
            return result

        return faulty

    def _opened(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if not set(mode) & set("wax+") or not self.covers(file):
            return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        self.happen("open", file)
        raw = _File(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        raw.injection = self
        if buffering == 0:
            return raw
        buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)


class _File(io.FileIO):
    injection: Injection

    def write(self, data: Any) -> int:
        killed = self.injection.happen("write", self.name)
        view = memoryview(data).cast("B")
        torn = killed and self.injection.fault.action == "tear"
        written = super().write(view[: len(view) // 2] if torn else view)
        if killed:
            kill_group()
        return written or 0


def kill_group() -> None:
    """SIGKILL to this command and its workers, at once."""
    os.killpg(os.getpgid(0), signal.SIGKILL)
    time.sleep(60)


def set_clock_back() -> None:
    """The system's clock, as this process reads it, a day back."""
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() - SECONDS_BACK
    time.time_ns = lambda: nanoseconds() - int(SECONDS_BACK * 1e9)


def _path_of(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def install() -> None:
    """The fault of the environment, if there is one."""
    if VARIABLE in os.environ:
        values = json.loads(os.environ[VARIABLE])
        Injection(Fault(**{**values, "operations": tuple(values["operations"])})).patch()


_open = io.open
if Path(__file__).name == "sitecustomize.py":
    install()
