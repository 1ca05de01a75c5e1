"""Trials as their folders record them: the truth, which a study has to agree with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from flows.tune.ranges import Ranges
from flows.tune.sampler import distributions_of
from flows.tune.trials import end_of, trial_folders
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

STATES = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""How a trial's journal ends -> its state; any other end: it is running."""
RUNG, FIXED = "completed_rung_", "fixed_params"
"""Optuna's attributes of a trial that are not its sampler's: a pruner's, an enqueued point."""

Points = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RecordedTrial:
    """A trial whose values are recorded."""

    number: int
    values: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    attributes: Mapping[str, Any] | None
    """What the sampler keeps with the trial; None if it was drawn from other ranges, and in sweeps
    of an earlier version."""
    state: TrialState
    value: float | None
    """Of a complete trial."""
    reported: Mapping[int, float]
    """Step -> monitored metric; a step is an epoch, over all seeds, or a seed (wilcoxon)."""
    begun: datetime
    ended: datetime | None
    is_outside: bool = False
    """Whether it lies outside the search space. A study has it as a failed trial without values."""


class RecordedTrials:
    """The trials of a sweep's folder; each is read once after it has ended.

    Args:
        experiment: with the search as ranges.
    """

    def __init__(self, folder: RunFolder, experiment: Experiment) -> None:
        self._folder, self._experiment = folder, experiment
        self._ended: dict[int, RecordedTrial] = {}

    def read(self) -> dict[int, RecordedTrial]:
        """All trials whose values are recorded, by number.

        Raises:
            InputError: a journal is damaged.
        """
        trials = {}
        stored = Ranges.read(self._folder)
        first = 0 if stored is None else stored.first
        for place in trial_folders(self._folder):
            number = int(place.id.rpartition("-")[2])
            trial = self._ended.get(number) or _read(number, place, self._experiment, first)
            if trial is not None:
                trials[number] = trial
                if trial.ended is not None:
                    self._ended[number] = trial
        return trials


def sampler_attributes(trial: FrozenTrial) -> dict[str, Any]:
    """What the sampler keeps with a trial, as the optimizer of CMA-ES."""
    attributes = trial.system_attrs.items()
    return {k: v for k, v in attributes if k != FIXED and not k.startswith(RUNG)}


def contradiction(
    trials: Sequence[FrozenTrial], recorded: Mapping[int, RecordedTrial], points: Points
) -> str:
    """Where a study contradicts the folders; empty if nowhere.

    A study may lag behind: a trial that was asked for and has recorded no values yet, and one that
    has ended in its folder and not in the study.

    Args:
        trials: of the study; read before the folders.
        recorded: from the folders.
        points: of a grid; of other samplers empty.
    """
    if lost := sorted(recorded.keys() - range(len(trials))):
        return f"trial {lost[0]} is not in it"
    waiting = []
    for trial in trials:
        if what := _contradicts(trial, recorded.get(trial.number)):
            return f"{what} of trial {trial.number} is not the recorded one"
        if trial.state == TrialState.WAITING:
            waiting.append(as_json(trial.system_attrs.get(FIXED)))
    enqueued = {as_json(point) for point in points or [{}]}
    if not enqueued.issuperset(waiting) or len(waiting) > max(len({*waiting}), not points):
        return "a waiting trial is not a point of the grid" if points else "a trial is enqueued"
    return ""


def as_json(value: Any) -> str:
    """A value as text that is equal where the values are, in a journal and in a study.

    >>> as_json({"b": (1, 2), "a": float("nan")})
    '{"a": NaN, "b": [1, 2]}'
    """
    return json.dumps(value, sort_keys=True)


def _contradicts(trial: FrozenTrial, record: RecordedTrial | None) -> str:
    """What of a trial contradicts its record; empty if nothing does."""
    if record is None:
        return "the end" if trial.state.is_finished() else ""
    if trial.state not in (TrialState.RUNNING, record.state):
        return "the state"
    if as_json(trial.params) != as_json(record.values):
        return "a value"
    if trial.distributions != record.distributions:
        return "a range"
    if record.attributes is not None and as_json(sampler_attributes(trial)) != as_json(
        record.attributes
    ):
        return "the sampler's state"
    reported = trial.intermediate_values
    # The journal forgets an epoch whose checkpoint is lost; it is trained again.
    repeated = max(record.reported, default=0) + 1 if record.ended is None else None
    for step, value in reported.items():
        if step != repeated and repr(record.reported.get(step)) != repr(value):
            return "a reported metric"
    rungs = {repr(value) for key, value in trial.system_attrs.items() if key.startswith(RUNG)}
    if not rungs <= {repr(value) for value in reported.values()}:
        return "the pruner's state"
    result = [record.value] if record.state == TrialState.COMPLETE else [None, *reported.values()]
    if trial.state.is_finished() and repr(trial.value) not in map(repr, result):
        return "the result"
    return ""


def _read(
    number: int, place: RunFolder, experiment: Experiment, first: int
) -> RecordedTrial | None:
    """A trial; None if its values are not recorded.

    Args:
        first: number of the first trial that was drawn from the present ranges.
    """
    lines = place.records()
    begun = next((line for line in lines if line["kind"] == "begun"), None)
    if begun is None:
        return None
    values, end = begun["values"], lines[-1]
    distributions = distributions_of(values, experiment)
    if distributions is None:
        times = _moment(begun), _moment(end)
        return RecordedTrial(number, {}, {}, None, TrialState.FAIL, None, {}, *times, True)
    state = STATES.get(end_of(lines) or "", TrialState.RUNNING)
    return RecordedTrial(
        number=number,
        values=values,
        distributions=distributions,
        attributes=begun.get("attributes") if number >= first else None,
        state=state,
        value=float(end["value"]) if state == TrialState.COMPLETE else None,
        reported=_reported(place, lines, values, experiment),
        begun=_moment(begun),
        ended=_moment(end) if state.is_finished() else None,
    )


def _reported(
    place: RunFolder,
    lines: Sequence[Mapping[str, Any]],
    values: Mapping[str, Any],
    experiment: Experiment,
) -> dict[int, float]:
    """What a trial's worker reports, by step."""
    tune = experiment.tune
    assert tune is not None
    if tune.pruner.kind == "wilcoxon":
        seeds = [line for line in lines if line["kind"] == "seed"]
        return {k: float(line["value"]) for k, line in enumerate(seeds)}
    epochs = values.get("train.epochs", experiment.train.epochs)
    journals = [lines]
    if tune.seeds > 1:
        numbers = range(experiment.seed, experiment.seed + tune.seeds)
        journals = [RunFolder(place.path / f"seed-{seed}").records() for seed in numbers]
    return {
        k * epochs + line["epoch"]: float(line["valid"][experiment.monitored])
        for k, journal in enumerate(journals)
        for line in journal
        if line["kind"] == "epoch"
    }


def _moment(line: Mapping[str, Any]) -> datetime:
    """A line's time, in local time as Optuna has it."""
    return datetime.fromtimestamp(line["time"] / 1000)
