"""A run folder in MLflow while it grows, stops and goes on; and whose runs are whose."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.store.artifact import local_artifact_repo

from flows import settings
from flows.settings import Settings
from flows.tracking import unsent
from flows.tracking.mirror import Mirror, Tracker
from flows.tracking.sync import send_marked, sync
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

EXPERIMENT = Experiment.model_validate(
    {
        "name": "x",
        "task": {"kind": "tagging"},
        "train": {"monitor": "valid/loss"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
        },
    }
)
CHANGE = {"baseline": "b", "measure": "f1", "difference": 0.2, "low": 0.1, "high": 0.3}
RESULT = {"test": {"f1": 0.5}, "baselines": {"b": {"f1": 0.3}}, "difference": CHANGE}
RESULT |= {"tuned": {}, "counted": {}, "seconds": {}, "parameters": 1, "best_epoch": 1}


def a_run(home: Settings, name: str) -> RunFolder:
    run = RunFolder(home.runs / name)
    run.create(EXPERIMENT, {})
    return run


def epoch(run: RunFolder, number: int) -> None:
    run.append(
        "epoch",
        epoch=number,
        step=number,
        train={"loss": 1.0},
        valid={"loss": 1.0 / number},
        gradient={"refused": 0},
        seconds=0.1,
        peak_memory=1.0,
    )


def in_mlflow(home: Settings, run: RunFolder) -> Any:
    client = mlflow.MlflowClient(home.tracking)
    (experiment,) = (e for e in client.search_experiments() if e.name == "x")
    found = client.search_runs([experiment.experiment_id])
    return next(each for each in found if each.data.tags["rnnkit.run_id"] == run.id)


def curve(home: Settings, run: RunFolder) -> list[int]:
    client = mlflow.MlflowClient(home.tracking)
    points = client.get_metric_history(in_mlflow(home, run).info.run_id, "valid/loss")
    return [point.step for point in points]


@pytest.mark.parametrize("end", ["interrupted", "failed"])
def test_what_was_closed_opens_again_when_somebody_goes_on_with_it(
    home: Settings, end: str
) -> None:
    run = a_run(home, "x-1")
    epoch(run, 1)
    run.append(end, reason="it was stopped")
    mirror = Mirror(Tracker(home), run, None, {})
    mirror.finish("interrupted" if end == "interrupted" else "failed")
    assert mirror.is_closed(run.records())
    assert in_mlflow(home, run).info.status in ("KILLED", "FAILED")
    run.forget_after((1, 10**9))  # as a training does that goes on
    epoch(run, 2)
    assert not mirror.is_closed(run.records())
    mirror.advance()
    found = in_mlflow(home, run)
    assert (found.info.status, found.data.tags["rnnkit.state"]) == ("RUNNING", "running")
    run.append("finished")
    mirror.finish("finished")
    assert in_mlflow(home, run).info.status == "FINISHED"
    assert curve(home, run) == [1, 2]


def test_what_ended_between_two_looks_is_sent_whole(home: Settings) -> None:
    run = a_run(home, "x-1")
    run.append("interrupted")
    mirror = Mirror(Tracker(home), run, None, {})
    mirror.finish("interrupted")
    for number in (1, 2, 3):
        epoch(run, number)
    run.append("finished")
    assert not mirror.is_closed(run.records())
    mirror.finish("finished")
    assert in_mlflow(home, run).info.status == "FINISHED"
    assert curve(home, run) == [1, 2, 3]


def test_only_what_this_folder_left_open_is_closed(home: Settings, tmp_path: Path) -> None:
    shared = replace(settings.read(tmp_path / "others"), tracking=home.tracking)
    mine, theirs = a_run(home, "x-1"), a_run(shared, "x-2")
    for where, run in ((home, mine), (shared, theirs)):
        unsent.mark(where, run.id)
        Mirror(Tracker(where), run, None, {}).advance()
    send_marked(Tracker(home), home, lambda: False)
    assert in_mlflow(home, mine).info.status == "KILLED"
    assert in_mlflow(home, theirs).info.status == "RUNNING"
    assert (unsent.marked(home), unsent.marked(shared)) == (set(), {"x-2"})


def test_what_was_killed_after_its_end_is_closed_as_finished_with_its_numbers(
    home: Settings,
) -> None:
    run = a_run(home, "x-1")
    epoch(run, 1)
    unsent.mark(home, run.id)
    Mirror(Tracker(home), run, None, {}).advance()  # and the process is killed after:
    run.finish(RESULT)
    send_marked(Tracker(home), home, lambda: False)
    found = in_mlflow(home, run)
    assert (found.info.status, found.data.tags["rnnkit.state"]) == ("FINISHED", "finished")
    assert found.data.metrics["test/f1"] == 0.5
    assert curve(home, run) == [1]


def test_params_that_were_changed_later_stop_no_other_run(home: Settings) -> None:
    changed, other = a_run(home, "x-1"), a_run(home, "x-2")
    for run in (changed, other):
        Mirror(Tracker(home), run, None, {}).advance()
        run.append("interrupted")
    params = changed.path / "params.yaml"
    params.write_text(params.read_text().replace("hidden: 128", "hidden: 129"))
    with pytest.raises(InputError, match=r"hidden is 129, and was 128 when MLflow got it; undo"):
        Mirror(Tracker(home), RunFolder(changed.path), None, {}).advance()
    ends = {synced.run: synced.end for synced in sync(home)}
    assert ends == {"x-1": "unreadable", "x-2": "interrupted"}


def test_a_file_that_mlflow_was_copying_when_it_was_killed_is_deleted(home: Settings) -> None:
    run = a_run(home, "x-1")
    mirror = Mirror(Tracker(home), run, None, {})
    mirror.advance()
    address = in_mlflow(home, run).info.artifact_uri
    artifacts = Path(address.removeprefix("file://"))
    artifacts.mkdir(parents=True)
    # MLflow's own name, so that another version's is noticed here.
    copied = artifacts / f"{local_artifact_repo._TEMP_ARTIFACT_PREFIX}uhwfli9b"
    copied.write_text("half")
    run.finish(RESULT)
    mirror.finish("finished")
    assert not copied.exists()
    assert (artifacts / "params.yaml").exists()


def test_an_open_run_of_a_deleted_folder_is_closed_with_its_trials(home: Settings) -> None:
    run = a_run(home, "x-1")
    trial = RunFolder(run.path / "trials" / "trial-0000")
    trial.create(EXPERIMENT, {})
    other = a_run(home, "x-2")
    mirror = Mirror(Tracker(home), run, None, {})
    Mirror(Tracker(home), trial, mirror, {}).advance()
    Mirror(Tracker(home), other, None, {}).advance()
    unsent.mark(home, run.id)
    shutil.rmtree(run.path)
    send_marked(Tracker(home), home, lambda: False)
    client = mlflow.MlflowClient(home.tracking)
    found = client.search_runs([mirror.experiment_id])
    states = {each.data.tags["rnnkit.run_id"]: each.info.status for each in found}
    assert states == {"x-1": "KILLED", "x-1/trial-0000": "KILLED", "x-2": "RUNNING"}
    assert unsent.marked(home) == set()


def test_a_run_that_a_repeated_request_made_twice_is_there_once(home: Settings) -> None:
    run = a_run(home, "x-1")
    mirror = Mirror(Tracker(home), run, None, {})
    client = mlflow.MlflowClient(home.tracking)
    tags = client.get_run(mirror.mlflow_id).data.tags
    client.create_run(mirror.experiment_id, run_name=run.id, tags=tags)
    assert Mirror(Tracker(home), run, None, {}).mlflow_id == mirror.mlflow_id
    assert len(client.search_runs([mirror.experiment_id])) == 1


def test_no_password_is_in_a_link(home: Settings) -> None:
    away = replace(home, tracking="https://anna:secret@track.example.org/")
    assert Tracker(away).pages == "https://track.example.org"


def test_two_output_folders_of_one_process_keep_their_own_mlflow(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Tracker(home)
    assert settings.read(tmp_path / "second").tracking.endswith("second/mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    Tracker(home)
    assert settings.read(tmp_path / "second").tracking == "http://127.0.0.1:1"  # a person's own


def test_seeds_of_a_trial_have_curves_of_their_own_and_the_objective_is_over_them(
    home: Settings,
) -> None:
    trial = a_run(home, "trial-0000")
    losses = {0: [0.9, 0.5], 1: [0.8, 0.7]}
    for seed, curve_of_seed in losses.items():
        training = RunFolder(trial.path / f"seed-{seed}")
        training.create(EXPERIMENT, {})
        for number, loss in enumerate(curve_of_seed, start=1):
            line = {"epoch": number, "step": number, "train": {"loss": 1.0}, "seconds": 0.1}
            line |= {"valid": {"loss": loss}, "gradient": {"refused": 0}, "peak_memory": 1.0}
            training.append("epoch", **line)
        trial.append("seed", seed=seed, value=min(curve_of_seed), monitor="valid/loss")
    trial.append("finished", value=0.6, deviation=0.1)
    Mirror(Tracker(home), trial, None, {}).finish("finished")
    run, client = in_mlflow(home, trial), mlflow.MlflowClient(home.tracking)
    curves = {
        seed: client.get_metric_history(run.info.run_id, f"seed-{seed}/valid/loss")
        for seed in losses
    }
    found = {seed: [(p.step, p.value) for p in points] for seed, points in curves.items()}
    assert found == {0: [(1, 0.9), (2, 0.5)], 1: [(1, 0.8), (2, 0.7)]}
    objective = {k: v for k, v in run.data.metrics.items() if k.startswith("objective/")}
    names = ("objective/deviation", "objective/seed-0", "objective/seed-1")
    assert objective == dict(zip(names, (0.1, 0.5, 0.7), strict=True))
    assert run.data.metrics["best/valid/loss"] == 0.6
    assert run.data.metrics["work/training_seconds"] == pytest.approx(0.4)
    assert "valid/loss" not in run.data.metrics


def test_the_difference_from_the_best_baseline_is_in_mlflow(home: Settings) -> None:
    run = a_run(home, "x-1")
    run.finish(RESULT)
    Mirror(Tracker(home), run, None, {}).finish("finished")
    metrics = in_mlflow(home, run).data.metrics
    found = {name: value for name, value in metrics.items() if name.startswith("difference/")}
    assert found == {"difference/f1": 0.2, "difference/f1_low": 0.1, "difference/f1_high": 0.3}
