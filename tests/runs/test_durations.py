"""How long the stages of a run took, over the processes that worked on it."""

from pathlib import Path

import pytest

from rnnkit.runs import run_folder
from rnnkit.runs.durations import LAST, Durations
from rnnkit.runs.run_folder import RunFolder


def test_seconds_are_summed_over_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process is killed in the middle of an epoch, and another one goes on an hour later."""
    folder, now = RunFolder(tmp_path), 1_000.0
    monkeypatch.setattr(run_folder.time, "time", lambda: now)
    first = Durations(folder)
    first.begin("prepare")
    now += 2
    first.begin("train")
    now += 10
    folder.append("epoch", epoch=1)
    now += 5
    folder.append("step", epoch=2)  # the last line of the process
    now += 3_600
    second = Durations(folder)
    second.begin("prepare")
    folder.forget_after((1, 10**9))  # as a training does that goes on
    now += 1
    second.begin("train")
    now += 20
    second.begin("evaluate")
    now += 4
    second.begin(LAST)
    assert second.seconds() == {"prepare": 3.0, "train": 35.0, "evaluate": 4.0}
    now += 7
    third = Durations(folder)  # killed as it wrote the report
    third.begin("prepare")
    now += 1
    third.begin(LAST)
    assert third.seconds() == {"prepare": 4.0, "train": 35.0, "evaluate": 4.0}


def test_a_killed_sweep_has_worked_until_its_trials_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, now = RunFolder(tmp_path), 1_000.0
    monkeypatch.setattr(run_folder.time, "time", lambda: now)
    Durations(folder).begin("tune")
    now += 30
    seed = RunFolder(tmp_path / "trials" / "trial-0000" / "seed-1")
    seed.path.mkdir(parents=True)
    seed.append("epoch", epoch=1)
    now += 500
    later = Durations(folder)
    later.begin("tune")
    now += 10
    later.begin("evaluate")
    assert later.seconds() == {"tune": 40.0}
