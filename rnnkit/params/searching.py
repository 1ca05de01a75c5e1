"""Rules between a search space and its experiment, and the points of a grid."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from rnnkit.params.block import reason_of
from rnnkit.params.misplaced import instead
from rnnkit.params.tune import Choices, Percentiles, Range, Sampler, Space, Tune, Value
from rnnkit.params.unchecked import UncheckedExperiment
from rnnkit.params.variants import incomparable_because

FIXED: Mapping[str, str] = {
    "data.source": "trials on other data could not be compared",
    "data.split": "trials on other splits could not be compared",
    "data.limit": "trials on other data could not be compared",
    "train.checkpoint_seconds": "it changes no result; set it in the train block",
    "train.monitor": "says what best means, for all trials alike; set it in the train block",
}
"""Keys and blocks that cannot be searched, and why."""
MIN_SEEDS = 4
"""A signed-rank test over fewer pairs cannot reach wilcoxon's level of 0.1."""


def search_rules(experiment: UncheckedExperiment) -> Iterator[str]:
    """Violated rules for a search, each as `params path: reason`."""
    if experiment.tune is None:
        return
    untuned = experiment.model_copy(update={"tune": None})
    search = experiment.tune.search
    # Keys without a condition first: conditions refer only to these.
    for path, space in sorted(search.items(), key=lambda item: bool(item[1].when)):
        if path.split(".")[0] not in ("model", "train", "data"):
            yield f"tune.search.{path}: only keys of model, train and data can be searched"
        for fixed, why in FIXED.items():
            if path == fixed or path.startswith(f"{fixed}."):
                yield f"tune.search.{path}: {why}"
        yield from _condition_rules(untuned, path, space, search)
        yield from _value_rules(untuned, path, space)
    yield from _method_rules(untuned, experiment.tune)


def is_whole(untuned: UncheckedExperiment, path: str, space: Range) -> bool:
    """Whether a range is of whole numbers: its ends are, and its key accepts no others."""
    if not all(isinstance(value, int) for value in (space.low, space.high, space.step or 1)):
        return False
    try:
        untuned.replace({**space.when, path: space.low + 0.5})
    except ValidationError:
        return True
    return False


def stepped(untuned: UncheckedExperiment, path: str, space: Range) -> list[int] | list[float]:
    """The values of a range with a step: whole numbers where its key takes them."""
    if is_whole(untuned, path, space):
        return list(map(int, space.values()))
    return list(map(float, space.values()))


def grid(untuned: UncheckedExperiment, tune: Tune) -> list[dict[str, Value]]:
    """Every combination of the values, the last key changing fastest; no space of percentiles."""
    axes = [_axis(untuned, path, space, tune.sampler.points) for path, space in tune.search.items()]
    return [dict(zip(tune.search, point, strict=True)) for point in itertools.product(*axes)]


def all_points(experiment: UncheckedExperiment) -> Iterator[dict[str, Value]] | None:
    """Every point of a search whose ranges all have whole numbers or steps; None for any other."""
    assert experiment.tune is not None
    untuned = experiment.replace({"tune": None})
    axes: list[tuple[str, Space, Sequence[Value]]] = []
    # Keys without a condition first: conditions refer only to these.
    for path, space in sorted(experiment.tune.search.items(), key=lambda item: bool(item[1].when)):
        if isinstance(space, Choices):
            axes.append((path, space, space.choices))
        elif isinstance(space, Range) and space.step is not None:
            axes.append((path, space, stepped(untuned, path, space)))
        elif isinstance(space, Range) and is_whole(untuned, path, space):
            axes.append((path, space, range(int(space.low), int(space.high) + 1)))
        else:
            return None
    return _points(axes, {})


def _points(
    axes: Sequence[tuple[str, Space, Sequence[Value]]], point: dict[str, Value]
) -> Iterator[dict[str, Value]]:
    if not axes:
        yield point
        return
    (path, space, values), *rest = axes
    if any(point[key] != value for key, value in space.when.items()):
        yield from _points(rest, point)
        return
    for value in values:
        yield from _points(rest, {**point, path: value})


def _axis(untuned: UncheckedExperiment, path: str, space: Space, points: int) -> list[Value]:
    if isinstance(space, Choices):
        return list(space.choices)
    assert isinstance(space, Range)
    if space.step is not None:
        return [*stepped(untuned, path, space)]
    low, high = (math.log(end) if space.log else float(end) for end in (space.low, space.high))
    spaced = [low + (high - low) * i / (points - 1) for i in range(points)]
    values = [math.exp(value) if space.log else value for value in spaced]
    values[0], values[-1] = float(space.low), float(space.high)
    if not is_whole(untuned, path, space):
        return [*values]
    if space.high - space.low < points:
        return [*range(int(space.low), int(space.high) + 1)]
    return [*sorted({round(value) for value in values})]


