"""How the next trial is chosen and which are stopped: Optuna's samplers and pruners by name."""

import warnings
from typing import Any

import optuna

from rnnkit.params import Experiment
from rnnkit.params.tune import Tune
from rnnkit.runtime import numerics

RANDOM_TRIALS = 10
"""At most so many trials are drawn at random before a sampler models what they found."""


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
