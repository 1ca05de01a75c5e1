"""Processes that end with the one that waits for them, even where that one is killed.

`python -m rnnkit.runtime.parent_process PID MODULE ARGUMENTS` is `python -m MODULE ARGUMENTS` that
ends with PID.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil

POLL_SECONDS = 0.3


def exit_at_once() -> None:
    """Ends this process whatever it is busy with: nothing is left that could use its result."""
    os._exit(1)


def terminate() -> None:
    """Ends this process as SIGTERM does, so that it ends its own children."""
    os.kill(os.getpid(), signal.SIGTERM)


def end_with(pid: int, end: Callable[[], None] = exit_at_once) -> None:
    """Ends this process when another one of this machine is gone; a second call changes nothing.

    Args:
        pid: of the process that waits for this one.
        end: what ends this process.
    """
    name = f"ends with {pid}"
    if name not in {thread.name for thread in threading.enumerate()}:
        threading.Thread(target=_watch, args=(pid, end), name=name, daemon=True).start()


def _watch(pid: int, end: Callable[[], None]) -> None:
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(POLL_SECONDS)
    except psutil.NoSuchProcess:
        pass
    end()


if __name__ == "__main__":
    end_with(int(sys.argv[1]), terminate)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