def _condition_rules(
    untuned: UncheckedExperiment, path: str, space: Space, search: Mapping[str, Space]
) -> Iterator[str]:
    for key, value in space.when.items():
        here = f"tune.search.{path}.when.{key}"
        if key not in search:
            yield f"{here}: is not searched, so it never changes; search it, too"
        elif search[key].when:
            yield f"{here}: has a condition itself; name a key that has none"
        elif isinstance(above := search[key], Choices):
            if value not in above.choices:
                choices = ", ".join(map(str, above.choices))
                yield f"{here}: is never {value!r}; its choices are {choices}"
        elif isinstance(above, Range) and above.step is not None:
            if value not in above.values():
                yield (
                    f"{here}: is never {value!r}; its values go from {above.low} to {above.high} "
                    f"by {above.step}"
                )
        elif isinstance(above, Percentiles) or not is_whole(untuned, key, above):
            yield f"{here}: no trial has one exact value of a range; give {key} choices"
        elif value not in range(int(above.low), int(above.high) + 1):
            whole = f"whole numbers go from {above.low} to {above.high}"
            yield f"{here}: is never {value!r}; its {whole}"


def _value_rules(untuned: UncheckedExperiment, path: str, space: Space) -> Iterator[str]:
    here = f"tune.search.{path}"
    if isinstance(space, Percentiles):
        if path != "train.clip":
            yield (
                f"{here}: percentiles are of gradient norms, for train.clip alone; give low and "
                "high"
            )
        return
    values = space.choices if isinstance(space, Choices) else (space.low, space.high)
    if isinstance(space, Range):
        numbers = {"low": space.low, "high": space.high, "step": space.step}
        fractional = not all(isinstance(number, int | None) for number in numbers.values())
        if fractional and _holds_whole(untuned, path, space):
            got = ", ".join(f"{key}: {n}" for key, n in numbers.items() if n is not None)
            yield f"{here}: takes whole numbers, got {got}"
    for value in values:
        try:
            trial = untuned.replace({**space.when, path: value})
        except KeyError:
            yield f"{here}: there is no such key{instead(path, untuned.model_dump())}"
        except ValidationError as error:
            reason = reason_of(error.errors()[0]).replace("Input should be ", "it must be ")
            yield f"{here}: cannot be {value!r}; {reason}"
        else:
            if why := incomparable_because(untuned, trial, untuned.monitored):
                yield f"{here}: {why}"


def _holds_whole(untuned: UncheckedExperiment, path: str, space: Range) -> bool:
    try:
        value = untuned.replace(space.when).value(path)
    except (AttributeError, KeyError, ValidationError):
        return False
    return isinstance(value, int) and not isinstance(value, bool)


def _method_rules(untuned: UncheckedExperiment, tune: Tune) -> Iterator[str]:
    kind, search, points = tune.sampler.kind, tune.search, tune.sampler.points
    conditional = [path for path, space in search.items() if space.when]
    listed = [path for path, space in search.items() if isinstance(space, Choices)]
    if points != Sampler().points and kind != "grid":
        yield f"tune.sampler.points: only a grid has points, not {kind}; leave it out"
    if kind in ("grid", "cmaes") and conditional:
        yield (
            f"tune.search.{conditional[0]}.when: {kind} searches all keys in every trial; "
            "leave the condition out, or choose tpe, gp or random"
        )
    if kind == "cmaes" and (listed or len(search) < 2):
        yield (
            "tune.sampler: cmaes searches two or more ranges, and "
            f"{f'{listed[0]} is a list' if listed else 'there is one'}; choose tpe or gp"
        )
    if kind == "grid":
        cells = math.prod(
            points if isinstance(space, Percentiles) else len(_axis(untuned, path, space, points))
            for path, space in search.items()
        )
        if tune.trials > cells:
            yield (
                f"tune.trials: the grid has {cells} points, got {tune.trials}; write trials: "
                f"{cells}"
            )
    if tune.pruner.kind == "wilcoxon" and tune.seeds < MIN_SEEDS:
        yield (
            "tune.pruner: wilcoxon compares trials over their seeds and needs tune.seeds of at "
            f"least {MIN_SEEDS}, got {tune.seeds}"
        )
    yield from _confirmation_rules(tune)


def _confirmation_rules(tune: Tune) -> Iterator[str]:
    if tune.confirm is None:
        if tune.confirm_seeds != Tune().confirm_seeds:
            yield (
                "tune.confirm_seeds: are the seeds of trials that tune.confirm names, and it is "
                "null; write confirm: 3, or leave confirm_seeds out"
            )
        return
    if tune.confirm > tune.trials:
        yield f"tune.confirm: there are {tune.trials} trials, got {tune.confirm}; write fewer"
    if tune.confirm_seeds <= tune.seeds:
        yield (
            f"tune.confirm_seeds: every trial is trained with {tune.seeds} seeds already, got "
            f"{tune.confirm_seeds}; write more"
        )
