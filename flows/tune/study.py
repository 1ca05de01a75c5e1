"""The study: one database that parent and workers share, its sampler and its pruner."""

import random
import warnings
from collections.abc import Mapping

import optuna
from optuna.trial import FrozenTrial, TrialState

from flows.settings import Settings, sqlite_address
from flows.tune.sampler import PerTrial, is_searched
from rnnkit.params import Experiment
from rnnkit.params.searching import grid
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics

MAX_FAILURES = 5
"""So many failures in a row end a sweep."""


def open_study(experiment: Experiment, folder: RunFolder, settings: Settings) -> optuna.Study:
    """The run's study; the parent makes it before any worker opens it."""
    assert experiment.tune is not None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = settings.study or sqlite_address(folder.path / "study.db")
    local = address.startswith("sqlite:")
    storage = optuna.storages.RDBStorage(
        address, engine_kwargs={"connect_args": {"timeout": 60}} if local else {}
    )
    return optuna.create_study(
        study_name=folder.id,
        storage=storage,
        sampler=PerTrial(experiment),
        pruner=pruner(experiment),
        direction=experiment.direction,
        load_if_exists=True,
    )


def enqueue_grid(study: optuna.Study, experiment: Experiment) -> None:
    """Puts a grid's points into the study, in an order drawn from the seed; twice is once."""
    assert experiment.tune is not None
    points = grid(experiment.replace({"tune": None}), experiment.tune)
    random.Random(numerics.seed_of(experiment.seed, "grid")).shuffle(points)
    for point in points[: experiment.tune.trials]:
        study.enqueue_trial(point, skip_if_exists=True)


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
    """Whether the search has no point left; those that failed before the sweep began are left."""
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
    """The pruner by its kind; a trial's resource is its epochs, those of all its seeds."""
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
