"""Work in other processes: here, or on a Dask or Ray cluster.

The parent shows what they do while it waits, and they do not outlive it. They need no server of
Prefect's: its own task runners ask one before each task.
"""

import logging
import os
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol, Self

from flows.console import QUIET, out
from flows.processes.notes import print_notes_as_lines
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
    print_notes_as_lines()
    process_settings.settle()


def start_process(parent: Parent) -> None:
    """What a worker process does before it takes work.

    Args:
        parent: sent along, because the parent may be killed before this is called; the operating
            system then names another process as the parent of this one.
    """
    ignore_terminal_signals()
    settle(parent)


class Runner(Protocol):
    """Where the work is done."""

    def submit(self, function: Callable[..., Any], /, **parameters: Any) -> "Future[Any]":
        """Begins some work, as soon as a worker is free."""


class Processes(ProcessPoolExecutor):
    """Processes on this machine, whose end no dead worker holds up."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers, get_context("spawn"), start_process, (Parent.here(),))

    def has_dead_worker(self) -> bool:
        """Whether a worker died. The pool itself learns it late of those it started last."""
        return not all(process.is_alive() for process in self._workers())

    def kill(self) -> None:
        """Ends the workers, whatever they are busy with."""
        for process in self._workers():
            process.kill()

    def _workers(self) -> list[Any]:
        return list((self._processes or {}).values())


def run_tasks(
    settings: Settings,
    workers: int,
    work: Sequence[tuple[Callable[..., Any], dict[str, Any]]],
    show: Callable[[], None],
    stop: Path,
    follow: Callable[[Sequence["Future[Any]"]], None],
) -> bool:
    """Calls functions in other processes, until all have ended.

    Args:
        work: functions and their parameters, of which `workers` run at once.
        show: called again and again while they run.
        stop: a file that is made where this process is interrupted, for the work to leave off.
        follow: called with the futures of the work, as often and once more at the end.

    Returns:
        False where a worker died; its work has no result.
    """
    with make_runner(settings, workers) as runner:
        futures = [runner.submit(function, **parameters) for function, parameters in work]
        try:
            while not all(future.done() for future in futures):
                show()
                follow(futures)
                time.sleep(POLL_SECONDS)
                if isinstance(runner, Processes) and runner.has_dead_worker():
                    runner.kill()  # as the pool would, had it seen it
        except BaseException:
            stop.touch()  # else the workers would go on
            out.print("stopping the workers")
            if isinstance(runner, Processes):
                for future in futures:
                    future.cancel()  # which does nothing to work that has begun
            try:
                wait(futures, STOP_SECONDS)
            finally:  # a second Ctrl-C waits no longer
                if isinstance(runner, Processes) and not all(future.done() for future in futures):
                    runner.kill()  # its end would wait for them
            with suppress(Exception):  # a signal may have come in the middle of it
                show()
                follow(futures)
            raise
        follow(futures)
        for future in futures:
            try:
                future.result()
            except Exception as error:
                if not _is_death(error):
                    raise  # a worker's own failure is that of the whole
                return False
    return True


def _is_death(error: BaseException) -> bool:
    """Whether a worker died: each runner has its own name for it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    deaths = {"BrokenExecutor", "KilledWorker", "RayError"}
    return bool(names & deaths) and "RayTaskError" not in names  # which the work itself raised


def make_runner(settings: Settings, workers: int) -> AbstractContextManager[Runner]:
    """The runner that the settings name; InputError where its package is not installed."""
    if settings.runner == "process":
        return Processes(workers)
    try:
        return (Dask if settings.runner == "dask" else Ray)(settings.cluster, workers)
    except ImportError as error:
        raise InputError(
            f"runner: {settings.runner} needs a package that is not installed ({error.name}); "
            f"pip install 'rnnkit[{settings.runner}]'"
        ) from None


class Dask:
    """A Dask cluster: that at an address, or one on this machine."""

    def __init__(self, cluster: str | None, workers: int) -> None:
        from distributed import Client, LocalCluster

        logging.getLogger("distributed").setLevel(logging.ERROR)  # it logs every connection
        self._local = None
        if not cluster:
            self._local = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.ERROR,
            )
        self._client = Client(cluster or self._local)
        self._executor = self._client.get_executor(pure=False)  # equal work is done as often

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._local:
            self._local.close()

    def submit(self, function: Callable[..., Any], /, **parameters: Any) -> "Future[Any]":
        """Begins some work, as soon as a worker is free."""
        future: Future[Any] = self._executor.submit(function, **parameters)
        return future


class Ray:
    """A Ray cluster: that at an address, or one on this machine."""

    def __init__(self, cluster: str | None, workers: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns each time
        import ray

        self._ray = ray
        if cluster:
            ray.init(address=cluster)
        else:
            ray.init(
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def submit(self, function: Callable[..., Any], /, **parameters: Any) -> "Future[Any]":
        """Begins some work, as soon as a worker is free."""
        future: Future[Any] = self._ray.remote(function).remote(**parameters).future()
        return future
