"""What MLflow's pages show of runs beside their numbers, read back from a database."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pytest
from test_mirror import EXPERIMENT, RESULT, a_run, epoch, in_mlflow

from flows.settings import Settings
from flows.tracking.descriptions import note_of, values_text
from flows.tracking.mirror import Mirror, Tracker
from flows.tracking.rows import rows_of
from flows.tracking.view_links import NEWEST, RANKED, SHARED, local_experiments, view_address
from flows.tracking.views import PRIMARY, view_tags
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import FINGERPRINT, RunFolder
from rnnkit.runtime import files
from rnnkit.runtime.provenance import git_facts, provenance

FACTS = {"git_commit": "0123456789abcdef", "git_changed": "yes", "user": "anna", "rnnkit": "1.2"}
FACTS |= {"python": "3.11.7", "host": "box", "cpu": "A CPU", "data": "f" * 64}
BETTER = {**RESULT, "verdict": "The network beats its best baseline, b.", "training": "Trained."}
BETTER["difference"] = {**RESULT["difference"], "verdict": "better"}


def finished(home: Settings, result: Mapping[str, Any]) -> RunFolder:
    run = a_run(home, "x-1")
    files.write_json(run.path / FINGERPRINT, FACTS)
    run.append("prepared", sha256="d" * 64, source="a source", monitor="valid/loss")
    epoch(run, 1)
    run.finish(dict(result))
    return run


def trial_of(run: RunFolder, values: Mapping[str, Any]) -> RunFolder:
    trial = RunFolder(run.path / "trials" / "trial-0003")
    trial.create(run.experiment.replace(values), {"values": dict(values)})
    trial.append("begun", values=dict(values), attributes={})
    epoch(trial, 1)
    trial.append("pruned")
    return trial


def test_a_run_says_who_made_it_with_which_code_and_what_came_of_it(home: Settings) -> None:
    run = finished(home, BETTER)
    Mirror(Tracker(home), run, None, {}).finish("finished")
    tags = in_mlflow(home, run).data.tags
    expected = {
        "mlflow.user": "anna",
        "mlflow.source.git.commit": "0123456789abcdef",
        "mlflow.source.git.dirty": "yes",
        "mlflow.source.type": "LOCAL",
        "rnnkit.version": "1.2",
        "rnnkit.python": "3.11.7",
        "rnnkit.host": "box",
        "rnnkit.cpu": "A CPU",
        "rnnkit.verdict": "beats b",
    }
    assert expected.items() <= tags.items()
    note = tags["mlflow.note.content"]
    assert "The network beats its best baseline, b." in note
    assert "`rnnkit run params.yaml`" in note
    assert "in commit `0123456789` (with changes that were not committed)" in note
    assert "on data with sha256 `ffffffffff`" in note


def test_tuned_values_and_a_failure_stand_in_the_description(home: Settings) -> None:
    trials = {"complete": 3, "pruned": 1, "failed": 0}
    run = finished(home, {**BETTER, "tuned": {"train.clip": 2.34567}, "trials": trials})
    note = note_of(run, "finished")
    assert "- `train.clip`: 2.346" in note
    assert "3 complete, 1 pruned, 0 failed" in note
    failed = a_run(home, "x-2")
    failed.append("failed", reason="ValueError: no luck")
    assert note_of(failed, "failed").startswith("**failed**: ValueError: no luck")


def test_a_trial_is_named_by_what_it_tried_and_has_its_sweeps_data_and_code(
    home: Settings,
) -> None:
    run = finished(home, BETTER)
    trial = trial_of(run, {"train.clip": 2.34567, "model.cell.kind": "lstm"})
    tracker = Tracker(home)
    Mirror(tracker, trial, Mirror(tracker, run, None, {}), {}).finish("pruned")
    client = mlflow.MlflowClient(home.tracking)
    (found,) = client.search_runs(
        [client.get_experiment_by_name("x").experiment_id],
        filter_string="tags.`rnnkit.run_id` = 'x-1/trial-0003'",
    )
    assert found.info.run_name == "trial 3: cell lstm, clip 2.346"
    assert found.data.tags["mlflow.source.git.commit"] == "0123456789abcdef"
    (data,) = found.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("python_tokens", "d" * 32)
    assert "A trial of `x-1`, with cell lstm, clip 2.346." in found.data.tags["mlflow.note.content"]
    assert found.data.params["model.cell.kind"] == "lstm"
    assert found.data.metrics["work/training_seconds"] == pytest.approx(0.1)


def test_a_run_has_the_times_of_its_journal_whenever_it_is_sent(home: Settings) -> None:
    run = finished(home, BETTER)
    lines = run.records()
    Mirror(Tracker(home), run, None, {}).finish("finished")
    info = in_mlflow(home, run).info
    assert (info.start_time, info.end_time) == (lines[0]["time"], lines[-1]["time"])


def test_only_params_that_apply_to_the_task_are_sent(home: Settings) -> None:
    run = finished(home, BETTER)
    Mirror(Tracker(home), run, None, {}).finish("finished")
    params = in_mlflow(home, run).data.params
    assert {"model.cell.kind", "train.clip", "data.source.name"} <= params.keys()
    assert not [path for path in params if path.startswith(("data.window", "model.attention"))]


def test_the_objective_is_the_first_metric_and_no_loss_is_of_a_single_batch(
    home: Settings,
) -> None:
    run = a_run(home, "x-1")
    for number, loss in ((1, 0.5), (2, 0.7), (3, 0.4)):
        run.append(
            "epoch",
            epoch=number,
            step=number,
            train={"loss": 1.0},
            valid={"loss": loss},
            gradient={"refused": 0},
            seconds=0.5,
            peak_memory=1.0,
        )
    rows = rows_of(run)
    assert min(row.name for row in rows) == "best/valid/loss"
    Mirror(Tracker(home), run, None, {}).advance()
    assert next(iter(in_mlflow(home, run).data.metrics)) == "best/valid/loss"
    assert [row.value for row in rows if row.name == "best/valid/loss"] == [0.5, 0.5, 0.4]
    assert [r.value for r in rows if r.name == "work/training_seconds"] == [0.5, 1.0, 1.5]
    assert [row.step for row in rows if row.name == "train/loss"] == [1, 2, 3]


def test_the_list_of_runs_has_columns_that_answer_in_two_orders(home: Settings) -> None:
    run = finished(home, BETTER)
    Mirror(Tracker(home), run, None, {}).finish("finished")
    tags = mlflow.MlflowClient(home.tracking).get_experiment_by_name("x").tags
    newest, ranked = (json.loads(tags[SHARED + key]) for key in (NEWEST, RANKED))
    assert newest["selectedColumns"] == ranked["selectedColumns"]
    assert set(newest["columnOrder"]) == {*newest["selectedColumns"], "duration"}
    assert set(newest["columnWidths"]) == set(newest["columnOrder"])
    assert newest["selectedColumns"][:2] == ["metrics.`best/valid/loss`", "tags.`rnnkit.verdict`"]
    assert {"attributes.`Dataset`", "attributes.`Version`"} <= set(newest["selectedColumns"])
    assert (ranked["orderByKey"], ranked["orderByAsc"]) == ("metrics.`best/valid/loss`", True)
    assert tags[PRIMARY] == "best/valid/loss"
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    (number,) = local_experiments(home).values()
    assert view_address(home, "x") == (
        f"http://127.0.0.1:5000/#/experiments/{number}/runs?viewStateShareKey={RANKED}"
        "&workflowType=machine_learning"
    )
    assert view_address(home, "y") == ""


def test_the_columns_do_not_depend_on_which_of_two_sweeps_is_sent_last() -> None:
    searched = [
        {"train.clip": {"low": 0.5, "high": 10}},
        {"train.optimizer.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}},
    ]
    sweeps = [EXPERIMENT.replace({"tune": {"trials": 2, "search": search}}) for search in searched]

    def columns(order: list[Experiment]) -> set[str]:
        tags: dict[str, str] = {}
        for sweep in order:
            tags |= view_tags(sweep, tags)
        return set(json.loads(tags[SHARED + NEWEST])["selectedColumns"])

    assert columns(sweeps) == columns(sweeps[::-1])
    assert {"params.`train.clip`", "params.`train.optimizer.learning_rate`"} <= columns(sweeps)


@pytest.mark.parametrize("damaged", ["", "no json", "[]", '{"selectedColumns": 7}'])
def test_a_view_that_a_person_damaged_is_made_again(damaged: str) -> None:
    whole = view_tags(EXPERIMENT, {})
    assert view_tags(EXPERIMENT, {SHARED + NEWEST: damaged}) == whole


def test_no_view_is_known_of_a_database_that_cannot_be_read(home: Settings) -> None:
    (home.home / "mlflow.db").write_bytes(b"no database")
    assert local_experiments(home) == {}


def test_values_are_named_by_the_last_part_of_their_paths() -> None:
    assert values_text({"data.window": 96, "train.schedule.kind": "cosine"}) == (
        "window 96, schedule cosine"
    )


def test_the_commit_of_a_repository_and_whether_it_was_changed(tmp_path: Path) -> None:
    import subprocess

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, "-C", tmp_path, *arguments], check=True)

    assert git_facts(tmp_path) == {}
    git("init", "-q")
    assert git_facts(tmp_path) == {}  # without a commit
    (tmp_path / "a.txt").write_text("a")
    git("add", ".")
    git("commit", "-qm", "a")
    facts = git_facts(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", facts["git_commit"])
    assert facts["git_changed"] == "no"
    (tmp_path / "a.txt").write_text("b")
    assert git_facts(tmp_path)["git_changed"] == "yes"
    assert {"rnnkit", "python", "host", "cpu"} <= provenance().keys()


def test_a_rebuilt_database_has_the_same_tags_names_and_times(home: Settings) -> None:
    from flows.tracking.rebuild import rebuild

    run = finished(home, BETTER)
    trial = trial_of(run, {"train.clip": 2.0})
    tracker = Tracker(home)
    mirror = Mirror(tracker, run, None, {})
    Mirror(tracker, trial, mirror, {}).finish("pruned")
    mirror.finish("finished")

    def content() -> list[Any]:
        with closing(sqlite3.connect(home.home / "mlflow.db")) as database:
            runs = "SELECT name, start_time, end_time, status FROM runs ORDER BY name"
            tags = "SELECT key, value FROM tags WHERE key != 'mlflow.parentRunId' ORDER BY 1, 2"
            views = "SELECT key, value FROM experiment_tags ORDER BY 1, 2"
            return [list(database.execute(query)) for query in (runs, tags, views)]

    before = content()
    rebuild(home)
    assert content() == before
