"""Which values of an experiment have an effect, by the rules that refuse a change of the others."""

from typing import Any

from rnnkit.params.experiment import Experiment, flatten
from rnnkit.params.public import UNHASHED_KEYS
from rnnkit.params.rules import rules
from rnnkit.params.unchecked import UncheckedExperiment

EMPTY: dict[str, Any] = {"tune": None, "variants": {}, "seeds": []}
"""Blocks that most experiments leave out -> their value then."""


class _AllChanged(UncheckedExperiment):
    """An experiment that claims that every value differs from its default."""

    def is_changed(self, path: str) -> bool:
        return True


def without_effect(experiment: Experiment) -> set[str]:
    """Params paths that must hold their default, because the task, the source or another value
    makes no use of them. A path stands for all below it.

    A valid experiment violates no rule, so those that it violates once all values count as changed
    are the rules about values without an effect.
    """
    blocks = {name: getattr(experiment, name) for name in type(experiment).model_fields}
    violated = rules(_AllChanged.model_construct(**blocks))
    return {sentence.partition(":")[0] for sentence in violated}


def applicable(experiment: Experiment) -> dict[str, Any]:
    """As `flatten`, without the values that have no effect on the result."""
    unused = without_effect(experiment)
    return {
        path: value
        for path, value in flatten(experiment).items()
        if path.rpartition(".")[2] not in UNHASHED_KEYS
        and not (path in EMPTY and value == EMPTY[path])
        and not any(path == above or path.startswith(f"{above}.") for above in unused)
    }
