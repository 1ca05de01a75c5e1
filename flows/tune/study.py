"""The study: one database that parent and workers share, its sampler and its pruner."""

import random
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from flows.settings import Settings, sqlite_address
from rnnkit.params import Experiment
from rnnkit.params.searching import grid, is_whole
from rnnkit.params.tune import Choices, Range, Tune
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics

MAX_FAILURES = 5
"""So many failures in a row end a sweep."""
RANDOM_TRIALS = 10
"""At most so many trials are drawn at random before a sampler models what they found."""


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
        sampler=PerTrial(experiment.tune, experiment.seed),
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


def suggest(trial: Any, experiment: Experiment) -> dict[str, Any]:
    """A value for every searched key whose condition holds; those without one come first."""
    assert experiment.tune is not None
    alone = experiment.replace({"tune": None})
    values: dict[str, Any] = {}
    for path, space in sorted(experiment.tune.search.items(), key=lambda item: bool(item[1].when)):
        if any(values[condition] != value for condition, value in space.when.items()):
            continue
        if isinstance(space, Choices):
            values[path] = trial.suggest_categorical(path, list(space.choices))
            continue
        assert isinstance(space, Range)
        if is_whole(alone, path, space):
            low, high = int(space.low), int(space.high)
            values[path] = trial.suggest_int(path, low, high, log=space.log)
        else:
            values[path] = trial.suggest_float(path, space.low, space.high, log=space.log)
    return values


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ended, in the order in which they did."""
    done = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    trials = study.get_trials(deepcopy=False, states=done)
    return sorted(trials, key=lambda trial: str(trial.datetime_complete))


def is_failing(study: optuna.Study, before: int) -> bool:
    """Whether the last trials all failed, without those that had ended before the sweep began."""
    last = ended(study)[before:][-MAX_FAILURES:]
    return len(last) == MAX_FAILURES and all(trial.state == TrialState.FAIL for trial in last)


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


class PerTrial(optuna.samplers.BaseSampler):
    """A fresh sampler for each trial, seeded by its number: a resumed study goes on as it would."""

    def __init__(self, tune: Tune, seed: int) -> None:
        self._tune, self._seed = tune, seed
        self._sampler = self._fresh(0)

    def _fresh(self, number: int) -> optuna.samplers.BaseSampler:
        seed = numerics.seed_of(self._seed, "trial", number) % 2**32
        startup = max(1, min(RANDOM_TRIALS, self._tune.trials // 3))
        kind = self._tune.sampler.kind
        if kind == "tpe":
            return optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=startup, constant_liar=True
            )
        if kind == "gp":
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=startup)
        if kind == "cmaes":
            return optuna.samplers.CmaEsSampler(seed=seed, n_startup_trials=startup)
        return optuna.samplers.RandomSampler(seed=seed)  # a grid's points are given, not drawn

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        self._sampler = self._fresh(trial.number)
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: optuna.Study, trial: Any, state: Any, values: Any) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> Any:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> Any:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return self._sampler.sample_independent(study, trial, name, distribution)


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
