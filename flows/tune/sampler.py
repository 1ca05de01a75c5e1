"""The sampler of a study: by the kind that the params name, and no point is tried twice.

A trial of a point that was tried gives the same value again, so another point is drawn while
there is one.
"""

import random
import warnings
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

from flows.tune.earlier import earlier_trials, write_attributes
from rnnkit.params import Experiment
from rnnkit.params.searching import all_points, is_whole
from rnnkit.params.tune import Choices, Range, at_step
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
            low, high, step = int(space.low), int(space.high), int(space.step or 1)
            values[path] = trial.suggest_int(path, low, high, step=step, log=space.log)
        else:
            ends = float(space.low), float(space.high)
            values[path] = trial.suggest_float(path, *ends, step=space.step, log=space.log)
    return values


def distributions_of(
    values: Mapping[str, Any], experiment: Experiment
) -> Mapping[str, BaseDistribution] | None:
    """The distributions of a point in the search space; None if it lies outside."""
    fixed = optuna.trial.FixedTrial(dict(values))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a value outside its range is one
            suggested = suggest(fixed, experiment)
    except (KeyError, ValueError, TypeError, UserWarning):
        return None
    return fixed.distributions if suggested.keys() == values.keys() else None


def is_searched(experiment: Experiment, tried: Sequence[FrozenTrial]) -> bool:
    """Whether the search space has no further point."""
    points, known = all_points(experiment), {_key(trial.params) for trial in tried}
    return points is not None and all(_key(point) in known for point in points)


class PerTrial(optuna.samplers.BaseSampler):
    """A fresh sampler for each trial, seeded by its number: a resumed study goes on as it would."""

    def __init__(self, experiment: Experiment) -> None:
        assert experiment.tune is not None
        self._experiment, self._tune = experiment, experiment.tune
        self._number, self._seed = -1, 0  # of the trial that asks
        self._point: Mapping[str, Any] = {}

    def _fresh(self, number: int) -> optuna.samplers.BaseSampler:
        tune = self._tune
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

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> Any:
        return {}  # `_Draw` asks the kind's own sampler

    def sample_relative(self, study: optuna.Study, trial: Any, search_space: Any) -> Any:
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        if trial.number != self._number:
            self._number, self._point = trial.number, self._new_point(study, trial)
        return self._point[name]

    def _new_point(self, study: optuna.Study, trial: FrozenTrial) -> Mapping[str, Any]:
        if not self._tune.reproducible:
            return self._drawn(study, trial)
        known = earlier_trials(study, trial.number, self._tune.workers)
        point = self._drawn(known, known.get_trials(deepcopy=False)[trial.number])
        write_attributes(known, study, trial)
        return point

    def _drawn(self, study: optuna.Study, trial: FrozenTrial) -> Mapping[str, Any]:
        modelled = self._fresh(trial.number)
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        begun = [other for other in others if other.state != TrialState.WAITING]
        tried = {_key(other.params) for other in begun}
        at_random = optuna.samplers.RandomSampler(seed=self._seed)
        draws = chain(repeat(modelled, 1 + REDRAWS), repeat(at_random, RANDOM_REDRAWS))
        point: Mapping[str, Any] = {}
        for sampler in draws:
            point = suggest(_Draw(sampler, study, trial), self._experiment)
            if _key(point) not in tried:
                return point
        if left := self._left(tried):
            return random.Random(self._seed).choice(left)
        kept = {_key(other.params) for other in begun if other.state != TrialState.FAIL}
        failed = [t.params for t in begun if t.params and _key(t.params) not in kept]
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

    def suggest_int(self, name: str, low: int, high: int, step: int, log: bool) -> Any:
        return self._draw(name, IntDistribution(low, high, log=log, step=step))

    def suggest_float(
        self, name: str, low: float, high: float, step: float | None, log: bool
    ) -> Any:
        value = self._draw(name, FloatDistribution(low, high, log=log, step=step))
        return value if step is None else float(at_step(low, step, round((value - low) / step)))

    def _draw(self, name: str, distribution: BaseDistribution) -> Any:
        value = self._relative.get(name)
        if name not in self._relative:
            value = self._sampler.sample_independent(self._study, self._trial, name, distribution)
        # A trial that was killed has its first values; the others are drawn as if it had none.
        return self._trial.params.get(name, value)


def _key(point: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((path, repr(value)) for path, value in point.items()))
