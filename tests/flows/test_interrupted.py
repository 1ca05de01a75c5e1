"""A signal stays a signal, whatever MLflow says while things are put in order."""

import signal
import sys
import threading
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import called
from prefect.utilities.timeout import timeout

from flows import settings
from flows.pipeline.monitor import Monitor
from flows.processes import workers
from flows.processes.lost_exceptions import resending
from rnnkit.runs.run_folder import RunFolder

TERMINATED = 143


class Silent:
    """What stands for a mirror whose MLflow does not answer."""

    told: list[str]

    def __init__(self) -> None:
        self.told = []

    def finish(self, end: str) -> None:
        self.told.append(end)
        raise RuntimeError("no MLflow")


def monitor_of(mirror: Silent, folder: Path) -> Monitor:
    folder.mkdir()
    nothing: Any = None
    monitor = Monitor(nothing, RunFolder(folder), nothing)
    monitor.__dict__["_mirror"] = mirror
    return monitor


def test_an_interrupted_run_ends_as_interrupted_without_mlflow(tmp_path: Path) -> None:
    mirror = Silent()
    with pytest.raises(SystemExit) as end, monitor_of(mirror, tmp_path / "run").until_finished():
        raise SystemExit(TERMINATED)
    assert end.value.code == TERMINATED
    assert mirror.told == ["interrupted"]


def test_a_failed_run_ends_with_its_own_failure_without_mlflow(tmp_path: Path) -> None:
    mirror = Silent()
    with (
        pytest.raises(ValueError, match="its own"),
        monitor_of(mirror, tmp_path / "run").until_finished(),
    ):
        raise ValueError("its own")
    assert mirror.told == ["failed"]


class Waiting:
    """What stands for a task in another process, which the same signal ends."""

    def __init__(self, stop: Path) -> None:
        self.stop, self.waited = stop, False

    def wait(self, timeout: float) -> None:
        assert self.stop.exists(), "it was not told to stop"
        self.waited = True
        raise RuntimeError("its process is gone")


def test_a_signal_in_the_middle_of_showing_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, shown = tmp_path / "stop", []
    future = Waiting(stop)

    class Runner:
        def submit(self, task: Any, parameters: dict[str, Any]) -> Waiting:
            return future

    @contextmanager
    def runner(*_: object) -> Any:
        yield Runner()

    def show() -> None:
        shown.append(future.waited)
        if len(shown) > 1:
            raise RuntimeError("the session was left in the middle")
        raise SystemExit(TERMINATED)

    monkeypatch.setattr(workers, "make_runner", runner)
    monkeypatch.setattr(workers, "is_done", lambda future: False)
    with pytest.raises(SystemExit) as end:
        workers.run_tasks(settings.read(tmp_path), 1, [(None, {})], show, stop)
    assert end.value.code == TERMINATED
    assert shown == [False, True]


LOST = """
import os, signal, time, weakref
from flows import cli
from prefect.exceptions import TerminationSignal

class Something:
    pass

def command(*_, **__):
    if WHOSE == "Prefect":  # while a flow runs the handler is its own, and then as it was
        def handler(number, _):
            signal.signal(signal.SIGTERM, cli._terminate)
            raise TerminationSignal(number)
        signal.signal(signal.SIGTERM, handler)
    something = Something()
    told = weakref.ref(something, lambda _: os.kill(os.getpid(), signal.NAME))
    del something
    time.sleep(30)

cli.app = command
cli.main()
"""


@pytest.mark.parametrize(
    ("name", "whose", "status"),
    [
        ("SIGINT", "ours", 130),
        ("SIGTERM", "ours", 143),
        ("SIGHUP", "ours", 143),
        ("SIGTERM", "Prefect", 143),
    ],
)
def test_a_signal_that_comes_while_an_object_is_deleted_is_not_lost(
    name: str, whose: str, status: int
) -> None:
    program = LOST.replace("WHOSE", repr(whose)).replace("NAME", name)
    done = called(sys.executable, "-c", program, timeout=100)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr == "rnnkit: interrupted; the same command goes on where it stopped\n"


ENDING = """
import atexit, os, signal, sys, time
from flows import cli

def last():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.5)

for name in "abc":
    atexit.register(lambda: (time.sleep(0.3), print("put in order", flush=True)))
atexit.register(last)
cli.app = lambda *_, **__: 0
cli.main()
"""


def test_what_is_put_in_order_at_the_end_is_cut_off_once_at_the_most() -> None:
    done = called(sys.executable, "-c", ENDING, timeout=100)
    assert done.stdout == "put in order\n" * 3


def test_a_timeout_that_expires_while_an_object_is_deleted_is_not_lost() -> None:
    """Prefect's, of a scheduled run: it raises in the handler of SIGALRM."""
    until = time.monotonic() + 20

    def work() -> None:
        something = threading.Event()
        _told = weakref.ref(something, lambda _: time.sleep(1))
        del something  # its callback sleeps when the timeout expires
        while time.monotonic() < until:
            time.sleep(0.01)

    with pytest.raises(TimeoutError), resending(), timeout(seconds=0.3):
        work()
    assert time.monotonic() < until
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
