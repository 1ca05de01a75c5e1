"""Whole sweeps as a person runs them: on each task runner, and killed at any instant."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import psutil
import pytest
from command import RNNKIT, ROOT, SWEEP, environment
from postgresql_server import postgresql_server

from rnnkit.runs.run_folder import RunFolder

SAME = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}
"""A trial's state in Optuna -> its run's status in MLflow."""


class Sweep:
    """A sweep in a folder of its own, started by the command.

    Args:
        prefect: the address of a server; without one the command starts its own.
    """

    def __init__(
        self, folder: Path, epochs: int, trials: int, more: str = "", prefect: str = ""
    ) -> None:
        self.environment = environment(PREFECT_API_URL=prefect) if prefect else environment()
        self.home, self.params = folder / "mlruns", folder / "small.yaml"
        content = SWEEP.replace("epochs: 3", f"epochs: {epochs}")
        content = content.replace("trials: 4", f"trials: {trials}")
        self.params.write_text(content + more)

    def ask_for(self, trials: int) -> None:
        """Another number of trials in the params file."""
        content = re.sub(r"trials: \d+", f"trials: {trials}", self.params.read_text())
        self.params.write_text(content)

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*RNNKIT, "tune", str(self.params), "--mlruns", self.home],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def finish(self) -> tuple[int, str, str]:
        process = self.start()
        out, err = process.communicate(timeout=400)
        return process.returncode, out, err

    @property
    def run(self) -> RunFolder:
        (path,) = (self.home / "runs").glob("small-*")
        return RunFolder(path)

    @property
    def trials(self) -> list[RunFolder]:
        return [RunFolder(path) for path in sorted(self.home.glob("runs/small-*/trials/trial-*"))]

    def processes(self) -> list[psutil.Process]:
        """All that the command started and that is still there."""
        return [p for p in psutil.process_iter() if str(self.home) in prefect_home(p)]

    def wait(self, epochs: int) -> None:
        """Until the trials have done so many epochs between them."""
        until = time.monotonic() + 200
        while sum(len(trial.records("epoch")) for trial in self.trials) < epochs:
            assert time.monotonic() < until, "the sweep did not come so far in time"
            time.sleep(0.02)

    def states(self) -> tuple[list[str], list[str]]:
        """How each trial stands in Optuna, and what it should be by MLflow's runs."""
        import mlflow

        storage = f"sqlite:///{self.run.path / 'study.db'}"
        study = optuna.load_study(study_name=self.run.id, storage=storage)
        client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{self.home / 'mlflow.db'}")
        ids = [e.experiment_id for e in client.search_experiments() if e.name == "small"]
        runs = {r.data.tags["rnnkit.run_id"]: r.info.status for r in client.search_runs(ids)}
        in_optuna = [SAME.get(t.state.name, t.state.name) for t in study.trials]
        in_mlflow = [runs[f"{self.run.id}/trial-{t.number:04d}"] for t in study.trials]
        return in_optuna, in_mlflow


def prefect_home(process: psutil.Process) -> str:
    try:
        return process.environ().get("PREFECT_HOME", "")
    except psutil.Error:
        return ""


def settle(sweep: Sweep) -> None:
    """Until nothing that was started is left: workers and servers notice that they are alone."""
    until = time.monotonic() + 60
    while sweep.processes() and time.monotonic() < until:
        time.sleep(0.2)
    assert not sweep.processes()


def epochs_of(trial: RunFolder) -> list[int]:
    return [line["epoch"] for line in trial.records("epoch")]


@pytest.mark.parametrize(
    "runner",
    ["process", *(pytest.param(cluster, marks=pytest.mark.slow) for cluster in ("dask", "ray"))],
)
def test_forty_trials_complete_or_are_pruned_alike_in_optuna_and_mlflow(
    tmp_path: Path, runner: str, prefect_api: str
) -> None:
    if runner != "process":
        pytest.importorskip("distributed" if runner == "dask" else runner)
    sweep = Sweep(tmp_path, epochs=3, trials=40, prefect=prefect_api)
    sweep.home.mkdir()
    (sweep.home / "settings.yaml").write_text(f"runner: {runner}\n")
    status, _, err = sweep.finish()
    assert (status, err) == (0, "")
    counts = sweep.run.result["trials"]
    assert counts["complete"] + counts["pruned"] == 40
    assert counts["failed"] == 0
    assert counts["pruned"] > 0
    in_optuna, in_mlflow = sweep.states()
    assert in_optuna == in_mlflow
    assert len(in_optuna) == 40
    assert set(in_optuna) == {"FINISHED", "KILLED"}
    settle(sweep)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_a_killed_worker_costs_no_trial_and_no_epoch(
    tmp_path: Path, seed: int, prefect_api: str
) -> None:
    unpruned = "  pruner: {kind: none}\n"
    sweep = Sweep(tmp_path, epochs=12, trials=4, more=unpruned, prefect=prefect_api)
    process = sweep.start()
    sweep.wait(random.Random(seed).randrange(2, 40))
    workers = [
        child
        for child in psutil.Process(process.pid).children()
        if "multiprocessing.spawn" in " ".join(child.cmdline())
    ]
    assert len(workers) >= 2
    before = {trial.path: epochs_of(trial) for trial in sweep.trials}
    random.Random(seed).choice(workers).kill()
    _, err = process.communicate(timeout=400)
    assert (process.returncode, err) == (0, "")
    assert len(sweep.trials) == 4
    for trial in sweep.trials:
        assert epochs_of(trial) == list(range(1, 13))  # none lost, none twice
        assert len(trial.records("finished")) == 1
        assert epochs_of(trial)[: len(before.get(trial.path, []))] == before.get(trial.path, [])
    assert sweep.states() == (["FINISHED"] * 4, ["FINISHED"] * 4)
    settle(sweep)


