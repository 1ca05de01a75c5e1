"""The main flow: prepare -> tune -> train -> evaluate, all in one run folder and one MLflow run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.utilities.annotations import quote

from flows import settings as places
from flows.console import Stages, out
from flows.pipeline import steps
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run, Search
from flows.pipeline.tasks import (
    draw_figures,
    evaluate_model,
    prepare_data,
    train_model,
    write_report,
)
from flows.settings import Settings
from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.prepared import Prepared, train_and_valid
from rnnkit.params import Experiment
from rnnkit.runs.durations import LAST, Durations
from rnnkit.runs.identity import Identity, identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics, process_settings
from rnnkit.tasks import prepare
from rnnkit.training.train_into import train_into


@flow(name="experiment", flow_run_name="{experiment.name}", log_prints=False)
def run_experiment(
    experiment: Experiment,
    home: Path = Path("mlruns"),
    date: str = "",
    again: int = 0,
    identity: Identity | None = None,
) -> dict[str, Any]:
    """One params file, start to finish. A run that was begun goes on; a finished one is returned.

    Args:
        date: part of the run's identity; a schedule sets it.
        again: how many runs of the same came before.
        identity: of this run; None: it is found here.

    Returns:
        the run's id as `run`, and its result.json.
    """
    settings = places.read(home)
    if identity is None:
        (identity,) = identify([experiment], date, again)
    folder = RunFolder(settings.runs / identity.run)
    if folder.status == "finished":
        return {"run": folder.id, **folder.result}
    with folder.lock(), Stages() as stages:
        numerics.set_threads(experiment.train.threads)
        facts = {**numerics.fingerprint(), **process_settings.settle(), "data": identity.data}
        folder.create(experiment, {**facts, "date": date, "again": again})
        monitor = Monitor(settings, folder, stages)
        with monitor.until_finished():
            run = Run(experiment, folder, settings.home, identity.data)
            return {"run": folder.id, **_steps(run, settings, monitor)}


def _steps(run: Run, settings: Settings, monitor: Monitor) -> dict[str, Any]:
    durations = Durations(run.folder)
    durations.begin("prepare")
    run, prepared = _prepare(run, monitor)
    trained, search = run, Search()
    if run.experiment.tune is not None:
        durations.begin("tune")
        trained, prepared, search = _tune(run, prepared, settings, monitor)
    else:
        durations.begin("train")
        _train(run, prepared, monitor)
    durations.begin("evaluate")
    data: Any = quote(prepared)
    stage = monitor.stages.begin("evaluate", total=None)
    scores: dict[str, Any] = evaluate_model(trained, data)
    monitor.stages.end(stage, f"{len(prepared.splits['test']):,} items of the test split")
    durations.begin("draw")
    run = replace(run, experiment=run.experiment.replace(search.values))
    stage = monitor.stages.begin("draw", total=None)
    figures = draw_figures(run, data, search)
    monitor.stages.end(stage, f"{len(figures)} figures")
    durations.begin(LAST)
    result = steps.whole_result(scores, prepared, durations.seconds(), search)
    write_report(run, data, result, search)
    run.folder.finish(result)
    monitor.finish("finished")
    return result


def _prepare(run: Run, monitor: Monitor) -> tuple[Run, Prepared]:
    stage = monitor.stages.begin("prepare", total=None)
    prepared: Prepared
    run, prepared = prepare_data(run, monitor.link)
    monitor.send()
    counts = " / ".join(f"{len(prepared.splits[split]):,}" for split in SPLITS)
    monitor.stages.end(stage, f"{counts} items in train / valid / test")
    for note in prepared.notes:
        out.print(f"  {note}", markup=False)
    return run, prepared


def _train(run: Run, prepared: Prepared, monitor: Monitor) -> None:
    stage = monitor.stages.begin("train", total=run.experiment.train.epochs)
    data: Any = quote(prepared)

    def show(epoch: int, metrics: str) -> None:
        monitor.stages.show(stage, epoch, metrics)
        monitor.send()

    monitor.stages.end(stage, train_model(run, data, show))


def _tune(
    run: Run, prepared: Prepared, settings: Settings, monitor: Monitor
) -> tuple[Run, Prepared, Search]:
    """The sweep, its winner in the run's own folder, and the data as they were trained."""
    from flows.tune.sweep import sweep
    from flows.tune.trials import alone, best_epoch, best_of, best_training, trial_folder

    assert run.experiment.tune is not None
    search = sweep(run, prepared, settings, monitor)
    best = best_of(search.trials, run.experiment)
    assert best is not None
    winner = best_training(trial_folder(run.folder, best["number"]), run.experiment)
    trained = replace(run, experiment=alone(run.experiment, search.values, None))
    if trained.experiment.data != run.experiment.data:
        prepared = prepare(trained.experiment.data, trained.experiment.task, run.home)
    if not run.experiment.tune.retrain:
        run.folder.adopt(winner)
        for _ in train_into(run.folder, winner.experiment, prepared):
            pass  # only where checkpoints of the winner are damaged
        monitor.send()
        return trained, prepared, search
    again = replace(run, experiment=alone(run.experiment, search.values, best_epoch(winner)))
    _train(again, train_and_valid(prepared), monitor)
    return again, prepared, search
