"""An MLflow that is down: the run goes on, and `rnnkit sync` tells it later, once and whole."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import RNNKIT, SMALL, called

from flows import settings
from flows.cli.tracking import sync as sync_verb
from flows.launcher import Failure
from flows.processes import servers
from flows.settings import Settings
from flows.tracking.sync import sync
from rnnkit.runs.run_folder import RunFolder

SWEEP = f"""{SMALL}
tune:
  trials: 2
  workers: 1
  pruner: {{kind: none}}
  search: {{train.clip: {{low: 0.5, high: 10}}}}
"""
VARIANTS = f"""{SMALL}
variants: {{one: {{}}, two: {{model.hidden: 6}}}}
seeds: [0]
"""


class Home:
    """An output folder whose MLflow was down while a sweep and a comparison were run."""

    def __init__(self, folder: Path, prefect: str) -> None:
        impatient = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        self.variables = {"PREFECT_API_URL": prefect, **impatient}
        self.path = folder / "mlruns"
        self.path.mkdir()
        nobody = f"http://127.0.0.1:{servers.free_port()}"
        (self.path / "settings.yaml").write_text(f"tracking: {nobody}\n")
        self.sweep = self.command(folder, "run", SWEEP)
        self.comparison = self.command(folder, "compare", VARIANTS)
        (self.path / "settings.yaml").unlink()

    def command(self, folder: Path, verb: str, params: str) -> "subprocess.CompletedProcess[str]":
        file = folder / f"{verb}.yaml"
        file.write_text(params)
        return called(*RNNKIT, verb, file, "--mlruns", self.path, **self.variables)

    def settings(self, database: str) -> Settings:
        """With an MLflow of its own that is up."""
        found = settings.read(self.path)
        return replace(found, tracking=f"sqlite:///{self.path / database}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Home:
    return Home(tmp_path_factory.mktemp("down"), prefect_api)


def runs_in(where: Settings) -> dict[str, Any]:
    """Our id -> the run that MLflow has."""
    import mlflow

    client = mlflow.MlflowClient(where.tracking)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return {run.data.tags["rnnkit.run_id"]: run for run in client.search_runs(ids)}


def test_what_mlflow_cannot_be_told_is_run_all_the_same(home: Home) -> None:
    for done in (home.sweep, home.comparison):
        assert (done.returncode, done.stderr) == (0, "")
        assert (
            done.stdout.count("MLflow could not be reached; send the run with: rnnkit sync (") == 1
        )
    runs = [RunFolder(path) for path in (home.path / "runs").glob("*")]
    assert [run.status for run in runs] == ["finished"] * 3
    assert all((run.path / "report.html").exists() for run in runs)


def test_sync_brings_all_of_it_once(home: Home) -> None:
    where = home.settings("first.db")
    done = list(sync(where))
    found = runs_in(where)
    assert {each.run for each in done} == set(found)
    assert all(each.sent and each.end == "finished" for each in done)
    (comparison,) = (home.path / "comparisons").glob("*")
    (sweep,) = {each.split("/")[0] for each in found if "/" in each}
    under = {
        run: found[run].data.tags.get("mlflow.parentRunId", "") for run in found
    }  # whose children they are
    assert sum(parent == found[comparison.name].info.run_id for parent in under.values()) == 2
    assert sum(parent == found[sweep].info.run_id for parent in under.values()) == 2
    assert found[sweep].data.metrics["test/accuracy"] >= 0
    assert found[sweep].inputs.dataset_inputs[0].dataset.digest
    tuned = RunFolder(home.path / "runs" / sweep).result["tuned"]
    assert {path: found[sweep].data.params[path] for path in tuned} == {
        path: str(value) for path, value in tuned.items()
    }
    assert not any(each.sent for each in sync(where))
    assert runs_in(where).keys() == found.keys()


def test_runs_of_two_comparisons_lie_under_one_of_them(home: Home) -> None:
    where = home.settings("shared.db")
    (comparison,) = (home.path / "comparisons").glob("*")
    other = comparison.with_name("small-zzzzzzzzzz")
    shutil.copytree(comparison, other)
    try:
        done = [each.run for each in sync(where)]
        assert len(set(done)) == len(done)
        assert other.name in done
        assert not any(each.sent for each in sync(where))
    finally:
        shutil.rmtree(other)


def test_sync_mends_what_is_missing_or_stands_otherwise(home: Home) -> None:
    import mlflow

    where = home.settings("second.db")
    whole = {each.run for each in sync(where)}
    client, found = mlflow.MlflowClient(where.tracking), runs_in(where)
    (trial, *_) = sorted(run for run in whole if run.endswith("/trial-0001"))
    client.delete_run(found[trial].info.run_id)
    member = next(r for r in whole if "rnnkit.variant" in found[r].data.tags)
    client.delete_tag(found[member].info.run_id, "mlflow.parentRunId")
    sweep = trial.split("/")[0]
    client.update_run(found[sweep].info.run_id, status="RUNNING")  # as a kill leaves it
    assert {each.run for each in sync(where) if each.sent} == {trial, member, sweep}
    after = runs_in(where)
    assert {run.info.status for run in after.values()} == {"FINISHED"}
    assert after[trial].data.tags["mlflow.parentRunId"] == after[sweep].info.run_id
    assert "mlflow.parentRunId" in after[member].data.tags


def test_a_run_at_work_and_one_of_another_version_are_left_alone(home: Home) -> None:
    where = home.settings("third.db")
    runs = {each.run for each in sync(where)}
    run = RunFolder(next((home.path / "runs").glob("small-*")))
    other = home.path / "runs" / "other-0000000000"
    other.mkdir()
    (other / "params.yaml").write_text("name: other\nnothing: 1\n")
    manifest = run.path / "manifest.json"
    kept = manifest.read_bytes()
    try:
        manifest.unlink()
        with run.lock():
            done = {each.run: each.end for each in sync(where)}
        assert done[run.id] == "running"
        assert done[other.name] == "unreadable"
        assert runs - done.keys() <= {f"{run.id}/trial-{k:04d}" for k in (0, 1)}
    finally:
        manifest.write_bytes(kept)
        (other / "params.yaml").unlink()
        other.rmdir()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], None]:
    """Makes the verb see some settings, whatever the folder says."""

    def use(where: Settings) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", where.tracking)

    monkeypatch.setattr(settings, "apply", lambda _: None)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return use


def test_the_verb_tells_what_it_did(
    home: Home, local: Callable[[Settings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    local(home.settings("fourth.db"))
    sync_verb(home.path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(lines) - 1} sent to MLflow, 0 left as they were"
    sync_verb(home.path, as_json=True)
    assert not any(each["sent"] for each in json.loads(capsys.readouterr().out))


def test_an_mlflow_that_is_still_down_is_told_in_a_line(
    home: Home, local: Callable[[Settings], None]
) -> None:
    where = replace(home.settings("none.db"), tracking=f"http://127.0.0.1:{servers.free_port()}")
    local(where)
    with pytest.raises(Failure, match=r"^MLflow could not be reached: API request to .* failed"):
        sync_verb(home.path)
