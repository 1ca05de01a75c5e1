"""What a run must not leave behind: processes, locks, unfinished writes, runs that MLflow has as
RUNNING."""

import fcntl
import re
import sqlite3
import time
from pathlib import Path

from faults.home_state import MLFLOW, rows_of
from faults.started import processes

END_SECONDS = 30  # seconds that workers and servers get to see that their command is gone
TEMPORARY = re.compile(r"^\.|^tmp[a-z0-9_]{8}$|\.new$")
"""Names of unfinished writes, and of folders that a program made for an instant."""


def remains(case: Path, home: Path) -> list[str]:
    """What is left of the ended commands of a case, a line each."""
    return [*left_processes(case), *held_locks(home), *temporary(home), *running(home)]


def left_processes(case: Path) -> list[str]:
    """Processes that do not end by themselves in time."""
    until = time.monotonic() + END_SECONDS
    while (alive := processes(case)) and time.monotonic() < until:
        time.sleep(0.1)
    return [f"process {process.pid} is left: {process.name()}" for process in alive]


def held_locks(home: Path) -> list[str]:
    """Lock files that a process holds."""
    held = []
    for file in (*home.rglob("lock"), *home.rglob("*.turn"), *home.rglob("turn")):
        with file.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(f"{file.relative_to(home)} is locked")
    return held


def temporary(home: Path) -> list[str]:
    """Unfinished writes."""
    paths = (path.relative_to(home) for path in sorted(home.rglob("*")))
    return [
        f"{path} is an unfinished write"
        for path in paths
        if path.parts[0] not in ("matplotlib", "prefect") and TEMPORARY.search(path.name)
    ]


def running(home: Path) -> list[str]:
    """Runs that MLflow has as RUNNING, and runs that it has twice."""
    file = home / "mlflow.db"
    if not file.exists():
        return []
    query = (
        "SELECT tags.value, runs.status FROM runs LEFT JOIN tags "
        "ON tags.run_uuid = runs.run_uuid AND tags.key = 'rnnkit.run_id'"
    )
    try:
        runs = rows_of(file, query)
    except sqlite3.DatabaseError as error:
        return [f"{MLFLOW}'s database: {error}"]
    ids = [run for run, _ in runs]
    doubled = {run for run in ids if ids.count(run) > 1}
    left = [f"{MLFLOW} has {run} as {status}" for run, status in runs if status == "RUNNING"]
    return left + [
        f"{MLFLOW} has {run} {ids.count(run)} times" for run in sorted(map(str, doubled))
    ]
