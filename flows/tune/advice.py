"""What a finished sweep says of itself: sentences that name the next thing to try."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scipy.stats import t as student

from flows.tune.trials import ranked
from rnnkit.params import Experiment
from rnnkit.params.tune import Choices, Range

EDGE = 0.05
"""Fraction of a range, on its scale, within which a value lies at its edge."""
LEVEL = 0.95
"""Of the intervals of differences between trials."""
MIN_CHOICES = 3
"""Of two choices one is always the largest."""
MAX_NAMED = 5
"""Trials that a sentence names."""


def advice(records: Sequence[dict[str, Any]], experiment: Experiment) -> list[str]:
    """Where the best value lies at the edge of its range, whether more epochs may help, and which
    trials cannot be told apart.

    Args:
        records: of the trials, from `trial_records`.
        experiment: with the search as ranges.
    """
    trials = ranked(records, experiment)
    if not trials:
        return []
    best, *others = trials
    return [
        *_edges(best["values"], experiment),
        *_last_epoch(best, experiment),
        *_apart(best, others, experiment),
    ]


def _edges(values: Mapping[str, Any], experiment: Experiment) -> Iterator[str]:
    assert experiment.tune is not None
    for path, value in values.items():
        space = experiment.tune.search[path]
        if isinstance(space, Range):
            end, beyond = _end(space, value)
            if end and _is_allowed(experiment, values, path, beyond):
                verb = "lower" if end == "low" else "raise"
                yield (
                    f"{path}: the best value, {_shown(value)}, lies at the edge of its range, "
                    f"{_shown(space.low)} to {_shown(space.high)}; {verb} {end}"
                )
        elif isinstance(space, Choices) and (numbers := _numbers(space.choices)):
            for extreme, word in ((min(numbers), "smallest"), (max(numbers), "largest")):
                if value == extreme:
                    yield f"{path}: the best value, {_shown(value)}, is the {word} of its choices"


def _end(space: Range, value: float) -> tuple[str, float]:
    """The end of a range at which a value lies, empty if none, and a value beyond it."""
    scale = math.log if space.log else float
    span = scale(space.high) - scale(space.low)
    place = (scale(value) - scale(space.low)) / span
    sign = -1 if place <= EDGE else 1
    if EDGE < place < 1 - EDGE:
        return "", value
    if isinstance(value, int) or space.step is not None:
        beyond = value + sign * (space.step or 1)
    else:
        beyond = value * math.exp(sign * span / 10) if space.log else value + sign * span / 10
    return ("low" if sign < 0 else "high"), beyond


def _is_allowed(experiment: Experiment, values: Mapping[str, Any], path: str, value: float) -> bool:
    """Whether the params take a value beside the other ones."""
    try:
        experiment.replace({**values, "tune": None, path: value})
    except ValueError:
        return False
    return True


def _numbers(choices: Sequence[Any]) -> list[float]:
    """The choices if they are numbers and several; else none."""
    numbers = [c for c in choices if isinstance(c, int | float) and not isinstance(c, bool)]
    return numbers if len(numbers) == len(choices) >= MIN_CHOICES else []


def _last_epoch(best: Mapping[str, Any], experiment: Experiment) -> Iterator[str]:
    epochs = best["values"].get("train.epochs", experiment.train.epochs)
    curve = best["curve"]
    pick = max if experiment.direction == "maximize" else min
    if len(curve) == epochs and curve.index(pick(curve)) == epochs - 1:
        yield (
            f"the best epoch was the last, {epochs}: {experiment.monitor} may still improve; raise "
            "train.epochs"
        )


def _apart(
    best: Mapping[str, Any], others: Sequence[Mapping[str, Any]], experiment: Experiment
) -> Iterator[str]:
    """Whether the best trial is better than others by more than its seeds differ."""
    if not others:
        return
    compared = [(other, _difference(best, other)) for other in others]
    intervals = [(other, interval) for other, interval in compared if interval is not None]
    monitor, winner = experiment.monitor, f"trial {best['number']}"
    if not intervals:
        second = others[0]
        yield (
            f"{winner} has {monitor} {_shown(best['value'])} and the next best, trial "
            f"{second['number']}, {_shown(second['value'])}, of one seed each: these cannot be "
            "told apart; tune.confirm: 3 decides among the best three by more seeds"
        )
        return
    close = [other for other, (low, _, high) in intervals if low <= 0 <= high]
    seeds = len(best["seeds"])
    if close:
        named = ", ".join(str(other["number"]) for other in close[:MAX_NAMED])
        more = f" and {len(close) - MAX_NAMED} more" if len(close) > MAX_NAMED else ""
        yield (
            f"{winner} is the best over {seeds} seeds, but these cannot be told apart from it: "
            f"trial{'s' * (len(close) > 1)} {named}{more}; with other seeds one of them may be the "
            "best"
        )
        return
    other, (low, mean, high) = intervals[0]
    yield (
        f"{winner} is better than trial {other['number']}, the next best, over {seeds} seeds: "
        f"{monitor} differs by {_shown(mean)} [{_shown(low)}, {_shown(high)}]"
    )


def _difference(
    best: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[float, float, float] | None:
    """(low, mean, high) of the difference over the seeds that two trials share, by a paired t test;
    None for fewer than two."""
    shared = best["seeds"].keys() & other["seeds"].keys()
    if len(shared) < 2:
        return None
    differences = [other["seeds"][seed] - best["seeds"][seed] for seed in sorted(shared)]
    mean = statistics.mean(differences)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    half = float(student.ppf((1 + LEVEL) / 2, len(differences) - 1)) * error
    return mean - half, mean, mean + half


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
