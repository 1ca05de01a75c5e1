"""A complete experiment. Construction checks the rules between its blocks."""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from rnnkit.params.block import FrozenDict
from rnnkit.params.rules import rules
from rnnkit.params.unchecked import UncheckedExperiment


class Experiment(UncheckedExperiment):
    """Contents of a params file."""

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if (violated := next(rules(self), None)) is not None:
            raise ValueError(violated)
        return self


def flatten(experiment: Experiment) -> dict[str, Any]:
    """Every value by its params path, such as `train.optimizer.kind`.

    A sweep's search space is one value, by its own path.
    """
    flat: dict[str, Any] = {}

    def visit(prefix: str, value: Any) -> None:
        if isinstance(value, FrozenDict | dict) and value:
            for key, inner in value.items():
                visit(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            flat[prefix] = value

    visit("", experiment.model_dump(mode="json"))
    return flat


def as_yaml(value: Any) -> str:
    """A value in the notation of a params file.

    >>> as_yaml({"kind": "fractions", "test": 0.1}), as_yaml(None), as_yaml(True)
    ('{kind: fractions, test: 0.1}', 'null', 'true')
    """
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {as_yaml(inner)}' for key, inner in value.items())}}}"
    return value if isinstance(value, str) else json.dumps(value)