@pytest.mark.slow  # a sweep that grows after a kill is a shorter form
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_sweep_goes_on_within_its_trials(tmp_path: Path, seed: int) -> None:
    sweep = Sweep(tmp_path, epochs=12, trials=4, more="  pruner: {kind: none}\n")
    process = sweep.start()
    sweep.wait(random.Random(seed).randrange(2, 40))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    settle(sweep)
    before = {trial.path: trial.records("epoch") for trial in sweep.trials}
    ended = {t.path: t.records() for t in sweep.trials if t.records("finished")}

    status, out, err = sweep.finish()
    assert (status, err) == (0, "")
    assert "goes on where it stopped" in out
    assert len(sweep.trials) == 4
    for trial in sweep.trials:
        assert epochs_of(trial) == list(range(1, 13))
        kept = before.get(trial.path, [])[:-1]  # a kill between journal and checkpoint costs one
        assert trial.records("epoch")[: len(kept)] == kept
        assert trial.records() == ended.get(trial.path, trial.records())
    assert sweep.states() == (["FINISHED"] * 4, ["FINISHED"] * 4)
    settle(sweep)


def test_a_sweep_grows_from_six_to_twelve_trials_after_a_kill(
    tmp_path: Path, prefect_api: str
) -> None:
    import mlflow

    sweep = Sweep(tmp_path, epochs=4, trials=6, prefect=prefect_api)
    process = sweep.start()
    sweep.wait(8)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    settle(sweep)
    ended = {t.path: t.records() for t in sweep.trials if t.records("finished")}
    sweep.ask_for(12)
    status, out, err = sweep.finish()
    assert (status, err) == (0, "")
    assert f"{sweep.run.id} goes on: tune.trials was 6 and is 12." in out
    assert len(sweep.trials) == 12  # in the one run folder
    assert sum(sweep.run.result["trials"].values()) == 12
    assert all(trial.records() == ended.get(trial.path, trial.records()) for trial in sweep.trials)
    in_optuna, in_mlflow = sweep.states()
    assert in_optuna == in_mlflow
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{sweep.home / 'mlflow.db'}")
    (experiment,) = (e for e in client.search_experiments() if e.name == "small")
    chosen = f"tags.`rnnkit.run_id` = '{sweep.run.id}'"
    (run,) = client.search_runs([experiment.experiment_id], chosen)
    assert run.data.params["tune.trials"] == "12"
    assert run.info.status == "FINISHED"
    assert "rnnkit.advice" in run.data.tags

    sweep.ask_for(13)  # and the finished one goes on, too
    status, out, err = sweep.finish()
    assert (status, err) == (0, "")
    assert len(sweep.trials) == 13
    (run,) = client.search_runs([experiment.experiment_id], chosen)
    tuned = {path: str(value) for path, value in sweep.run.result["tuned"].items()}
    assert {path: run.data.params[path] for path in tuned} == tuned
    metrics = {name.removeprefix("test/"): v for name, v in run.data.metrics.items()}
    assert metrics["loss"] == pytest.approx(sweep.run.result["test"]["loss"])
    settle(sweep)


def test_a_sweep_whose_trials_all_fail_stops_and_says_why(tmp_path: Path, prefect_api: str) -> None:
    search = "model.bidirectional: {choices: [true]}\n    train.bptt: {low: 2, high: 60}"
    sweep = Sweep(tmp_path, epochs=2, trials=30, prefect=prefect_api)
    content = sweep.params.read_text()
    sweep.params.write_text(content[: content.index("    train.clip")] + f"    {search}\n")
    status, _, err = sweep.finish()
    assert status == 1
    assert "5 trials failed in a row; the last: ValidationError: " in err
    assert "train.bptt: a backward direction" in err
    assert len(err.splitlines()) == 1
    assert len(sweep.trials) in (5, 6)  # the other worker may be in one
    assert {trial.records()[-1]["kind"] for trial in sweep.trials} == {"failed"}


@pytest.fixture
def postgresql() -> Iterator[str]:
    with postgresql_server(("study", "mlflow")) as address:
        yield address


@pytest.mark.slow
def test_a_sweep_over_postgresql_as_the_studys_and_mlflows_database(
    tmp_path: Path, postgresql: str
) -> None:
    sweep = Sweep(tmp_path, epochs=3, trials=8)
    sweep.home.mkdir()
    tracking = f"{postgresql}/mlflow"
    (sweep.home / "settings.yaml").write_text(f"tracking: {tracking}\nstudy: {postgresql}/study\n")
    status, _, err = sweep.finish()
    assert (status, err) == (0, "")
    counts = sweep.run.result["trials"]
    assert counts["complete"] + counts["pruned"] == 8
    assert not (sweep.run.path / "study.db").exists()
    assert not (sweep.home / "mlflow.db").exists()
    import mlflow

    storage = optuna.storages.RDBStorage(f"{postgresql}/study")
    study = optuna.load_study(study_name=sweep.run.id, storage=storage)
    client = mlflow.MlflowClient(tracking_uri=tracking)
    ids = [e.experiment_id for e in client.search_experiments() if e.name == "small"]
    runs = {r.data.tags["rnnkit.run_id"]: r.info.status for r in client.search_runs(ids)}
    trials = study.trials
    storage.remove_session()
    storage.engine.dispose()  # neither library closes its connections by itself
    client._tracking_client.store.engine.dispose()
    assert len(trials) >= 8
    for trial in trials:
        assert runs[f"{sweep.run.id}/trial-{trial.number:04d}"] == SAME[trial.state.name]
    settle(sweep)
