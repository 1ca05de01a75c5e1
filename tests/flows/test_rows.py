"""Which rows MLflow gets of a journal, by handmade ones: each metric once for each step, and none
that a resume would write again. SQLite's own table is compared."""

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import mlflow
import pytest
from test_mirror import EXPERIMENT

from flows.settings import Settings
from flows.tracking.mirror import End, Mirror, Tracker
from flows.tracking.rows import durable, rows_of
from flows.tracking.sync import sync
from rnnkit.runs.run_folder import JOURNAL, RunFolder
from rnnkit.runtime import files

STEPS = 4  # step records of an epoch


class Journal:
    """A run folder whose journal is written by hand, at a clock of its own.

    Args:
        checkpoints: whether each epoch has a record of its checkpoint, and one in its middle.
    """

    def __init__(self, home: Settings, name: str, *, checkpoints: bool) -> None:
        self.run, self.checkpoints, self.clock = RunFolder(home.runs / name), checkpoints, 0
        self.run.create(EXPERIMENT, {})

    def append(self, kind: str, **record: Any) -> None:
        self.clock += 1
        files.append_line(self.run.path / JOURNAL, {"kind": kind, "time": self.clock, **record})

    def steps(self, epoch: int, count: int = STEPS) -> None:
        """The first step records of an epoch."""
        for k in range(count):
            step = (epoch - 1) * STEPS + k + 1
            values = {"loss": 1 / step, "gradient_norm": 1.0, "gradient_norm_max": 2.0}
            values |= {"clipped_fraction": 0.0, "learning_rate": 0.1}
            self.append("step", epoch=epoch, step=step, threshold=None, **values)
            if self.checkpoints and k == STEPS // 2 - 1:
                self.append("checkpoint", epoch=epoch, step=step)

    def epoch(self, number: int) -> None:
        """An epoch with its step records."""
        self.steps(number)
        step = number * STEPS
        values: dict[str, Any] = {"train": {"loss": 1.0}, "valid": {"loss": 1 / number}}
        values |= {"gradient": {"refused": 0}, "seconds": 0.1, "peak_memory": 1.0}
        self.append("epoch", epoch=number, step=step, **values)
        if self.checkpoints:
            self.append("checkpoint", epoch=number, step=step)

    def resume(self) -> None:
        """Forgets what stands beyond the newest checkpoint, as a resumed training does."""
        lines = self.run.records()
        last = max((i for i, line in enumerate(lines) if line["kind"] in self.ends), default=-1)
        self._write(lines[: last + 1])

    def go_on(self, number: int) -> None:
        """Resumes, and writes the rest of an epoch, whose records have other times."""
        self.resume()
        done = self.last_step
        lines = self.run.records()
        self.epoch(number)
        new = self.run.records()[len(lines) :]
        self._write(lines + [line for line in new if line.get("step", 0) > done])

    def _write(self, lines: list[dict[str, Any]]) -> None:
        text = "".join(files.canonical_json(line) + "\n" for line in lines)
        files.write_atomic(self.run.path / JOURNAL, text)

    @property
    def ends(self) -> tuple[str, ...]:
        return ("checkpoint",) if self.checkpoints else ("epoch",)

    @property
    def last_step(self) -> int:
        """The step of the newest checkpoint; 0 if there is none."""
        return max((r["step"] for r in self.run.records() if r["kind"] in self.ends), default=0)


@pytest.fixture(params=[True, False], ids=["with-checkpoints", "without"])
def journal(request: pytest.FixtureRequest, home: Settings) -> Journal:
    return Journal(home, "x-1", checkpoints=request.param)


def in_database(home: Settings, run: RunFolder) -> "Counter[tuple[str, int]]":
    """How often SQLite's table has each (metric, step) of a run."""
    with closing(sqlite3.connect(home.home / "mlflow.db")) as database:
        return Counter(
            database.execute(
                "SELECT metrics.key, metrics.step FROM metrics JOIN tags USING (run_uuid) "
                "WHERE tags.key = 'rnnkit.run_id' AND tags.value = ?",
                (run.id,),
            )
        )


def once(run: RunFolder) -> "Counter[tuple[str, int]]":
    """Each (metric, step) that MLflow should have, once."""
    return Counter((row.name, row.step) for row in rows_of(run))


def test_only_what_stands_before_the_newest_checkpoint_is_sent(
    home: Settings, journal: Journal
) -> None:
    journal.epoch(1)
    journal.steps(2, count=3)  # the checkpoint of the middle is after the second
    Mirror(Tracker(home), journal.run, None, {}).advance()
    sent = in_database(home, journal.run)
    steps = {step for name, step in sent if name == "step/loss"}
    assert steps == set(range(1, journal.last_step + 1))
    assert journal.last_step == (6 if journal.checkpoints else 4)
    assert set(sent.values()) == {1}


def test_rows_are_there_once_after_kills_in_the_middle_of_epochs(
    home: Settings, journal: Journal
) -> None:
    """Each process sends, writes on and is killed; the next one forgets and writes the same steps
    with other times."""
    for number in range(1, 7):
        mirror = Mirror(Tracker(home), journal.run, None, {})  # as a new process does
        mirror.advance()
        journal.steps(number, count=3)
        mirror.advance()
        journal.go_on(number)
        mirror.advance()
    journal.append("finished")
    mirror.finish("finished")
    assert in_database(home, journal.run) == once(journal.run)
    assert {s for name, s in once(journal.run) if name == "step/loss"} == set(range(1, 25))
    assert not any(synced.sent for synced in sync(home) if synced.end == "finished")


