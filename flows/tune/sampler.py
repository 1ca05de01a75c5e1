"""The sampler of a study: by the kind that the params name, and no point is tried twice.

A trial of a point that was tried gives the same value again, so another point is drawn while
there is one.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, islice, repeat
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from rnnkit.params import Experiment
from rnnkit.params.searching import all_points, is_whole
from rnnkit.params.tune import Choices, Range
from rnnkit.runtime import numerics

RANDOM_TRIALS = 10
"""At most so many trials are drawn at random before a sampler models what they found."""
REDRAWS, RANDOM_REDRAWS = 5, 20
"""Further draws after a point that was tried, by the sampler and then at random."""
MAX_LISTED = 1_000  # points that are left, of which one is chosen where all draws were tried


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


def is_searched(experiment: Experiment, tried: Sequence[FrozenTrial]) -> bool:
    """Whether the search space has no further point."""
    points, known = all_points(experiment), {_key(trial.params) for trial in tried}
    return points is not None and all(_key(point) in known for point in points)


class PerTrial(optuna.samplers.BaseSampler):
    """A fresh sampler for each trial, seeded by its number: a resumed study goes on as it would."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._sampler = self._fresh(0)
        self._point: Mapping[str, Any] = {}

    def _fresh(self, number: int) -> optuna.samplers.BaseSampler:
        tune = self._experiment.tune
        assert tune is not None
        self._seed = numerics.seed_of(self._experiment.seed, "trial", number) % 2**32
        startup = max(1, min(RANDOM_TRIALS, tune.trials // 3))
        if tune.sampler.kind == "tpe":
            return optuna.samplers.TPESampler(
                seed=self._seed, n_startup_trials=startup, constant_liar=True
            )
        if tune.sampler.kind == "gp":
            return optuna.samplers.GPSampler(seed=self._seed, n_startup_trials=startup)
        if tune.sampler.kind == "cmaes":
            return optuna.samplers.CmaEsSampler(seed=self._seed, n_startup_trials=startup)
        return optuna.samplers.RandomSampler(seed=self._seed)  # a grid's points are given

    def before_trial(self, study: optuna.Study, trial: Any) -> None:
        self._sampler, self._point = self._fresh(trial.number), {}
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: optuna.Study, trial: Any, state: Any, values: Any) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> Any:
        return {}  # `_Draw` asks the kind's own sampler

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> Any:
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        self._point = self._point or self._new_point(study, trial)
        return self._point[name]

    def _new_point(self, study: optuna.Study, trial: FrozenTrial) -> Mapping[str, Any]:
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        begun = [other for other in others if other.state != TrialState.WAITING]
        tried = {_key(other.params) for other in begun}
        at_random = optuna.samplers.RandomSampler(seed=self._seed)
        draws = chain(repeat(self._sampler, 1 + REDRAWS), repeat(at_random, RANDOM_REDRAWS))
        point: Mapping[str, Any] = {}
        for sampler in draws:
            point = suggest(_Draw(sampler, study, trial), self._experiment)
            if _key(point) not in tried:
                return point
        if left := self._left(tried):
            return random.Random(self._seed).choice(left)
        kept = {_key(other.params) for other in begun if other.state != TrialState.FAIL}
        failed = [other.params for other in begun if _key(other.params) not in kept]
        return failed[0] if failed else point  # the first one failed before a sweep was resumed

    def _left(self, tried: Collection[object]) -> list[Mapping[str, Any]]:
        points = all_points(self._experiment) or ()
        return list(islice((p for p in points if _key(p) not in tried), MAX_LISTED))


class _Draw:
    """Draws a point as a trial does, without a trial of the study that would hold it."""

    def __init__(self, sampler: Any, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler, self._study, self._trial = sampler, study, trial
        space = sampler.infer_relative_search_space(study, trial)
        self._relative = sampler.sample_relative(study, trial, space)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._draw(name, CategoricalDistribution(choices)) if choices[1:] else choices[0]

    def suggest_int(self, name: str, low: int, high: int, log: bool) -> Any:
        return self._draw(name, IntDistribution(low, high, log=log))

    def suggest_float(self, name: str, low: float, high: float, log: bool) -> Any:
        return self._draw(name, FloatDistribution(low, high, log=log))

    def _draw(self, name: str, distribution: BaseDistribution) -> Any:
        for known in (self._trial.params, self._relative):  # the first of a trial that was killed
            if name in known:
                return known[name]
        return self._sampler.sample_independent(self._study, self._trial, name, distribution)


def _key(point: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((path, repr(value)) for path, value in point.items()))
