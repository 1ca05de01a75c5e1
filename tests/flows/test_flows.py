"""The whole flow as a person runs it: a sweep, its run folder, MLflow, a kill and a second start.

The command runs in processes of its own, with its own servers, over a temporary output folder.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import safetensors.torch
from command import RNNKIT, ROOT, SMALL, SWEEP, environment, flow_runs

from flows import settings
from flows.tracking.locations import HOME, home_of
from flows.tracking.registry import ID
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import verify_manifest


def start(home: Path, params: Path, *more: str, prefect: str = "") -> "subprocess.Popen[str]":
    return command(home, "run", str(params), *more, prefect=prefect)


def command(home: Path, *arguments: str, prefect: str = "") -> "subprocess.Popen[str]":
    """With the address of Prefect's server, if it is not to start its own."""
    return subprocess.Popen(
        [*RNNKIT, *arguments, "--mlruns", str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PREFECT_API_URL=prefect) if prefect else environment(),
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


class Done:
    """A finished run of the small sweep."""

    def __init__(self, folder: Path) -> None:
        self.home, self.params = folder / "mlruns", folder / "small.yaml"
        self.params.write_text(SWEEP)
        self.status, self.out, self.err = finish(start(self.home, self.params))

    @property
    def run(self) -> RunFolder:
        (path,) = (self.home / "runs").glob("small-*")
        return RunFolder(path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return Done(tmp_path_factory.mktemp("sweep"))


@pytest.fixture
def client(done: Done) -> Any:
    import mlflow

    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{done.home / 'mlflow.db'}")


def runs_of(client: Any, experiment: str = "small") -> list[Any]:
    ids = [e.experiment_id for e in client.search_experiments() if e.name == experiment]
    return list(client.search_runs(ids))


def test_the_command_ends_with_the_table_and_nothing_on_standard_error(done: Done) -> None:
    assert (done.status, done.err) == (0, "")
    assert "most frequent tag per token" in done.out
    assert "Tuned: " in done.out
    assert "rnnkit up" in done.out


def test_the_run_folder_is_whole(done: Done) -> None:
    assert done.run.status == "finished"
    assert verify_manifest(done.run.path) == []
    result = done.run.result
    assert sum(result["trials"].values()) == 4
    assert set(result["tuned"]) == {"train.clip", "model.depth"}
    names = {path.stem for path in (done.run.path / "figures").glob("*.png")}
    search = {"study", "history", "parallel_coordinates", "network"}
    task = {"learning_curves", "confusion_matrix", "coloured_text"}
    diagnosis = {"gradient_through_time", "recurrent_weights"}
    diagnosis |= {"memory_span", "gradient_norms", "hidden_states"}
    assert names - {"importance"} == task | search | diagnosis


def test_only_the_best_trial_is_diagnosed(done: Done) -> None:
    """At its start and where its checkpoints are; the sweep measured no trial."""
    assert {0, done.run.result["best_epoch"]} <= {
        line["epoch"] for line in done.run.records("diagnosis")
    }
    assert isinstance(done.run.result["verdicts"], list)
    trials = [RunFolder(path) for path in (done.run.path / "trials").glob("*")]
    assert trials
    assert [trial.id for trial in trials if trial.records("diagnosis")] == []


def test_the_best_trial_is_the_runs_model(done: Done) -> None:
    weights = safetensors.torch.load_file(done.run.path / "model" / "weights.safetensors")
    adopted = done.run.records("adopted")[0]["trial"]
    tensors, _ = RunFolder(done.run.path / "trials" / adopted).best_checkpoint()
    assert all(tensors[f"weights/{name}"].equal(value) for name, value in weights.items())
    assert "tune: null" in (done.run.path / "model" / "params.yaml").read_text()


def test_mlflow_has_the_parent_with_curves_and_a_child_for_each_trial(
    done: Done, client: Any
) -> None:
    runs = runs_of(client)
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    (parent,) = parents
    children = [r for r in runs if r is not parent]
    assert parent.data.tags["rnnkit.run_id"] == done.run.id
    assert parent.info.status == "FINISHED"
    assert len(client.get_metric_history(parent.info.run_id, "valid/loss")) >= 1
    for path, value in done.run.result["tuned"].items():
        assert parent.data.params[path] == str(value)  # what was found, not what was there before
    assert parent.data.metrics["test/accuracy"] == done.run.result["test"]["accuracy"]
    assert parent.inputs.dataset_inputs[0].dataset.digest
    artifacts = {f.path for f in client.list_artifacts(parent.info.run_id)}
    assert {"figures", "report.html", "params.yaml", "predictions.parquet"} <= artifacts
    assert len(children) == 4
    for child in children:
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert {"train.clip", "model.depth"} <= set(child.data.params)
        name = child.data.tags["rnnkit.run_id"].rpartition("/")[2]
        folder = RunFolder(done.run.path / "trials" / name)
        last = folder.records()[-1]["kind"]
        assert child.info.status == {"finished": "FINISHED", "pruned": "KILLED"}[last]
        assert child.data.tags["rnnkit.state"] == last
        curve = client.get_metric_history(child.info.run_id, "valid/loss")
        assert len(curve) == len(folder.records("epoch"))


def test_what_is_sent_later_is_what_was_sent_live(done: Done, client: Any) -> None:
    from flows import settings
    from flows.tracking.sync import sync

    own = settings.read(done.home)
    assert not any(each.sent for each in sync(own))  # nothing is missing there
    other = replace(own, tracking=f"sqlite:///{done.home / 'other.db'}")
    assert all(each.sent for each in sync(other))
    import mlflow

    later = mlflow.MlflowClient(tracking_uri=other.tracking)
    assert all_of(later) == all_of(client)


def all_of(client: Any, experiment: str = "small") -> dict[str, Any]:
    """Everything that MLflow has of each run, but what it makes up itself."""
    found = {}
    for run in runs_of(client, experiment):
        own = run.info.run_id
        curves = {
            name: sorted(
                (m.step, m.timestamp, m.value) for m in client.get_metric_history(own, name)
            )
            for name in run.data.metrics
        }
        tags = {k: v for k, v in run.data.tags.items() if k.startswith("rnnkit.")}
        data = [each.dataset.digest for each in run.inputs.dataset_inputs]
        files = sorted(file.path for file in client.list_artifacts(own))
        has_model = bool(run.outputs and run.outputs.model_outputs)
        params = run.data.params
        told = (run.info.status, params, curves, tags, data, files, has_model)
        found[run.data.tags["rnnkit.run_id"]] = told
    return found


def test_a_finished_run_is_shown_at_once_and_not_computed_again(done: Done) -> None:
    before = (done.run.path / "result.json").stat().st_mtime_ns
    status, out, err = finish(start(done.home, done.params))
    assert (status, err) == (0, "")
    assert "is finished already" in out
    assert (done.run.path / "result.json").stat().st_mtime_ns == before
    status, out, _ = finish(start(done.home, done.params, "--json"))
    assert json.loads(out)["run"] == done.run.id


def test_nothing_is_left_running(done: Done) -> None:
    left = [p.cmdline() for p in psutil.process_iter() if str(done.home) in _environment(p)]
    assert left == []


def _environment(process: psutil.Process) -> str:
    try:
        return process.environ().get("PREFECT_HOME", "")
    except psutil.Error:
        return ""


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_sweep_leaves_nothing_running(
    tmp_path: Path, name: str, status: int
) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    params.write_text(SWEEP.replace("epochs: 3", "epochs: 500"))
    process = start(home, params)
    until = time.monotonic() + 200
    while not list(home.glob("runs/small-*/trials/*/checkpoints/epoch-*")):
        assert time.monotonic() < until, "no trial began in time"
        time.sleep(0.05)
    process.send_signal(signal.Signals[name])
    code, _, err = finish(process)
    stopped = "rnnkit: interrupted; the same command goes on where it stopped\n"
    assert (code, err) == (status, stopped)
    assert not [p for p in psutil.process_iter() if str(home) in _environment(p)]
    (path,) = (home / "runs").glob("small-*")
    assert RunFolder(path).status == "interrupted"
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")
    assert {run.info.status for run in runs_of(client)} == {"KILLED"}


def test_retraining_uses_all_data_but_the_test_part(tmp_path: Path, prefect_api: str) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    params.write_text(SWEEP.replace("trials: 4", "trials: 2\n  retrain: true"))
    status, _, err = finish(start(home, params, prefect=prefect_api))
    assert (status, err) == (0, "")
    (path,) = (home / "runs").glob("small-*")
    run = RunFolder(path)
    epochs = run.records("epoch")
    trials = [RunFolder(trial) for trial in (path / "trials").glob("trial-*")]
    assert len(epochs) == run.result["best_epoch"]  # the best trial's best epoch, and no more
    assert all(epoch["valid"] == {} for epoch in epochs)
    steps = {trial.records("epoch")[0]["step"] for trial in trials}
    assert epochs[0]["step"] > max(steps)  # an epoch has more batches, with valid in it
    assert "adopted" not in {line["kind"] for line in run.records()}


def test_a_killed_run_goes_on_at_its_last_epoch(tmp_path: Path, prefect_api: str) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    untuned = SMALL.replace("epochs: 3", "epochs: 60")
    params.write_text(untuned)
    status, _, err = finish(start(tmp_path / "whole", params, prefect=prefect_api))
    assert (status, err) == (0, "")
    process = start(home, params, prefect=prefect_api)
    until = time.monotonic() + 200
    while not any(
        journal.read_text().count('"kind":"epoch"') >= 3
        for journal in home.glob("runs/small-*/journal.jsonl")
    ):
        assert time.monotonic() < until, "no epoch ended in time"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (path,) = (home / "runs").glob("small-*")
    before = RunFolder(path).records("epoch")
    assert RunFolder(path).status == "interrupted"
    assert 3 <= len(before) < 60, "it was to be killed in the middle"

    status, out, err = finish(command(home, "resume", prefect=prefect_api))
    assert (status, err) == (0, "")
    assert "goes on where it stopped" in out
    kept = before[:-1]  # a kill between journal and checkpoint costs the last one
    assert RunFolder(path).records("epoch")[: len(kept)] == kept
    (whole,) = (tmp_path / "whole" / "runs").glob("small-*")
    for name in ("model/weights.safetensors", "predictions.parquet"):
        assert (path / name).read_bytes() == (whole / name).read_bytes()
    ours = {ID: path.name, HOME: home_of(settings.read(home))}
    mine = [run for run in flow_runs(prefect_api) if run["labels"].items() >= ours.items()]
    assert sorted(run["state_type"] for run in mine) == ["COMPLETED", "CRASHED"]
