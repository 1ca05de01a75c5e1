"""A process ends with the one it watches, however busy it is, and a module that is run so."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rnnkit.runtime import parent_process

ROOT = Path(__file__).parents[2]
WATCHING = """
import sys, time
from rnnkit.runtime.parent_process import end_with
end_with(int(sys.argv[1]))
print("ready", flush=True)
BUSY
"""
BUSY = {
    "asleep": "time.sleep(300)",
    "computing": "while True: pass",
    "deaf to exceptions": """
while True:
    try:
        time.sleep(300)
    except BaseException:
        pass
""",
}
MODULE = """
import signal, sys, time
from pathlib import Path

def end(*_):
    Path(sys.argv[1]).write_text("in order")
    raise SystemExit(0)

signal.signal(signal.SIGTERM, end)
print("ready", __name__, sys.argv[1:], flush=True)
time.sleep(300)
"""


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[bytes]"]:
    """A process to be watched."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()


def python(*arguments: str | Path, folder: Path = ROOT) -> "subprocess.Popen[str]":
    paths = {"PYTHONPATH": f"{ROOT}:{folder}"}
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env={**os.environ, **paths}
    )


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("busy", BUSY)
def test_it_ends_when_the_parent_is_killed(parent: "subprocess.Popen[bytes]", busy: str) -> None:
    process = python("-c", WATCHING.replace("BUSY", BUSY[busy]), str(parent.pid))
    with process:
        assert line_of(process) == "ready\n"
        time.sleep(2 * parent_process.POLL_SECONDS)
        assert process.poll() is None
        parent.kill()  # until its own parent, this test, waits for it, it is a zombie
        assert process.wait(timeout=30) == 1
        assert psutil.Process(parent.pid).status() == psutil.STATUS_ZOMBIE


def test_it_ends_at_once_where_the_parent_is_gone_before(
    parent: "subprocess.Popen[bytes]",
) -> None:
    parent.kill()
    parent.wait()
    with python("-c", WATCHING.replace("BUSY", "time.sleep(300)"), str(parent.pid)) as process:
        assert process.wait(timeout=30) == 1


def test_a_module_gets_its_arguments_and_is_terminated_in_order(
    tmp_path: Path, parent: "subprocess.Popen[bytes]"
) -> None:
    (tmp_path / "module_that_waits.py").write_text(MODULE)
    ending = str(tmp_path / "ending")
    arguments = ("-m", "rnnkit.runtime.parent_process", str(parent.pid), "module_that_waits")
    with python(*arguments, ending, "--more", folder=tmp_path) as process:
        assert line_of(process) == f"ready __main__ {[ending, '--more']}\n"
        parent.kill()
        assert process.wait(timeout=30) == 0
    assert Path(ending).read_text() == "in order"


def test_a_second_call_starts_no_second_watch() -> None:
    ended: list[int] = []
    pid = os.getppid()
    for _ in range(2):
        parent_process.end_with(pid, lambda: ended.append(1))
    watches = [thread for thread in threading.enumerate() if thread.name == f"ends with {pid}"]
    assert len(watches) == 1
    assert not ended


DEAF_MODULE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(300)
"""


def test_a_module_that_ignores_sigterm_ends_all_the_same(
    tmp_path: Path, parent: "subprocess.Popen[bytes]"
) -> None:
    (tmp_path / "deaf_module.py").write_text(DEAF_MODULE)
    arguments = ("-m", "rnnkit.runtime.parent_process", str(parent.pid), "deaf_module")
    with python(*arguments, folder=tmp_path) as process:
        assert line_of(process) == "ready\n"
        parent.kill()
        assert process.wait(timeout=30) == 1
