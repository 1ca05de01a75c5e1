"""A verdict: one sentence with numbers, its evidence, and params to try; and which are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnkit.params import Experiment
from rnnkit.params.block import FrozenDict
from rnnkit.params.experiment import as_yaml

MAX_SHOWN = 3
"""Verdicts of one run that are shown, the weightiest first."""

Override = Mapping[str, Any]
"""Params path -> value, to be changed together."""


@dataclass(frozen=True)
class Verdict:
    """Why a network learns or does not.

    Args:
        name: of its rule in `rnnkit.diagnose.rules.RULES`.
        sentence: with numbers, without a full stop.
        evidence: name -> number, text or list of them, JSON-able.
        overrides: alternatives to try, the best first.
        weight: of its rule, or less; the weightiest are shown.
    """

    name: str
    sentence: str
    evidence: Mapping[str, Any] = FrozenDict()
    overrides: tuple[Override, ...] = ()
    weight: float = 0.0

    @property
    def options(self) -> tuple[str, ...]:
        """The alternatives as options of `rnnkit run`.

        >>> Verdict("a", "b", overrides=({"model.cell.kind": "lstm"},)).options
        ('--set model.cell.kind=lstm',)
        """
        return tuple(
            " ".join(f"--set {path}={as_yaml(value)}" for path, value in override.items())
            for override in self.overrides
        )

    @property
    def text(self) -> str:
        """The sentence and what to try.

        >>> try_first, try_next = {"train.clip": 1.0}, {"train.optimizer.learning_rate": 0.001}
        >>> Verdict("a", "gradients explode", overrides=(try_first, try_next)).text
        'gradients explode: try --set train.clip=1.0, or --set train.optimizer.learning_rate=0.001'
        """
        return self.sentence + (f": try {', or '.join(self.options)}" if self.overrides else "")

    def to_json(self) -> dict[str, Any]:
        """All of it, as in result.json; `text` and `options` stand there too, for readers."""
        return {
            "name": self.name,
            "sentence": self.sentence,
            "evidence": dict(self.evidence),
            "overrides": [dict(override) for override in self.overrides],
            "weight": self.weight,
            "options": list(self.options),
            "text": self.text,
        }


def accepted(experiment: Experiment, *overrides: Override) -> tuple[Override, ...]:
    """The overrides that change these params and that they accept."""
    kept = []
    for override in overrides:
        try:
            changed = experiment.replace(override)
        except (KeyError, ValueError):  # another kind's key, or a value that a rule refuses
            continue
        if changed != experiment:
            kept.append(override)
    return tuple(kept)


def weightiest_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts in the order in which they are shown; of equal weight by name."""
    return sorted(verdicts, key=lambda verdict: (-verdict.weight, verdict.name))


def shown(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The weightiest `MAX_SHOWN`."""
    return weightiest_first(verdicts)[:MAX_SHOWN]
