"""A sweep, in the parent process: starts workers, shows their trials, brings them to MLflow."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import optuna

from flows.console import number, out
from flows.pages import FlowRun, key_of
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run, Search
from flows.processes.workers import Parent, run_tasks
from flows.settings import Settings
from flows.tracking.descriptions import trial_line
from flows.tune.advice import advice
from flows.tune.attempts import Attempts, SweepFailed
from flows.tune.confirm import confirm
from flows.tune.ranges import Ranges, ranges_of, with_ranges
from flows.tune.recorded import RecordedTrials
from flows.tune.study import (
    MAX_FAILURES,
    ended,
    enqueue_grid,
    has_running,
    importances,
    is_failing,
    is_finished,
    load_study,
    open_study,
    remake_study,
)
from flows.tune.trial_reader import SeenTrial, TrialReader
from flows.tune.trials import (
    STOP,
    best_of,
    best_training,
    end_of,
    epochs_done,
    number_of,
    take_damage,
    trial_folder,
    trial_folders,
)
from flows.tune.worker import work_on_trials
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

NO_TAGS: Mapping[str, str] = {}


def sweep(
    run: Run, prepared: Prepared, settings: Settings, monitor: Monitor, flow_run: FlowRun
) -> Search:
    """Runs what is left of a sweep, with its progress on the screen, in MLflow and in Prefect.

    Raises:
        SweepFailed: trials failed one after the other, or workers died.
    """
    experiment, study, outside = _begin(run, prepared, settings)
    assert experiment.tune is not None
    per_trial = experiment.train.epochs * experiment.tune.seeds
    trials = experiment.tune.trials
    stage = monitor.stages.begin("tune", total=trials * per_trial)
    progress = flow_run.progress(key_of(experiment.name, "tune"), f"{experiment.name}: tune")
    before = len(ended(study))
    workers = min(experiment.tune.workers, trials)
    stop = run.folder.path / "trials" / STOP
    work = {"run": run, "parent": Parent.here(), "before": before}
    reader = TrialReader(run.folder, experiment)
    logged = {seen.number for seen in reader.read() if seen.record}
    flow_run.log(f"a sweep of {trials} trials by {workers} workers; {len(logged)} ended before")

    def inside() -> list[SeenTrial]:
        return [seen for seen in reader.read() if seen.number not in outside]

    def show() -> None:
        children = [(trial, NO_TAGS) for trial in trial_folders(run.folder)]
        monitor.send_children(children, lambda _, lines: end_of(lines))
        seen = inside()
        epochs, done = epochs_shown(seen, per_trial), records_of(seen)
        monitor.stages.show(stage, epochs, _note(done, experiment))
        for record in done:
            if record["number"] not in logged:
                logged.add(record["number"])
                flow_run.log(trial_line(record, experiment.monitor))
        progress.show(min(1.0, epochs / (trials * per_trial)))

    attempts = Attempts()
    while True:
        follow = flow_run.follow("worker", workers)
        tasks = [(work_on_trials, work)] * workers
        ended_alive = run_tasks(settings, workers, tasks, show, stop, follow)
        damage = take_damage(run.folder)
        study = _open(experiment, run.folder, settings)
        if ended_alive and not damage:
            break
        now = sum(epochs_done(trial) for trial in trial_folders(run.folder))
        attempts.failed(now, damage)
    show()
    tried = records_of(inside())
    reasons = [r["reason"] for r in tried if r["reason"]]
    if is_failing(study, before):
        raise SweepFailed(f"{MAX_FAILURES} trials failed in a row; the last: {reasons[-1]}")
    if best_of(tried, experiment) is None:
        raise SweepFailed(f"no trial finished; {reasons[-1] if reasons else 'all were pruned'}")
    monitor.stages.end(stage, _note(tried, experiment))
    kept = sum(record["state"] != "failed" for record in tried)
    if kept < trials and is_finished(study, experiment, before):
        out.print(f"  every point of the search was tried; {trials} trials would repeat some")
    tried = confirm(run, experiment, tried, settings, monitor, flow_run)
    best = best_of(tried, experiment)
    if best is None:
        reasons = [r["reason"] for r in tried if r["reason"]]
        raise SweepFailed(f"none of the best trials trains with every seed; {reasons[0]}")
    winner = best_training(trial_folder(run.folder, best["number"]), experiment)
    sentences = advice(tried, experiment)
    return Search(best["values"], tried, importances(study), winner, sentences)


def _begin(
    run: Run, prepared: Prepared, settings: Settings
) -> tuple[Experiment, optuna.Study, Set[int]]:
    """The experiment with its search as ranges, and its study, as the workers will find them; and
    the numbers of the trials that lie outside the ranges."""
    trials = run.folder.path / "trials"
    trials.mkdir(exist_ok=True)
    (trials / STOP).unlink(missing_ok=True)
    take_damage(run.folder)
    stored = Ranges.read(run.folder)
    if stored is not None and stored.is_of(run.experiment):
        experiment = with_ranges(run.folder)
        outside = _outside(run.folder, experiment)
        return experiment, _open(experiment, run.folder, settings), outside
    numbers = [number_of(trial) for trial in trial_folders(run.folder)]
    first = max(numbers, default=-1) + 1
    ranges = ranges_of(run.experiment, prepared, stored, first)
    ranges.write(run.folder)
    experiment = with_ranges(run.folder)
    outside = _outside(run.folder, experiment)
    if ranges.pending:
        remake_study(experiment, run.folder, settings)
        ranges.after().write(run.folder)
    if stored is not None and stored.search not in (None, ranges.search):
        out.print(
            f"  {len(numbers) - len(outside)} of {len(numbers)} trials lie in the changed search "
            "space and are taken over"
        )
    return experiment, _open(experiment, run.folder, settings), outside


def _outside(folder: RunFolder, experiment: Experiment) -> Set[int]:
    """The numbers of the trials that lie outside the search space."""
    recorded = RecordedTrials(folder, experiment).read()
    return {number for number, trial in recorded.items() if trial.is_outside}


def _open(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The study, whole, with the points of a grid.

    A reproducible one with trials that were left in the middle is made again from the folders: what
    a killed worker wrote into the study alone is then as if it had not been.
    """
    study = open_study(experiment, folder, settings)
    assert experiment.tune is not None
    if experiment.tune.reproducible and has_running(study):
        remake_study(experiment, folder, settings)
        study = load_study(experiment, folder, settings)
    enqueue_grid(study, experiment)
    return study


def records_of(trials: Sequence[SeenTrial]) -> list[dict[str, Any]]:
    """The records of the trials that ended."""
    return [seen.record for seen in trials if seen.record is not None]


def epochs_shown(trials: Sequence[SeenTrial], per_trial: int) -> int:
    """How many epochs of a sweep are done, those that a pruned trial was spared among them."""
    epochs = 0
    for seen in trials:
        state = None if seen.record is None else seen.record["state"]
        if state in ("complete", "pruned"):
            epochs += per_trial
        elif state != "failed":  # a failed one is tried again
            epochs += seen.epochs
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
