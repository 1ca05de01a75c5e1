"""Work over several processes, which end when it is done, or with the process that waits for it."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from rnnkit.runtime.parent_process import end_with

SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads inside a process would stand in the way of the other processes."""


def spread(work: Callable[[Any], Any], items: Sequence[Any], processes: int) -> list[Any]:
    """What the work makes of every item, in their order.

    Args:
        work: a function of a module.
        items: what it is called with.
        processes: at most; with 1 it is this process.
    """
    processes = min(processes, len(items))
    if processes < 2:
        return [work(item) for item in items]
    from joblib.externals.loky import ProcessPoolExecutor

    environment = dict.fromkeys(SINGLE, "1")
    pool = ProcessPoolExecutor(
        processes, initializer=_start, initargs=(os.getpid(),), env=environment
    )
    try:
        return list(pool.map(work, items))
    finally:
        # At once: where this process is itself one of a pool, it would wait at its end for them.
        pool.shutdown(kill_workers=True)


def _start(parent: int) -> None:
    """What each process does before it works."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends them
    end_with(parent)
