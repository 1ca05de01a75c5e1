"""A command that is killed leaves no process behind, whichever of them are just starting."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from command import RNNKIT, ROOT, SWEEP, environment

START_SECONDS = 120  # seconds a command may take to come to the moment, on a busy machine
LEFT_SECONDS = 10  # seconds after which no process may be left
MARK = "RNNKIT_TEST_MARK"


def living(mark: str) -> list[psutil.Process]:
    """The living processes with a mark in their environment."""
    processes = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                processes.append(process)
        except psutil.Error:
            continue
    return processes


def count(processes: list[psutil.Process], word: str) -> int:
    """How many processes have a word in their command line."""
    number = 0
    for process in processes:
        try:
            number += any(word in argument for argument in process.cmdline())
        except psutil.Error:
            continue
    return number


SERVER, WORKER = "rnnkit.runtime.parent_process", "--multiprocessing-fork"
MOMENTS: dict[str, tuple[Callable[[list[psutil.Process]], bool], float]] = {
    "a server is started": (lambda processes: count(processes, SERVER) > 0, 0),
    "a server imports": (lambda processes: count(processes, SERVER) > 0, 1),
    "a worker is started": (lambda processes: count(processes, WORKER) > 0, 0),
    "both workers import": (lambda processes: count(processes, WORKER) == 2, 1),
}
"""Name -> whether the processes are so far, and seconds after it until the kill."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_process_outlives_a_killed_command(tmp_path: Path, moment: str) -> None:
    params, mark = tmp_path / "sweep.yaml", uuid.uuid4().hex
    params.write_text(SWEEP)
    command = [*RNNKIT, "run", str(params), "--mlruns", str(tmp_path / "mlruns")]
    reached, seconds = MOMENTS[moment]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**{MARK: mark}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + START_SECONDS
        while not reached(living(mark)):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(seconds)
        process.kill()
    until = time.monotonic() + LEFT_SECONDS
    while left := living(mark):
        assert time.monotonic() < until, [other.cmdline() for other in left]
        time.sleep(0.1)
    assert os.listdir(tmp_path / "mlruns")
