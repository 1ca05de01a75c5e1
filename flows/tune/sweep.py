"""A sweep, in the parent process: starts workers, shows their trials, brings them to MLflow."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from flows.console import number, out
from flows.pages import FlowRun, key_of
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run, Search
from flows.processes.workers import Parent, run_tasks
from flows.settings import Settings
from flows.tracking.descriptions import trial_line
from flows.tune.study import (
    MAX_FAILURES,
    ended,
    enqueue_grid,
    importances,
    is_failing,
    is_finished,
    open_study,
)
from flows.tune.trials import (
    STOP,
    best_of,
    end_of,
    epochs_done,
    read_ranges,
    take_damage,
    trial_folders,
    trial_records,
    with_ranges,
    write_ranges,
)
from flows.tune.worker import work_on_trials
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles
from rnnkit.runs.run_folder import RunFolder
from rnnkit.training.gradient_norms import norm_range

MAX_DEATHS = 3
"""So many times in a row workers may die without an epoch done in between."""

NO_TAGS: Mapping[str, str] = {}


class SweepFailed(RuntimeError):
    """A sweep has no result: its trials fail, or its workers die."""


def sweep(
    run: Run, prepared: Prepared, settings: Settings, monitor: Monitor, flow_run: FlowRun
) -> Search:
    """Runs what is left of a sweep, with its progress on the screen, in MLflow and in Prefect.

    Raises:
        SweepFailed: trials failed one after the other, or workers died.
    """
    experiment, study = _begin(run, prepared, settings)
    assert experiment.tune is not None
    per_trial = experiment.train.epochs * experiment.tune.seeds
    trials = experiment.tune.trials
    stage = monitor.stages.begin("tune", total=trials * per_trial)
    progress = flow_run.progress(key_of(experiment.name, "tune"), f"{experiment.name}: tune")
    before, deaths, done = len(ended(study)), 0, -1
    workers = min(experiment.tune.workers, trials)
    stop = run.folder.path / "trials" / STOP
    work = {"run": run, "parent": Parent.here(), "before": before}
    logged = {record["number"] for record in trial_records(run.folder, experiment)}
    flow_run.log(f"a sweep of {trials} trials by {workers} workers; {len(logged)} ended before")

    def show() -> None:
        children = [(trial, NO_TAGS) for trial in trial_folders(run.folder)]
        monitor.send_children(children, lambda _, lines: end_of(lines))
        epochs = epochs_shown(run.folder, per_trial)
        records = trial_records(run.folder, experiment)
        monitor.stages.show(stage, epochs, _note(records, experiment))
        for record in records:
            if record["number"] not in logged:
                logged.add(record["number"])
                flow_run.log(trial_line(record, experiment.monitor))
        progress.show(min(1.0, epochs / (trials * per_trial)))

    while True:
        follow = flow_run.follow("worker", workers)
        tasks = [(work_on_trials, work)] * workers
        ended_alive = run_tasks(settings, workers, tasks, show, stop, follow)
        damage = take_damage(run.folder)
        study = _open(experiment, run.folder, settings)
        if ended_alive and not damage:
            break
        now = sum(epochs_done(trial) for trial in trial_folders(run.folder))
        deaths = deaths + 1 if now <= done else 1
        done = now
        if deaths == MAX_DEATHS:
            raise SweepFailed(
                f"the study was damaged {MAX_DEATHS} times without an epoch in between: {damage}"
                if damage
                else f"the sweep's workers died {MAX_DEATHS} times without finishing an epoch, as "
                "processes do that the system kills for their memory; try a smaller tune.workers"
            )
    show()
    records = trial_records(run.folder, experiment)
    reasons = [r["reason"] for r in records if r["reason"]]
    if is_failing(study, before):
        raise SweepFailed(f"{MAX_FAILURES} trials failed in a row; the last: {reasons[-1]}")
    best = best_of(records, experiment)
    if best is None:
        raise SweepFailed(f"no trial finished; {reasons[-1] if reasons else 'all were pruned'}")
    monitor.stages.end(stage, _note(records, experiment))
    kept = sum(record["state"] != "failed" for record in records)
    if kept < trials and is_finished(study, experiment, before):
        out.print(f"  every point of the search was tried; {trials} trials would repeat some")
    return Search(best["values"], records, importances(study))


def _begin(run: Run, prepared: Prepared, settings: Settings) -> tuple[Experiment, optuna.Study]:
    """The experiment with its search as ranges, and its study, as the workers will find them."""
    trials = run.folder.path / "trials"
    trials.mkdir(exist_ok=True)
    (trials / STOP).unlink(missing_ok=True)
    take_damage(run.folder)
    if read_ranges(run.folder) is None:
        tune = run.experiment.tune
        assert tune is not None
        spaces = {
            path: norm_range(run.experiment, prepared, space)
            if isinstance(space, Percentiles)
            else space
            for path, space in tune.search.items()
        }
        ranges = {path: space.model_dump(mode="json") for path, space in spaces.items()}
        write_ranges(run.folder, ranges)
    experiment = with_ranges(run.folder)
    return experiment, _open(experiment, run.folder, settings)


def _open(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The study, whole, with the points of a grid."""
    study = open_study(experiment, folder, settings)
    enqueue_grid(study, experiment)
    return study


def epochs_shown(folder: RunFolder, per_trial: int) -> int:
    """How many epochs of a sweep are done, those that a pruned trial was spared among them."""
    epochs = 0
    for trial in trial_folders(folder):
        end = end_of(trial.records())
        if end in ("finished", "pruned"):
            epochs += per_trial
        elif end != "failed":  # a failed one is tried again
            epochs += epochs_done(trial)
    return epochs


def _note(records: Sequence[dict[str, Any]], experiment: Experiment) -> str:
    assert experiment.tune is not None
    kept = sum(record["state"] != "failed" for record in records)
    note = f"{kept}/{experiment.tune.trials} trials"
    if kept < len(records):
        note += f", {len(records) - kept} failed"
    best = best_of(records, experiment)
    if best is None:
        return note
    values = ", ".join(
        f"{path.rpartition('.')[2]} {number(v) if isinstance(v, float) else v}"
        for path, v in best["values"].items()
    )
    return f"{note}, best {experiment.monitor} {number(best['value'])} at {values}"
