"""Sweeps that grow: what a run lacks of the sweep that is asked for under the same id."""

from typing import Any

from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

NO_EFFECT = frozenset({"workers"})
"""Keys of `tune` that add nothing to a finished sweep."""


def changes_of(folder: RunFolder, experiment: Experiment) -> dict[str, Any]:
    """What a sweep asks for beside what its run was begun with: params path -> (before, now).

    Empty without a sweep, and of a run that has not begun.
    """
    if experiment.tune is None:
        return {}
    try:
        before = folder.params.tune
    except (InputError, FileNotFoundError):  # damaged, and written again; or not begun
        return {}
    if before is None:
        return {}
    old, new = before.model_dump(mode="json"), experiment.tune.model_dump(mode="json")
    return {f"tune.{key}": (old[key], new[key]) for key in new if old[key] != new[key]}


def lacking(folder: RunFolder, experiment: Experiment) -> dict[str, Any]:
    """As `changes_of`, without what a finished run has: as many trials or more, other workers."""
    changes = changes_of(folder, experiment)
    before, now = changes.get("tune.trials", (0, 0))
    has = {f"tune.{key}" for key in NO_EFFECT} | ({"tune.trials"} if now < before else set())
    return {path: change for path, change in changes.items() if path not in has}


def sentence(changes: dict[str, Any]) -> str:
    """Changes as a person reads them.

    >>> sentence({"tune.trials": (6, 12), "tune.search": ({}, {})})
    'tune.trials was 6 and is 12, tune.search is another one'
    """
    return ", ".join(
        f"{path} is another one"
        if isinstance(now, dict)
        else f"{path} was {_shown(before)} and is {_shown(now)}"
        for path, (before, now) in changes.items()
    )


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