def test_a_run_that_failed_and_was_resumed_lacks_no_row(home: Settings, journal: Journal) -> None:
    journal.epoch(1)
    journal.steps(2, count=3)
    journal.append("failed", reason="no luck")
    Mirror(Tracker(home), journal.run, None, {}).finish("failed")
    before = in_database(home, journal.run)
    assert max(step for _, step in before) == journal.last_step
    for number in (2, 3):
        journal.go_on(number)
    journal.append("failed", reason="again")  # the same status as MLflow has
    assert [synced.sent for synced in sync(home)] == [True]
    assert in_database(home, journal.run) == once(journal.run)
    assert max(step for _, step in once(journal.run)) == 12
    assert [synced.sent for synced in sync(home)] == [False]
    assert in_database(home, journal.run) == once(journal.run)


def test_rows_that_another_process_sent_are_not_sent_again(
    home: Settings, journal: Journal
) -> None:
    """Whatever their times: of a request without an answer it is not known whether it arrived."""
    journal.epoch(1)
    first = Mirror(Tracker(home), journal.run, None, {})
    client = mlflow.MlflowClient(home.tracking)
    for row in rows_of(journal.run)[::2]:
        client.log_metric(first.mlflow_id, row.name, row.value, timestamp=7, step=row.step)
    Mirror(Tracker(home), journal.run, None, {}).finish("interrupted")
    assert in_database(home, journal.run) == once(journal.run)


@pytest.mark.parametrize(
    ("end", "folder", "sent"),
    [
        ("finished", "trials/trial-0000", 7),
        ("pruned", "trials/trial-0000", 7),
        ("failed", "trials/trial-0000", 7),
        ("adopted", "", 7),
        ("failed", "", 6),
        ("interrupted", "", 6),
        ("interrupted", "trials/trial-0000", 6),
    ],
)
def test_all_of_a_journal_is_sent_where_no_training_goes_on(
    home: Settings, end: str, folder: str, sent: int
) -> None:
    name = f"x-1/{folder}" if folder else "x-1"
    journal = Journal(home, name, checkpoints=True)
    journal.epoch(1)
    journal.steps(2, count=3)
    journal.append(end)
    rows = [row for row in rows_of(journal.run) if row.name == "step/loss"]
    assert len(rows) == sent


def test_seeds_of_a_trial_count_as_the_trial_does(home: Settings) -> None:
    seed = Journal(home, "x-1/trials/trial-0000/seed-0", checkpoints=True)
    seed.steps(1, count=3)
    trial = RunFolder(seed.run.path.parent)
    trial.create(EXPERIMENT, {})
    assert len([row for row in rows_of(trial) if row.name == "seed-0/step/loss"]) == 2
    trial.append("pruned")
    assert len([row for row in rows_of(trial) if row.name == "seed-0/step/loss"]) == 3


def test_records_of_no_training_count_at_once() -> None:
    lines = [{"kind": "prepared"}, {"kind": "step"}, {"kind": "seed"}]
    assert durable(lines, final=False) == [lines[0], lines[2]]


@pytest.mark.parametrize("end", ["interrupted", "failed"])
def test_a_closed_run_that_has_all_is_not_opened_again(
    home: Settings, journal: Journal, end: End
) -> None:
    journal.epoch(1)
    journal.append(end)
    Mirror(Tracker(home), journal.run, None, {}).finish(end)
    client = mlflow.MlflowClient(home.tracking)
    mirror = Mirror(Tracker(home), journal.run, None, {})
    before = client.get_run(mirror.mlflow_id)
    mirror.finish(end)
    after = client.get_run(mirror.mlflow_id)
    assert (after.info.end_time, after.data.tags) == (before.info.end_time, before.data.tags)
    assert mirror.is_closed(journal.run.records())


def test_measurements_of_the_diagnosis_are_metrics_by_layer() -> None:
    from flows.tracking.rows import _of_diagnosis

    curve = {"lags": [0], "norms": [1.0], "factor": 0.5, "vanishes": 20, "explodes": None}
    gates = {gate: {"radius": 1.0, "largest": 2.0, "gain": 0.5} for gate in "rz"}
    cells = {"layer0": {"gates": gates, "memory": 3.0}, "layer1": {"gates": {"h": {"radius": 0.1}}}}
    named = _of_diagnosis({"gradient": {"layer0": curve}, "cells": cells})
    assert named["gradient_through_time/factor/layer0"] == 0.5
    assert named["gradient_through_time/vanishes/layer0"] == 20
    assert "gradient_through_time/explodes/layer0" not in named
    assert named["recurrent/spectral_radius/layer0/z"] == 1.0
    assert named["recurrent/largest_singular_value/layer0/r"] == 2.0
    assert named["recurrent/jacobian_gain/layer0/r"] == 0.5
    assert named["recurrent/spectral_radius/layer1"] == 0.1
    assert named["recurrent/memory/layer0"] == 3.0
    assert len(named) == 10
