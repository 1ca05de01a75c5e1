"""End a process when its parent ends, even if the parent is killed.

`python -m rnnkit.runtime.parent_process PID MODULE ARGUMENTS` runs `python -m MODULE ARGUMENTS`
until PID ends.

The parent's PID always comes from the parent: as an argument here, with the initializer's arguments
in pools. `os.getppid()` in the child would name another process where the parent was killed first.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil

POLL_SECONDS = 0.3
END_SECONDS = 5.0  # seconds a module may take to end after SIGTERM


def terminate() -> None:
    """Send SIGTERM to this process, so that it ends in order; exit where it does not in time."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(1)


def ignore_terminal_signals() -> None:
    """Ignore Ctrl-C and a closed terminal, which reach workers, too: the parent stops them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def end_with(pid: int, end: Callable[[], None] = lambda: os._exit(1)) -> None:
    """Call `end` when another process of this machine, usually the parent, ends. Idempotent."""
    name = f"ends with {pid}"
    if name not in {thread.name for thread in threading.enumerate()}:
        threading.Thread(target=_watch, args=(pid, end), name=name, daemon=True).start()


def _watch(pid: int, end: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(POLL_SECONDS)
    end()


if __name__ == "__main__":
    end_with(int(sys.argv[1]), terminate)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
