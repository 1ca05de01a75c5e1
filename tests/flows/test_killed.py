"""Real runs that are killed: MLflow has each row once, and nothing is left open."""

import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command import RNNKIT, ROOT, SMALL, called, environment

from flows import settings
from flows.tracking import unsent
from flows.tracking.rows import rows_of
from rnnkit.runs.run_folder import RunFolder

LONG = SMALL.replace("limit: 60", "limit: 400")
LONG = LONG.replace("epochs: 3", "epochs: 4").replace("batch_size: 16", "batch_size: 2")
KILLS = 3
START_SECONDS = 250


class Killed:
    """A run's command, its output folder and what MLflow has of it."""

    def __init__(self, folder: Path, prefect: str) -> None:
        self.home, self.params = folder / "mlruns", folder / "small.yaml"
        self.prefect = prefect
        self.params.write_text(LONG)
        self.command = [*RNNKIT, "run", str(self.params), "--mlruns", str(self.home)]

    @property
    def run(self) -> RunFolder:
        return RunFolder(next(iter((self.home / "runs").glob("small-*")), self.home / "none"))

    def kill_when(self, reached: Callable[[], Any]) -> None:
        """Starts the command and kills it once something is reached."""
        process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(PREFECT_API_URL=self.prefect),
        )
        until = time.monotonic() + START_SECONDS
        while not reached():
            assert process.poll() is None, "it ended before it was to be killed"
            assert time.monotonic() < until
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def finish(self) -> "subprocess.CompletedProcess[str]":
        return called(*self.command, PREFECT_API_URL=self.prefect)

    def query(self, sql: str) -> list[Any]:
        file = self.home / "mlflow.db"
        if not file.exists():  # MLflow was not reached yet
            return []
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def rows(self) -> "Counter[tuple[str, int]]":
        return Counter(self.query("SELECT key, step FROM metrics"))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Killed:
    return Killed(tmp_path_factory.mktemp("killed"), prefect_api)


def test_rows_are_there_once_after_a_chain_of_kills_in_the_middle_of_epochs(
    killed: Killed,
) -> None:
    done = 0

    def amid() -> bool:
        """MLflow has a row of this process's, and the journal ends in the middle of an epoch."""
        lines = killed.run.records()
        epochs = sum(line["kind"] == "epoch" for line in lines)
        return epochs > done and lines[-1]["kind"] == "step" and bool(killed.rows())

    for _ in range(KILLS):
        killed.kill_when(amid)
        done = len(killed.run.records("epoch"))
    ended = killed.finish()
    assert (ended.returncode, ended.stderr) == (0, "")
    expected = Counter((row.name, row.step) for row in rows_of(killed.run, finished=True))
    assert killed.rows() == expected
    assert killed.query("SELECT status FROM runs") == [("FINISHED",)]
    assert unsent.marked(settings.read(killed.home)) == set()


def test_a_run_killed_after_its_manifest_is_closed_by_the_same_command(
    tmp_path: Path, prefect_api: str
) -> None:
    killed = Killed(tmp_path, prefect_api)
    killed.params.write_text(SMALL)
    killed.kill_when(lambda: (killed.run.path / "manifest.json").exists())
    assert killed.run.status == "finished"
    # Finished, if MLflow had the end a moment before the kill
    assert killed.query("SELECT status FROM runs") in ([], [("RUNNING",)], [("FINISHED",)])
    shown = killed.finish()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "is finished already" in shown.stdout
    usual = ("in MLflow and Prefect", "its MLflow list")
    assert not [
        line
        for line in shown.stdout.splitlines()
        if "MLflow" in line and not any(map(line.count, usual))
    ]
    assert killed.query("SELECT status FROM runs") == [("FINISHED",)]
    expected = Counter((row.name, row.step) for row in rows_of(killed.run, finished=True))
    assert killed.rows() == expected
    assert ("test/accuracy", 0) in expected
    assert unsent.marked(settings.read(killed.home)) == set()
