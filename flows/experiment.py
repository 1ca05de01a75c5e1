"""The main flow: prepare -> tune -> train -> evaluate, all in one run folder and one MLflow run."""

from dataclasses import asdict, replace
from typing import Any

from flows.console import Stages, out
from flows.pages import FlowRun
from flows.pipeline import steps
from flows.pipeline.left_runs import claim
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run, Search
from flows.pipeline.tasks import (
    draw_figures,
    evaluate_model,
    prepare_data,
    split_sizes,
    train_model,
    write_report,
)
from flows.settings import Settings
from rnnkit.data.prepare.prepared import Prepared, train_and_valid
from rnnkit.params import Experiment
from rnnkit.runs.durations import LAST, Durations
from rnnkit.runs.growth import changes_of, lacking
from rnnkit.runs.identity import Identity, identify
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics, process_settings
from rnnkit.runtime.provenance import provenance
from rnnkit.tasks import prepare
from rnnkit.training.train_into import train_into

LINK_SECONDS = 5.0
"""Seconds that Prefect's pages wait for the link to a run in MLflow."""
FLOW = "experiment"
"""The flow's name in Prefect's pages."""


def parameters_of(
    experiment: Experiment,
    settings: Settings,
    date: str,
    again: int,
    identity: Identity | None = None,
) -> dict[str, Any]:
    """What a run is made with, as Prefect's pages show it."""
    return {
        "experiment": experiment.model_dump(mode="json"),
        "home": str(settings.home),
        "date": date,
        "again": again,
        "identity": None if identity is None else asdict(identity),
    }


def run_experiment(
    experiment: Experiment,
    settings: Settings,
    flow_run: FlowRun,
    date: str = "",
    again: int = 0,
    identity: Identity | None = None,
) -> dict[str, Any]:
    """One params file, start to finish. A run that was begun goes on, and so does a finished sweep
    of which more is asked for; any other finished run is returned.

    Args:
        flow_run: shows the run in Prefect's pages.
        date: part of the run's identity; a schedule sets it.
        again: how many runs of the same came before.
        identity: of this run; None: it is found here.

    Returns:
        the run's id as `run`, and its result.json.
    """
    if identity is None:
        (identity,) = identify([experiment], date, again, settings.runs)
    folder = RunFolder(settings.runs / identity.run)
    if folder.status == "finished" and not lacking(folder, experiment):
        return {"run": folder.id, **folder.result}
    with folder.lock(), Stages() as stages:
        if changes := changes_of(folder, experiment):
            folder.reopen(changes)
        numerics.set_threads(experiment.train.threads)
        facts = {**numerics.fingerprint(), **provenance(), **process_settings.settle()}
        facts["data"] = identity.data
        folder.create(experiment, {**facts, "date": date, "again": again})
        claim(flow_run, settings, folder.id, experiment)
        monitor = Monitor(settings, folder, stages)
        with monitor.until_finished():
            run = Run(experiment, folder, settings.home, identity.data)
            return {"run": folder.id, **_steps(run, settings, monitor, flow_run)}


def _steps(run: Run, settings: Settings, monitor: Monitor, flow_run: FlowRun) -> dict[str, Any]:
    durations = Durations(run.folder)
    durations.begin("prepare")
    run, prepared = _prepare(run, monitor, flow_run)
    trained, search = run, Search()
    if run.experiment.tune is not None:
        durations.begin("tune")
        trained, prepared, search = _tune(run, prepared, settings, monitor, flow_run)
    else:
        durations.begin("train")
        _train(run, prepared, monitor, flow_run)
    durations.begin("evaluate")
    stage = monitor.stages.begin("evaluate", total=None)
    scores = evaluate_model(trained, prepared, flow_run)
    monitor.stages.end(stage, f"{len(prepared.splits['test']):,} items of the test split")
    durations.begin("draw")
    run = replace(run, experiment=run.experiment.replace(search.values))
    stage = monitor.stages.begin("draw", total=None)
    figures = draw_figures(run, prepared, search, flow_run)
    monitor.stages.end(stage, f"{figures} figures")
    durations.begin(LAST)
    result = steps.whole_result(scores, prepared, durations.seconds(), search)
    write_report(run, prepared, result, search, flow_run)
    run.folder.finish(result)
    monitor.finish("finished")
    return result


def _prepare(run: Run, monitor: Monitor, flow_run: FlowRun) -> tuple[Run, Prepared]:
    stage = monitor.stages.begin("prepare", total=None)
    run, prepared = prepare_data(run, lambda: monitor.wait_for_link(LINK_SECONDS), flow_run)
    monitor.send()
    monitor.stages.end(stage, split_sizes(prepared))
    for note in prepared.notes:
        out.print(f"  {note}", markup=False)
    return run, prepared


def _train(run: Run, prepared: Prepared, monitor: Monitor, flow_run: FlowRun) -> None:
    stage = monitor.stages.begin("train", total=run.experiment.train.epochs)

    def show(epoch: int, metrics: str) -> None:
        monitor.stages.show(stage, epoch, metrics)
        monitor.send()

    monitor.stages.end(stage, train_model(run, prepared, show, flow_run))


def _tune(
    run: Run, prepared: Prepared, settings: Settings, monitor: Monitor, flow_run: FlowRun
) -> tuple[Run, Prepared, Search]:
    """The sweep, its winner in the run's own folder, and the data as they were trained."""
    from flows.tune.sweep import sweep
    from flows.tune.trials import alone, best_epoch

    assert run.experiment.tune is not None
    search = sweep(run, prepared, settings, monitor, flow_run)
    winner = search.winner
    assert winner is not None
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
    _train(again, train_and_valid(prepared), monitor, flow_run)
    return again, prepared, search
