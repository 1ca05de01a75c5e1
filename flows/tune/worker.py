"""A worker process: takes trials from the study until none is left, and writes only folders."""

import fcntl
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import settings
from flows.console import QUIET
from flows.tune.study import open_study, suggest
from flows.tune.trials import ENDS, STOP, trial_folder
from rnnkit import launch
from rnnkit.params import Experiment
from rnnkit.prepare import prepare
from rnnkit.runfolder import RunFolder
from rnnkit.train import Epoch, train_into

POLL = 0.3  # seconds between two looks at the parent


def start_worker() -> None:
    """What a worker does before it takes tasks: settle the launch, and end with its parent."""
    launch.settle()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which stops the workers
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    warnings.filterwarnings("ignore", module=QUIET)


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone: nobody is there to use a result, or be told."""
    while os.getppid() == parent:
        time.sleep(POLL)
    os._exit(1)


@task(name="worker", cache_policy=NO_CACHE)
def work_on_trials(folder: str, home: str) -> int:
    """Takes trials until there are no more to begin.

    Returns:
        how many trials it worked on.
    """
    run = RunFolder(Path(folder))
    experiment = run.experiment
    study = open_study(experiment, run, settings.read(Path(home)))
    prepared = prepare(experiment.data, experiment.task, Path(home))
    worked = 0
    while not _stopped(run) and (trial := _begin(study, experiment, run)):
        _try(trial, study, experiment, run, prepared)
        worked += 1
    return worked


def _begin(study: optuna.Study, experiment: Experiment, folder: RunFolder) -> optuna.Trial | None:
    """The next trial, unless all are begun; one worker at a time asks."""
    assert experiment.tune is not None
    with _turn(folder.path / "trials" / "turn"):
        begun = sum(
            trial.state == TrialState.RUNNING or _ended(trial_folder(folder, trial.number))
            for trial in study.get_trials(deepcopy=False)
        )
        return study.ask() if begun < experiment.tune.trials else None


def _try(
    trial: optuna.Trial,
    study: optuna.Study,
    experiment: Experiment,
    folder: RunFolder,
    prepared: Any,
) -> None:
    """One trial: trained in its own folder, reported to the study after every epoch."""
    place = trial_folder(folder, trial.number)
    values = suggest(trial, experiment)
    mine, refusal = _with(values, experiment)
    place.create(mine, {"values": values})
    place.append("begun", values=values)
    best: float | None = None
    try:
        if refusal is not None:
            raise refusal
        for record in train_into(place, mine, prepared):
            if _stopped(folder):
                place.append("interrupted")
                study.tell(trial, state=TrialState.FAIL)
                return
            if not isinstance(record, Epoch):
                continue
            best = record.state.best
            trial.report(record.valid[experiment.monitored], record.epoch)
            if not record.last and trial.should_prune():
                place.append("pruned")
                study.tell(trial, state=TrialState.PRUNED)
                return
        if best is None:
            raise ArithmeticError(f"{experiment.train.monitor} was never a finite number")
    except Exception as error:  # one trial's failure is a result; the sweep goes on
        place.append("failed", reason=f"{type(error).__name__}: {error}")
        (place.path / "traceback.txt").write_text(traceback.format_exc())
        study.tell(trial, state=TrialState.FAIL)
        return
    place.append("finished", value=best)
    study.tell(trial, best)


def _with(values: dict[str, Any], experiment: Experiment) -> tuple[Experiment, ValueError | None]:
    """The trial's experiment; where the rules refuse these values together, the one without."""
    try:
        return experiment.replace({**values, "tune": None}), None
    except ValueError as error:
        return experiment.replace({"tune": None}), error


def _stopped(folder: RunFolder) -> bool:
    return (folder.path / "trials" / STOP).exists()


def _ended(folder: RunFolder) -> bool:
    return any(line["kind"] in ENDS for line in folder.records())


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
