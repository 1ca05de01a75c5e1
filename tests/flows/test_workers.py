"""Work in other processes, when a worker dies at the worst moment."""

import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, called

DYING = """
import gc, multiprocessing.queues, os, signal, sys, time
from pathlib import Path
from flows import settings
from flows.processes.workers import run_tasks

def die_while_telling(seconds):
    time.sleep(seconds)
    results = [it for it in gc.get_objects() if type(it) is multiprocessing.queues.SimpleQueue]
    assert results
    for result in results:
        result._wlock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    work = [(die_while_telling, {"seconds": seconds}) for seconds in (0, 30)]
    home = Path(sys.argv[1])
    show = lambda *_: None
    print(run_tasks(settings.read(home), 2, work, show, home / "stop", show))
"""

STUBBORN = """
import os, signal, sys, threading, time
from pathlib import Path
from flows import settings
from flows.processes import workers

workers.STOP_SECONDS = 1
signal.signal(signal.SIGINT, signal.default_int_handler)

def hear_nothing(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(300)

def interrupt():
    if len(list(home.glob("[0-9]*"))) == 2:
        INTERRUPT_AGAIN
        raise KeyboardInterrupt

if __name__ == "__main__":
    home = Path(sys.argv[1])
    work = [(hear_nothing, {"folder": str(home)})] * 2
    try:
        workers.run_tasks(settings.read(home), 2, work, interrupt, home / "stop", lambda _: None)
    except KeyboardInterrupt:
        print("interrupted")
"""


def ended(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """A program, which is given a folder and can import the house, at its end."""
    file = folder / "program.py"
    file.write_text(program)
    return called(sys.executable, file, folder, timeout=120, PYTHONPATH=str(ROOT))


def test_a_worker_that_dies_with_a_lock_in_its_hands_keeps_nobody(tmp_path: Path) -> None:
    done = ended(DYING, tmp_path)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


@pytest.mark.parametrize("again", [False, True], ids=["in their time", "a second Ctrl-C"])
def test_workers_that_do_not_leave_off_are_ended(tmp_path: Path, again: bool) -> None:
    program = STUBBORN.replace("STOP_SECONDS = 1", "STOP_SECONDS = 110") if again else STUBBORN
    second = "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()"
    done = ended(program.replace("INTERRUPT_AGAIN", second if again else "pass"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "stopping the workers\ninterrupted\n"
    assert (tmp_path / "stop").exists()
