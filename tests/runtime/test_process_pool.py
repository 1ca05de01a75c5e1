"""Work over several processes: what it makes, and that no process stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rnnkit.runtime.process_pool import map_in_processes

PROGRAM = """
import sys
from rnnkit.runtime.process_pool import map_in_processes
sys.path.insert(0, sys.argv[1])
from work import work
print("done", map_in_processes(work, [sys.argv[2]] * 8, 2)[0] is not None)
"""
WORK = """
import os, time
def work(folder):
    open(f"{folder}/{os.getpid()}", "w").close()
    BUSY
"""
BUSY = {
    "at work": "time.sleep(300)",
    "with an answer that nobody fetches": "return bytes(50_000_000)",
}


def pids(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def fail(item: int) -> int:
    raise ValueError(f"no luck with {item}")


def own_pid(item: int) -> tuple[int, int]:
    time.sleep(0.05)
    return item, os.getpid()


def test_results_stand_in_the_order_of_the_items_and_the_processes_are_gone() -> None:
    found = map_in_processes(own_pid, list(range(12)), 2)
    assert [item for item, _ in found] == list(range(12))
    workers = {pid for _, pid in found}
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert not any(map(is_alive, workers))
    assert {pid for _, pid in map_in_processes(own_pid, [1, 2], 1)} == {os.getpid()}
    assert map_in_processes(own_pid, [], 2) == []


def test_what_fails_there_fails_here() -> None:
    with pytest.raises(ValueError, match="no luck with"):
        map_in_processes(fail, [1, 2, 3], 2)


@pytest.mark.parametrize("busy", ["at work", "with an answer that nobody fetches"])
def test_they_end_with_the_process_that_waits(tmp_path: Path, busy: str) -> None:
    (tmp_path / "work.py").write_text(WORK.replace("BUSY", BUSY[busy]))
    folder = tmp_path / "pids"
    folder.mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], env=environment)
    until = time.monotonic() + 60
    while len(pids(folder)) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    process.kill()
    process.wait()
    until = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids(folder)):
        assert time.monotonic() < until
        time.sleep(0.1)
