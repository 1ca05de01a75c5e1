"""A sweep, in the parent process: starts workers, shows their trials, brings them to MLflow."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from flows.console import number
from flows.pipeline.artifacts import Progress
from flows.pipeline.work import Work
from flows.processes.workers import Parent, run_tasks
from flows.tracking import Mirror
from flows.tune.study import ROW, ended, enqueue_grid, importances, is_failing, open_study
from flows.tune.trials import (
    ENDS,
    SEARCH,
    STOP,
    best_of,
    end_of,
    epochs_done,
    searching,
    trial_folders,
    trial_records,
)
from flows.tune.worker import Orders, work_on_trials
from rnnkit.params import Experiment
from rnnkit.params.tune import Percentiles
from rnnkit.runtime import files
from rnnkit.training.gradient_norms import norm_range

DEATHS = 3
"""So many times in a row workers may die without an epoch done in between."""


class SweepFailed(RuntimeError):
    """A sweep has no result: its trials fail, or its workers die."""


def sweep(work: Work) -> tuple[dict[str, Any], list[dict[str, Any]], Mapping[str, float]]:
    """Runs what is left of a sweep, with its progress on the screen and in MLflow.

    Returns:
        the best trial's values by params path, all trials as plain records, and the importance of
        each searched key.

    Raises:
        SweepFailed: trials failed one after the other, or workers died.
    """
    experiment, study = _begin(work)
    assert experiment.tune is not None
    per_trial = experiment.train.epochs * experiment.tune.seeds
    trials = experiment.tune.trials
    stage = work.stages.begin("tune", total=trials * per_trial)
    progress = Progress(experiment.name, "tune")
    before, deaths, done = len(ended(study)), 0, -1
    mirrors: dict[str, Mirror] = {}
    workers = min(experiment.tune.workers, trials)
    home, stop = str(work.settings.home), work.folder.path / "trials" / STOP
    orders = Orders(str(work.folder.path), home, Parent.here(), before)
    tasks = [(work_on_trials, {"orders": orders, "number": k}) for k in range(workers)]

    def show(last: bool = False) -> None:
        work.track(lambda parent: _bring(work, parent, mirrors), last=last)
        shown = _show(work, stage, per_trial)
        progress.show(min(1.0, shown / (trials * per_trial)))

    while not run_tasks(work.settings, workers, tasks, show, stop):
        now = sum(epochs_done(trial) for trial in trial_folders(work.folder))
        deaths = deaths + 1 if now <= done else 1
        done = now
        if deaths == DEATHS:
            raise SweepFailed(
                f"the sweep's workers died {DEATHS} times without finishing an epoch, as processes "
                "do that the system kills for their memory; try a smaller tune.workers"
            )
    show(last=True)
    records = trial_records(work.folder, work.experiment)
    reasons = [r["reason"] for r in records if r["reason"]]
    if is_failing(study, before):
        raise SweepFailed(f"{ROW} trials failed in a row; the last: {reasons[-1]}")
    best = best_of(records, work.experiment)
    if best is None:
        raise SweepFailed(f"no trial finished; {reasons[-1] if reasons else 'all were pruned'}")
    work.stages.end(stage, _note(records, work.experiment))
    return best["values"], records, importances(study)


def _begin(work: Work) -> tuple[Experiment, optuna.Study]:
    """The experiment with its search as ranges, and its study, as the workers will find them."""
    trials = work.folder.path / "trials"
    trials.mkdir(exist_ok=True)
    (trials / STOP).unlink(missing_ok=True)
    if not (trials / SEARCH).exists():
        tune = work.experiment.tune
        assert tune is not None
        spaces = {
            path: norm_range(work.experiment, work.prepared, space)
            if isinstance(space, Percentiles)
            else space
            for path, space in tune.search.items()
        }
        found = {path: space.model_dump(mode="json") for path, space in spaces.items()}
        files.write_json(trials / SEARCH, found)
    experiment = searching(work.folder)
    assert experiment.tune is not None
    study = open_study(experiment, work.folder, work.settings)
    if experiment.tune.sampler.kind == "grid":
        enqueue_grid(study, experiment)
    return experiment, study


def _bring(work: Work, parent: Mirror, mirrors: dict[str, Mirror]) -> None:
    """Brings the trials' folders to MLflow, as far as they are."""
    for trial in trial_folders(work.folder):
        lines = trial.records()
        if not lines:
            continue
        if trial.id not in mirrors:
            mirrors[trial.id] = Mirror(work.tracker, trial, parent, {})
        mirror, end = mirrors[trial.id], end_of(lines)
        if mirror.is_closed(lines):
            continue
        if end:
            mirror.finish(ENDS.get(end, "interrupted"))
        else:
            mirror.advance()


def _show(work: Work, stage: Any, per_trial: int) -> int:
    """Where the trials stand, on the screen.

    Returns:
        how many epochs are done, those that a pruned trial was spared among them.
    """
    epochs = 0
    for trial in trial_folders(work.folder):
        end = end_of(trial.records())
        if end != "failed":  # a failed one is tried again
            epochs += per_trial if end in ENDS else epochs_done(trial)
    records = trial_records(work.folder, work.experiment)
    work.stages.show(stage, epochs, _note(records, work.experiment))
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
    return f"{note}, best {experiment.train.monitor} {number(best['value'])} at {values}"
