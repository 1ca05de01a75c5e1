"""The only `import optuna`: a sweep of trials in worker processes, over one study on disk.

Workers write only folders: a trial is a run folder under its parent's `trials/`. The parent alone
writes MLflow. What is finished in a folder is finished; a killed sweep does the rest.
"""

import fcntl
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ProcessPoolTaskRunner

from flows.console import QUIET, number
from flows.settings import Settings
from flows.tracking import End, Mirror
from flows.work import Work
from rnnkit import launch, numerics
from rnnkit.params import Experiment
from rnnkit.params.tune import Choices, Tune
from rnnkit.prepare import prepare
from rnnkit.runfolder import RunFolder
from rnnkit.train import Epoch, train_into

STOP = "stop"  # a file beside the trials: the workers are to leave off
STOPPING = 20  # seconds the workers get to leave off
POLL = 0.3  # seconds between two looks at the trials' folders
ENDS: Mapping[str, End] = {"finished": "finished", "pruned": "pruned", "failed": "failed"}
STATES = {"finished": "complete", "pruned": "pruned", "failed": "failed"}


class SweepFailed(RuntimeError):
    """No trial of a sweep finished."""


# --- the parent ---


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
    _release(study, trials)
    stage = work.stages.begin("tune", total=tune.trials * work.experiment.train.epochs)
    mirrors: dict[str, Mirror] = {}
    workers = min(tune.workers, tune.trials)
    with ProcessPoolTaskRunner(max_workers=workers, initializer=_start_worker) as runner:
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


def open_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The run's study; the parent makes it before any worker opens it."""
    assert experiment.tune is not None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    metric = experiment.train.monitor.removeprefix("valid/")
    storage = optuna.storages.RDBStorage(
        settings.study or f"sqlite:///{folder.path / 'study.db'}",
        engine_kwargs={} if settings.study else {"connect_args": {"timeout": 60}},
    )
    return optuna.create_study(
        study_name=folder.id,
        storage=storage,
        sampler=_PerTrial(experiment.tune, experiment.seed),
        pruner=_pruner(experiment),
        direction=experiment.task.metrics[metric],
        load_if_exists=True,
    )


def trial_records(folder: RunFolder, experiment: Experiment) -> list[dict[str, Any]]:
    """All trials that ended: number, values, value (best monitored), state, curve, reason."""
    metric = experiment.train.monitor.removeprefix("valid/")
    maximize = experiment.task.metrics[metric] == "maximize"
    records = []
    for trial in _folders(folder):
        lines = trial.records()
        ends = [line for line in lines if line["kind"] in ENDS]
        if not ends:
            continue
        curve = [line["valid"][metric] for line in lines if line["kind"] == "epoch"]
        finite = [value for value in curve if not isinstance(value, str)]
        records.append(
            {
                "number": int(trial.id.rpartition("-")[2]),
                "values": lines[0]["values"],
                "value": (max(finite) if maximize else min(finite)) if finite else None,
                "state": STATES[ends[-1]["kind"]],
                "curve": finite,
                "reason": ends[-1].get("reason", ""),
            }
        )
    return records


def best_of(records: Sequence[dict[str, Any]], experiment: Experiment) -> dict[str, Any] | None:
    """The best trial that was trained to its end."""
    metric = experiment.train.monitor.removeprefix("valid/")
    sign = 1 if experiment.task.metrics[metric] == "maximize" else -1
    done = [r for r in records if r["state"] == "complete" and r["value"] is not None]
    return max(done, key=lambda r: sign * r["value"]) if done else None


def best_folder(folder: RunFolder, number_: int) -> RunFolder:
    """The folder of a trial."""
    return RunFolder(folder.path / "trials" / f"trial-{number_:04d}")


