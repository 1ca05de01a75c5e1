"""Work in other processes, as Prefect tasks: processes here, or a Dask or Ray cluster.

The parent shows what they do while it waits, and they do not outlive it.
"""

import logging
import os
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from prefect.task_runners import ProcessPoolTaskRunner

from flows.console import QUIET, out
from flows.settings import Settings
from rnnkit.errors import InputError
from rnnkit.runtime import process_settings
from rnnkit.runtime.parent_process import end_with, ignore_terminal_signals

POLL_SECONDS = 0.3
STOP_SECONDS = 20  # seconds the workers get to leave off


@dataclass(frozen=True)
class Parent:
    """The process that waits for the work."""

    host: str
    pid: int

    @staticmethod
    def here() -> "Parent":
        """This process."""
        return Parent(socket.gethostname(), os.getpid())


def settle(parent: Parent) -> None:
    """Settles this process for training, and ends it with a parent on the same machine."""
    if parent.host == socket.gethostname():
        end_with(parent.pid)
    warnings.filterwarnings("ignore", module=QUIET)
    process_settings.settle()


def start_process(parent: Parent) -> None:
    """What a process of the process runner does before it takes tasks.

    Args:
        parent: sent along, because the parent may be killed before this is called; the operating
            system then names another process as the parent of this one.
    """
    ignore_terminal_signals()
    settle(parent)


class Processes(ProcessPoolTaskRunner):
    """Prefect's process runner, whose end and whose program's end no dead worker holds up."""

    def __enter__(self) -> Self:
        runner = super().__enter__()
        # A worker that was killed while it wrote to the queue keeps the queue's lock for ever:
        # do not wait at exit until the parent's last message is written to it.
        messages: Any = self._subprocess_message_queue
        messages.cancel_join_thread()
        return runner

    def has_dead_worker(self) -> bool:
        """Whether a worker died. The pool itself learns it late of those it started last."""
        return not all(process.is_alive() for process in self._workers())

    def kill(self) -> None:
        """Ends the workers, whatever they are busy with."""
        for process in self._workers():
            process.kill()

    def _workers(self) -> list[Any]:
        pool: Any = self._executor
        return list((pool._processes or {}).values())


def run_tasks(
    settings: Settings,
    workers: int,
    work: Sequence[tuple[Any, dict[str, Any]]],
    show: Callable[[], None],
    stop: Path,
) -> bool:
    """Prefect tasks in other processes, until all have ended.

    Args:
        work: tasks and their parameters, of which `workers` run at once.
        show: called again and again while they run.
        stop: a file that is made where this process is interrupted, for the tasks to leave off.

    Returns:
        False where a worker died; its task has no result.
    """
    with make_runner(settings, workers) as runner:
        futures = [runner.submit(task, parameters) for task, parameters in work]
        try:
            while not all(is_done(future) for future in futures):
                show()
                time.sleep(POLL_SECONDS)
                if isinstance(runner, Processes) and runner.has_dead_worker():
                    runner.kill()  # as the pool would, had it seen it
        except BaseException:
            stop.touch()  # else the workers would go on
            out.print("stopping the workers")
            until = time.monotonic() + STOP_SECONDS
            try:
                for future in futures:
                    with suppress(Exception):  # the same signal may have ended the worker
                        future.wait(timeout=max(0.0, until - time.monotonic()))
            finally:  # a second Ctrl-C waits no longer
                if isinstance(runner, Processes) and not all(map(is_done, futures)):
                    runner.kill()  # its end would wait for them
            with suppress(Exception):  # a signal may have come in the middle of it
                show()
            raise
        for future in futures:
            try:
                future.result()
            except Exception as error:
                if not _is_death(error):
                    raise  # a worker's own failure is that of the whole
                return False
    return True


def _is_death(error: BaseException) -> bool:
    """Whether a worker died: each task runner has its own name for it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"BrokenExecutor", "KilledWorker", "RayError", "CrashedRun"})


def make_runner(settings: Settings, workers: int) -> Any:
    """The task runner that the settings name; InputError where its package is not installed."""
    if settings.runner == "process":
        return Processes(max_workers=workers, initializer=start_process, initargs=(Parent.here(),))
    try:
        return (_dask if settings.runner == "dask" else _ray)(settings.cluster, workers)
    except ImportError as error:
        raise InputError(
            f"runner: {settings.runner} needs a package that is not installed ({error.name}); "
            f"pip install 'rnnkit[{settings.runner}]'"
        ) from None


def is_done(future: Any) -> bool:
    """Whether a submitted task has ended, one way or another."""
    inner = future.wrapped_future
    if hasattr(inner, "done"):
        return bool(inner.done())
    import ray

    return bool(ray.wait([inner], timeout=0)[0])


def _dask(cluster: str | None, workers: int) -> Any:
    from prefect_dask.task_runners import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.ERROR)  # it logs every connection
    local = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    local["silence_logs"] = logging.ERROR
    return DaskTaskRunner(address=cluster, cluster_kwargs=None if cluster else local)


def _ray(cluster: str | None, workers: int) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns at every start
    from prefect_ray import RayTaskRunner

    if cluster:
        return RayTaskRunner(address=cluster)
    local = {"num_cpus": workers, "include_dashboard": False, "log_to_driver": False}
    return RayTaskRunner(init_kwargs=local | {"logging_level": "error"})
