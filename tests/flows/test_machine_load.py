"""The load of the machine: what the thread writes, what MLflow gets of it, and that it ends."""

import threading
from pathlib import Path

import pytest
from test_mirror import a_run, in_mlflow

from flows.settings import Settings
from flows.tracking import machine_load
from flows.tracking.machine_load import LoadMeter, rows_of_load
from flows.tracking.mirror import Mirror, Tracker
from flows.tracking.sync import sync
from rnnkit.runs.run_folder import LOAD, RunFolder

VALUES = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
}


def measured(run: RunFolder, lines: int) -> None:
    """Measures until so many lines are there."""
    before = len((run.path / LOAD).read_text().splitlines()) if (run.path / LOAD).exists() else 0
    meter = LoadMeter(run)
    meter.start()
    waiting = threading.Event()
    for _ in range(200):
        file = run.path / LOAD
        if file.exists() and len(file.read_text().splitlines()) >= before + lines:
            break
        waiting.wait(0.05)
    meter.stop()
    after = file.read_text()
    waiting.wait(0.1)
    assert file.read_text() == after  # it has ended
    assert len(after.splitlines()) >= before + lines


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_load, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(machine_load, "SAMPLE_SECONDS", 0.01)


def test_values_are_sent_once_under_mlflows_own_names(home: Settings) -> None:
    run = a_run(home, "x-1")
    run.append("begun")
    measured(run, 3)
    Mirror(Tracker(home), run, None, {}).advance()
    measured(run, 2)  # a resumed run goes on
    run.append("interrupted")
    Mirror(Tracker(home), run, None, {}).finish("interrupted")
    metrics = in_mlflow(home, run).data.metrics
    assert metrics.keys() >= VALUES
    assert 0 <= metrics["system/cpu_utilization_percentage"] <= 100
    assert 0 < metrics["system/system_memory_usage_percentage"] <= 100
    steps = [step for name, step, *_ in rows_of_load(run) if name == min(VALUES)]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 5
    assert not any(synced.sent for synced in sync(home))


def test_an_unfinished_line_is_no_value_and_the_next_process_cuts_it_off(home: Settings) -> None:
    run = a_run(home, "x-1")
    measured(run, 1)
    whole = len(list(rows_of_load(run)))
    with (run.path / LOAD).open("a") as file:
        file.write('{"time": 1, "cpu')
    assert len(list(rows_of_load(run))) == whole
    measured(run, 1)
    assert len(list(rows_of_load(run))) > whole


def test_a_short_run_has_no_values_and_a_finished_one_stays_whole(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_load, "FIRST_SECONDS", 60)
    run = a_run(home, "x-1")
    meter = LoadMeter(run)
    meter.start()
    meter.stop()
    assert list(rows_of_load(run)) == []
    run.finish({})
    monkeypatch.setattr(machine_load, "FIRST_SECONDS", 0.01)
    measured(run, 1)
    assert run.reopen_if_damaged() == []


def test_a_folder_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    meter = LoadMeter(RunFolder(tmp_path / "gone"))
    meter.start()
    threading.Event().wait(0.1)
    meter.stop()