def _release(study: optuna.Study, trials: Path) -> None:
    """Trials that a killed process left behind count as not begun, unless they had ended."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        folder = RunFolder(trials / f"trial-{trial.number:04d}")
        lines = folder.records()
        last: dict[str, Any] = lines[-1] if lines else {"kind": ""}
        if last["kind"] == "finished":
            study.tell(trial.number, last["value"])
            continue
        state = TrialState.PRUNED if last["kind"] == "pruned" else TrialState.FAIL
        study.tell(trial.number, state=state)
        if last["kind"] and last["kind"] not in ENDS:
            folder.append("interrupted")


def _show(work: Work, stage: Any, mirrors: dict[str, Mirror]) -> None:
    """Brings the trials' folders to MLflow and to the screen."""
    epochs = 0
    for trial in _folders(work.folder):
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


def _folders(folder: RunFolder) -> Iterator[RunFolder]:
    for path in sorted((folder.path / "trials").glob("trial-*")):
        yield RunFolder(path)


# --- a worker ---


def _start_worker() -> None:
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
    from flows import settings

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
            trial.state == TrialState.RUNNING or _ended(best_folder(folder, trial.number))
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
    place = best_folder(folder, trial.number)
    values = suggest(trial, experiment)
    mine = experiment.replace({**values, "tune": None})
    place.create(mine, {"values": values})
    place.append("begun", values=values)
    metric = experiment.train.monitor.removeprefix("valid/")
    best: float | None = None
    try:
        for record in train_into(place, mine, prepared):
            if _stopped(folder):
                place.append("interrupted")
                study.tell(trial, state=TrialState.FAIL)
                return
            if not isinstance(record, Epoch):
                continue
            best = record.state.best
            trial.report(record.valid[metric], record.epoch)
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


def suggest(trial: Any, experiment: Experiment) -> dict[str, Any]:
    """A value for every searched key; whole numbers where the key takes whole numbers."""
    assert experiment.tune is not None
    values: dict[str, Any] = {}
    for path, space in experiment.tune.search.items():
        if isinstance(space, Choices):
            values[path] = trial.suggest_categorical(path, list(space.choices))
        elif isinstance(experiment.value(path), int):
            values[path] = trial.suggest_int(path, int(space.low), int(space.high), log=space.log)
        else:
            values[path] = trial.suggest_float(path, space.low, space.high, log=space.log)
    return values


def _stopped(folder: RunFolder) -> bool:
    return (folder.path / "trials" / STOP).exists()


def _ended(folder: RunFolder) -> bool:
    return any(line["kind"] in ENDS for line in folder.records())


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- how trials are chosen and stopped ---


class _PerTrial(optuna.samplers.BaseSampler):
    """A fresh sampler for each trial, seeded by its number: a resumed study goes on as it would."""

    def __init__(self, tune: Tune, seed: int) -> None:
        self._tune, self._seed = tune, seed
        self._sampler: optuna.samplers.BaseSampler = self._fresh(0)

    def _fresh(self, number_: int) -> optuna.samplers.BaseSampler:
        seed = numerics.seed_of(self._seed, "trial", number_) % 2**32
        if self._tune.sampler.kind == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        startup = max(1, min(10, self._tune.trials // 3))
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup, constant_liar=True)

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        self._sampler = self._fresh(trial.number)

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> Any:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> Any:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return self._sampler.sample_independent(study, trial, name, distribution)


def _pruner(experiment: Experiment) -> optuna.pruners.BasePruner:
    assert experiment.tune is not None
    kind = experiment.tune.pruner.kind
    if kind == "hyperband":
        return optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=experiment.train.epochs, reduction_factor=3
        )
    if kind == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    return optuna.pruners.NopPruner()


def alone(experiment: Experiment, values: Mapping[str, Any], epochs: int | None) -> Experiment:
    """The experiment without its sweep, with tuned values in place.

    Args:
        epochs: train for exactly as many; None: as the experiment says.
    """
    overrides: dict[str, Any] = {**values, "tune": None}
    if epochs is not None:
        overrides |= {"train.epochs": epochs, "train.early_stopping": None}
    return experiment.replace(overrides)
