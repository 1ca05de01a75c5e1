"""A terminal that is closed ends a command, and its workers, as SIGTERM does."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import psutil
import pytest
from command import RNNKIT, ROOT, SWEEP, called, environment

from rnnkit.runs.run_folder import RunFolder

START_SECONDS = 200  # seconds until a sweep trains, on a busy machine


def take_terminal() -> None:
    """Makes standard output the terminal of this process's own session."""
    os.setsid()
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


def test_a_sweep_in_a_terminal_that_is_closed_is_interrupted(tmp_path: Path) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    params.write_text(SWEEP.replace("epochs: 3", "epochs: 500\n  early_stopping: null"))
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [*RNNKIT, "run", str(params), "--mlruns", str(home)],
        cwd=ROOT,
        env=environment(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        preexec_fn=take_terminal,
    )
    os.close(inside)
    threading.Thread(target=read_all, args=(terminal,), daemon=True).start()
    try:
        until = time.monotonic() + START_SECONDS
        while not list(home.glob("runs/small-*/trials/*/checkpoints/*")):
            assert time.monotonic() < until, "no trial began in time"
            assert process.poll() is None
            time.sleep(0.05)
        family = psutil.Process(process.pid).children(recursive=True)
        os.close(terminal)
        assert process.wait(60) == 143
    finally:
        process.kill()
    assert not psutil.wait_procs(family, timeout=10)[1]
    (path,) = (home / "runs").glob("small-*")
    assert RunFolder(path).status == "interrupted"
    assert not (path / "traceback.txt").exists()


def read_all(terminal: int) -> None:
    """Reads what is written to a terminal until it is closed."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return


HANGING_UP = """
import os, signal, time
from flows import cli

def command(*_, **__):
    os.kill(os.getpid(), signal.SIGHUP)
    time.sleep(1)
    print("went on")

signal.signal(signal.SIGHUP, signal.WHAT)
cli.app = command
cli.main()
"""


@pytest.mark.parametrize(("before", "status"), [("SIG_DFL", 143), ("SIG_IGN", 0)])
def test_nohup_goes_on(before: str, status: int) -> None:
    done = called(sys.executable, "-c", HANGING_UP.replace("WHAT", before), timeout=100)
    assert (done.returncode, done.stdout) == (status, "" if status else "went on\n")
