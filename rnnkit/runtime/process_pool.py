"""Map a function over items in worker processes, which end with the calling process."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from rnnkit.runtime.parent_process import end_with, ignore_terminal_signals

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 in workers: threads inside a worker would compete with the other workers."""


def map_in_processes(work: Callable[[Any], Any], items: Sequence[Any], processes: int) -> list[Any]:
    """Results of `work` for every item, in order.

    Args:
        work: a module-level function (it is pickled).
        items: its arguments.
        processes: upper limit; 1: run in this process.
    """
    processes = min(processes, len(items))
    if processes < 2:
        return [work(item) for item in items]
    from joblib.externals.loky import ProcessPoolExecutor

    environment, parent = dict.fromkeys(THREAD_VARIABLES, "1"), os.getpid()
    pool = ProcessPoolExecutor(processes, initializer=_start, initargs=(parent,), env=environment)
    try:
        size = -(-len(items) // (4 * processes))  # of chunks, which cost a message each
        return list(pool.map(work, items, chunksize=size))
    finally:
        # A pool inside a pool worker would otherwise block the worker's exit.
        pool.shutdown(kill_workers=True)


def _start(parent: int) -> None:
    """Initialize a worker."""
    ignore_terminal_signals()
    end_with(parent)
