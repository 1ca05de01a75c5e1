"""A sweep, in the parent process: starts workers, shows their trials, brings them to MLflow."""

import time
from collections.abc import Sequence
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner

from flows.console import number
from flows.tracking import Mirror
from flows.tune.study import open_study, release
from flows.tune.trials import ENDS, STOP, best_of, trial_folders, trial_records
from flows.tune.worker import start_worker, work_on_trials
from flows.work import Work
from rnnkit.params import Experiment

STOPPING = 20  # seconds the workers get to leave off
POLL = 0.3  # seconds between two looks at the trials' folders


class SweepFailed(RuntimeError):
    """No trial of a sweep finished."""


def sweep(work: Work) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Runs what is left of a sweep, with its progress on the screen and in MLflow.

    Returns:
        the best trial's values by params path, and all trials as plain records.

    Raises:
        SweepFailed: no trial finished.
    """
    tune = work.experiment.tune
    assert tune is not None
    trials = work.folder.path / "trials"
    trials.mkdir(exist_ok=True)
    (trials / STOP).unlink(missing_ok=True)
    study = open_study(work.experiment, work.folder, work.settings)
    release(study, work.folder)
    stage = work.stages.begin("tune", total=tune.trials * work.experiment.train.epochs)
    mirrors: dict[str, Mirror] = {}
    workers = min(tune.workers, tune.trials)
    with ProcessPoolTaskRunner(max_workers=workers, initializer=start_worker) as runner:
        arguments = {
            "folder": str(work.folder.path),
            "home": str(work.settings.home),
        }
        futures = [runner.submit(work_on_trials, arguments) for _ in range(workers)]
        try:
            while not all(future.wrapped_future.done() for future in futures):
                _show(work, stage, mirrors)
                time.sleep(POLL)
        except BaseException:
            (trials / STOP).touch()  # else leaving the block would wait for every trial to end
            for future in futures:
                future.wait(timeout=STOPPING)
            _show(work, stage, mirrors)
            raise
        for future in futures:
            future.result()  # a worker's own failure is the sweep's
    _show(work, stage, mirrors)
    records = trial_records(work.folder, work.experiment)
    best = best_of(records, work.experiment)
    if best is None:
        reasons = [r["reason"] for r in records if r["reason"]]
        raise SweepFailed(f"no trial finished; the first failure: {reasons[0] if reasons else '?'}")
    work.stages.end(stage, _note(records, work.experiment))
    return best["values"], records


def _show(work: Work, stage: Any, mirrors: dict[str, Mirror]) -> None:
    """Brings the trials' folders to MLflow and to the screen."""
    epochs = 0
    for trial in trial_folders(work.folder):
        lines = trial.records()
        if not lines:
            continue
        ends = [line["kind"] for line in lines if line["kind"] in {*ENDS, "interrupted"}]
        if "interrupted" not in ends:
            done = sum(line["kind"] == "epoch" for line in lines)
            epochs += work.experiment.train.epochs if ends else done
        if trial.id not in mirrors:
            run_id = f"{work.folder.id}/{trial.id}"
            mirrors[trial.id] = Mirror(
                work.tracker, trial, run_id, trial.experiment, work.mirror, {}
            )
        mirror = mirrors[trial.id]
        if ends and not mirror.closed:
            mirror.finish(ENDS.get(ends[-1], "interrupted"))
        elif not mirror.closed:
            mirror.advance()
    records = trial_records(work.folder, work.experiment)
    work.stages.show(stage, epochs, _note(records, work.experiment))


def _note(records: Sequence[dict[str, Any]], experiment: Experiment) -> str:
    assert experiment.tune is not None
    note = f"{len(records)}/{experiment.tune.trials} trials"
    best = best_of(records, experiment)
    if best is None:
        return note
    values = ", ".join(
        f"{path.rpartition('.')[2]} {number(v) if isinstance(v, float) else v}"
        for path, v in best["values"].items()
    )
    return f"{note}, best {experiment.train.monitor} {number(best['value'])} at {values}"
