"""The study: one database that parent and workers share, its sampler and its pruner."""

import random
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from flows.settings import Settings, sqlite_address
from flows.tune.earlier import EarlierPruner
from flows.tune.recorded import Points, RecordedTrial, RecordedTrials, contradiction
from flows.tune.sampler import PerTrial, is_searched
from flows.tune.study_database import (
    Content,
    StudyDamaged,
    recorded_content,
    storage_at,
    study_access,
    verify_sqlite,
)
from rnnkit.errors import Note
from rnnkit.params import Experiment
from rnnkit.params.searching import grid
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.runtime.sqlite_files import set_aside

optuna.logging.set_verbosity(optuna.logging.ERROR)

STUDY = "study.db"
"""File name of a study without a database of its own, in the run's folder."""
MAX_FAILURES = 5
"""So many failures in a row end a sweep."""


def open_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The run's study, made if there is none; the parent opens it before any worker.

    A study that is damaged, lost, or contradicts the trials' folders is set aside and made again
    from them.

    Raises:
        StudyError: its database cannot be read or written.

    Warns:
        Note: it was made again.
    """
    file = folder.path / STUDY if settings.study is None else None
    recorded, damage = RecordedTrials(folder, experiment), ""
    try:
        if file is None:
            _add_study(experiment, folder, settings)
        elif file.exists():
            verify_sqlite(file)
        elif recorded.read():
            raise StudyDamaged("it is lost")
        else:
            _content(experiment, folder, {}).write_file(file)
        study = load_study(experiment, folder, settings)
        refuse_contradiction(study, recorded, grid_points(experiment))
        return study
    except StudyDamaged as error:
        damage = str(error)
    place = f"the study {folder.id}" if file is None else str(file)
    end = ""
    with study_access():
        if file is not None and file.exists():
            end = f"; the damaged file is {set_aside(file).name}"
    warnings.warn(
        f"{place}: a study must be as its trials' folders record it, but {damage}; it was made "
        f"again from the folders of {remake_study(experiment, folder, settings)} trials{end}",
        Note,
        stacklevel=2,
    )
    return load_study(experiment, folder, settings)


def remake_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> int:
    """Make the run's study from its trials' folders, in place of the one there is; no worker has
    it open. Returns the number of trials in it.

    Raises:
        StudyError: its database cannot be read or written.
    """
    trials = RecordedTrials(folder, experiment).read()
    with study_access():
        content = _content(experiment, folder, trials)
        if settings.study is None:
            content.write_file(folder.path / STUDY)
        else:
            storage = storage_at(settings.study)
            if folder.id in optuna.get_all_study_names(storage):
                optuna.delete_study(study_name=folder.id, storage=storage)
            content.write(storage)
    return len(trials)


def load_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The run's study, which the parent has opened.

    Raises:
        StudyError: it cannot be read.
    """
    with study_access():
        study = optuna.load_study(
            study_name=folder.id,
            storage=storage_at(settings.study or sqlite_address(folder.path / STUDY)),
            sampler=PerTrial(experiment),
            pruner=pruner(experiment),
        )
        if study.direction.name.lower() != experiment.direction:
            raise StudyDamaged("its direction is not that of the params")
    return study


def refuse_contradiction(study: optuna.Study, recorded: RecordedTrials, points: Points) -> None:
    """Raise StudyDamaged if the study contradicts the trials' folders."""
    with study_access():
        trials = study.get_trials(deepcopy=False)  # first: what it has, the folders have
        if what := contradiction(trials, recorded.read(), points):
            raise StudyDamaged(what)


def _content(
    experiment: Experiment, folder: RunFolder, trials: Mapping[int, RecordedTrial]
) -> Content:
    points = grid_points(experiment)
    return recorded_content(folder.id, experiment.direction, pruner(experiment), trials, points)


def _add_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> None:
    """Make the study in a shared database if it is not there."""
    with study_access():
        optuna.create_study(
            study_name=folder.id,
            storage=storage_at(settings.study or ""),
            direction=experiment.direction,
            load_if_exists=True,
        )


def grid_points(experiment: Experiment) -> list[dict[str, Any]]:
    """A grid's points, in an order drawn from the seed; empty for other samplers."""
    assert experiment.tune is not None
    if experiment.tune.sampler.kind != "grid":
        return []
    points = grid(experiment.replace({"tune": None}), experiment.tune)
    random.Random(numerics.seed_of(experiment.seed, "grid")).shuffle(points)
    return points[: experiment.tune.trials]


def enqueue_grid(study: optuna.Study, experiment: Experiment) -> None:
    """Put a grid's points into the study; twice is once. Other samplers have none."""
    with study_access():
        for point in grid_points(experiment):
            study.enqueue_trial(point, skip_if_exists=True)


def has_running(study: optuna.Study) -> bool:
    """Whether trials run, or were left in the middle."""
    return bool(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ended, in the order in which they did."""
    done = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    trials = study.get_trials(deepcopy=False, states=done)
    return sorted(trials, key=lambda trial: str(trial.datetime_complete))


def is_failing(study: optuna.Study, before: int) -> bool:
    """Whether the last trials all failed, without those that had ended before the sweep began."""
    last = ended(study)[before:][-MAX_FAILURES:]
    return len(last) == MAX_FAILURES and all(trial.state == TrialState.FAIL for trial in last)


def is_finished(study: optuna.Study, experiment: Experiment, before: int) -> bool:
    """Whether the search has no point left; those that failed before the sweep began are left, but
    for a reproducible one, which may be interrupted anywhere."""
    assert experiment.tune is not None
    before = 0 if experiment.tune.reproducible else before
    again = {trial.number for trial in ended(study)[:before] if trial.state == TrialState.FAIL}
    begun = study.get_trials(deepcopy=False)
    return is_searched(experiment, [trial for trial in begun if trial.number not in again])


def importances(study: optuna.Study) -> Mapping[str, float]:
    """How much of the values' variance each searched key explains (fANOVA, Hutter et al. 2014).

    Empty where too few trials completed, or all are equally good.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(done) < 3 or len({trial.value for trial in done}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {path: float(share) for path, share in shares.items()}


def pruner(experiment: Experiment) -> optuna.pruners.BasePruner:
    """The pruner of a study; of a reproducible one it decides by the earlier trials."""
    tune = experiment.tune
    assert tune is not None
    kind = _pruner_of_kind(experiment)
    return EarlierPruner(kind, tune.workers) if tune.reproducible else kind


def _pruner_of_kind(experiment: Experiment) -> optuna.pruners.BasePruner:
    """A trial's resource is its epochs, those of all its seeds."""
    tune = experiment.tune
    assert tune is not None
    if tune.pruner.kind == "hyperband":
        return optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=experiment.train.epochs * tune.seeds, reduction_factor=3
        )
    if tune.pruner.kind == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    if tune.pruner.kind == "wilcoxon":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.pruners.WilcoxonPruner(p_threshold=0.1)
    return optuna.pruners.NopPruner()
