"""The main flow: prepare -> tune -> train -> evaluate, all in one run folder and one MLflow run."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import flow

from flows import settings as places
from flows.console import Stages
from flows.pipeline.steps import (
    draw_figures,
    evaluate_model,
    prepare_data,
    train_model,
    write_report,
)
from flows.pipeline.work import Work
from flows.tracking import Mirror
from rnnkit.data.prepare import data_sha256, prepare
from rnnkit.data.prepare.retrained import train_and_valid
from rnnkit.evaluation.finalize import NOT_SEARCHED, gathered
from rnnkit.params import Experiment
from rnnkit.runs.identity import inputs_sha256
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics, process_settings


@flow(name="experiment", flow_run_name="{experiment.name}", log_prints=False)
def run_experiment(
    experiment: Experiment, home: Path = Path("mlruns"), date: str = "", again: int = 0
) -> dict[str, Any]:
    """One params file, start to finish. A run that was begun goes on; a finished one is returned.

    Args:
        experiment: what to run.
        home: the output folder.
        date: part of the run's identity; a schedule sets it.
        again: how many runs of the same came before.

    Returns:
        the run's id as `run`, and its result.json.

    Raises:
        Busy: another process is running this very run.
    """
    settings = places.read(home)
    sha256 = data_sha256(experiment.data, experiment.task)
    run_id = RunFolder.identity(experiment, inputs_sha256(experiment), date, again)
    folder = RunFolder(settings.runs / run_id)
    if folder.status == "finished":
        return {"run": folder.id, **folder.result}
    with folder.lock(), Stages() as stages:
        work = Work(experiment, settings, folder, stages)
        numerics.set_threads(experiment.train.threads)
        facts = {**numerics.fingerprint(), **process_settings.settle(), "data": sha256}
        folder.create(experiment, {**facts, "date": date, "again": again})
        with work.marked():
            return {"run": folder.id, **_steps(work)}


def _steps(work: Work) -> dict[str, Any]:
    seconds: dict[str, float] = {}

    def timed(name: str, began: float) -> float:
        now = time.perf_counter()
        seconds[name] = round(now - began, 2)
        return now

    clock = time.perf_counter()
    prepare_data(work)
    clock = timed("prepare", clock)
    experiment = work.experiment
    tuned: dict[str, Any] = {}
    trials: list[dict[str, Any]] = []
    importance: Mapping[str, float] = {}
    if experiment.tune is not None:
        experiment, tuned, trials, importance = _tuned(work)
        clock = timed("tune", clock)
    else:
        train_model(work, experiment, work.prepared)
        clock = timed("train", clock)
    result = evaluate_model(work, experiment)
    clock = timed("evaluate", clock)
    draw_figures(work, work.experiment.replace(tuned), trials, importance)
    timed("draw", clock)
    states = [trial["state"] for trial in trials]
    counts = {state: states.count(state) for state in NOT_SEARCHED["trials"]}
    searched = {"tuned": tuned, "trials": counts, "importance": dict(importance)}
    result = gathered(result, work.prepared, seconds, searched)
    write_report(work, work.experiment.replace(tuned), trials, result)
    work.folder.finish(result)
    work.finish("finished")
    return result


def _tuned(
    work: Work,
) -> tuple[Experiment, dict[str, Any], list[dict[str, Any]], Mapping[str, float]]:
    """The sweep, and its winner in the run's own folder: adopted, or trained again."""
    from flows.tune.sweep import sweep
    from flows.tune.trials import alone, best_of, best_training, trial_folder

    tune = work.experiment.tune
    assert tune is not None
    tuned, trials, importance = sweep(work)
    best = best_of(trials, work.experiment)
    assert best is not None
    winner = best_training(trial_folder(work.folder, best["number"]), work.experiment)
    winning = alone(work.experiment, tuned, None)
    if winning.data != work.experiment.data:
        work.prepared = prepare(winning.data, winning.task, work.settings.home)
    if not tune.retrain:
        work.folder.adopt(winner)
        work.track(Mirror.advance)
        return winning, tuned, trials, importance
    _, facts = winner.best_checkpoint()
    experiment = alone(work.experiment, tuned, facts["best_epoch"])
    train_model(work, experiment, train_and_valid(work.prepared, experiment.data))
    return experiment, tuned, trials, importance
