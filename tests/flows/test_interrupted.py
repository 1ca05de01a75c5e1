"""A signal stays a signal while things are put in order."""

import signal
import sys
import threading
import time
import weakref
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from command import called
from prefect.utilities.timeout import timeout

from flows import cli, settings
from flows.processes import workers
from flows.processes.lost_exceptions import resending, unwrapping

TERMINATED = 143


def test_a_signal_in_the_middle_of_showing_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, shown = tmp_path / "stop", []
    future: Future[None] = Future()  # of work in another process, which the same signal ends

    @contextmanager
    def runner(*_: object) -> Any:
        yield Mock(submit=lambda _: future)

    def wait(futures: list[Future[None]], _: float) -> None:
        assert stop.exists(), "it was not asked to stop"
        for waiting in futures:
            waiting.set_exception(RuntimeError("its process is gone"))

    def show() -> None:
        shown.append(future.done())
        if len(shown) > 1:
            raise RuntimeError("the session was left in the middle")
        raise SystemExit(TERMINATED)

    monkeypatch.setattr(workers, "make_runner", runner)
    monkeypatch.setattr(workers, "wait", wait)
    with pytest.raises(SystemExit) as end:
        workers.run_tasks(settings.read(tmp_path), 1, [(print, {})], show, stop, Mock())
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


class Slow:
    """An attribute that takes a while to learn its name, as those of modules under import may."""

    def __set_name__(self, owner: type, name: str) -> None:
        time.sleep(1)


def test_a_timeout_that_expires_in_a_class_body_is_told_as_one() -> None:
    with pytest.raises(TimeoutError, match=r"0\.3 second"), timeout(seconds=0.3), unwrapping():
        type("Owner", (), {"slow": Slow()})


def test_an_error_that_no_signal_caused_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="its own"), unwrapping():
        raise RuntimeError("its own") from ValueError("another")


def test_ctrl_c_in_a_class_body_ends_in_the_usual_line() -> None:
    program = """
import os, signal
from flows import cli

class Stopped:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGINT)

cli.app = lambda *_, **__: type("Owner", (), {"stopped": Stopped()})
cli.main()
"""
    done = called(sys.executable, "-c", program, timeout=100)
    assert done.returncode == 130
    assert done.stderr == f"rnnkit: {cli.STOPPED}\n"
