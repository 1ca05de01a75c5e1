"""A complete experiment. Construction checks the rules between its blocks."""

import copy
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from rnnkit.params import searching, variants
from rnnkit.params.block import Block, FrozenDict, default_of, spelled_out
from rnnkit.params.data import Data
from rnnkit.params.model import Model
from rnnkit.params.rules import rules
from rnnkit.params.task import Direction, Task
from rnnkit.params.train import Train
from rnnkit.params.tune import Tune
from rnnkit.params.variants import Variants

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Experiment(Block):
    """Contents of a params file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """Name of the MLflow experiment: letters, digits, `.`, `_` and `-`."""
    task: Task
    seed: Seed = 0
    data: Data
    model: Model = Model()
    train: Train = Train()
    tune: Tune | None = None
    variants: Variants = FrozenDict()
    """Name -> params path -> value; `rnnkit compare` runs each variant."""
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, max_length=100)] = ()
    """`rnnkit compare` runs each variant with each seed; empty: only with `seed`."""

    @model_validator(mode="after")
    def _check_rules(self) -> "Experiment":
        for path, refused, reason in rules(self):
            if refused:
                raise ValueError(f"{path}: {reason}")
        if self.tune is not None:
            untuned = self.model_copy(update={"tune": None})  # validated above
            searching.refuse_misfits(untuned, self.tune)
        variants.refuse_misfits(self)
        return self

    def replace(self, overrides: Mapping[str, Any]) -> "Experiment":
        """A validated copy with some values replaced.

        A new `kind` removes the other keys of its block: another kind has other keys.

        Args:
            overrides: params path (`train.clip`) -> value.

        Raises:
            ValueError: a value is not allowed (pydantic's ValidationError).
            KeyError: there is no such path.
        """
        tree = self.model_dump()
        emptied = []
        overrides = spelled_out(overrides)
        for path in sorted(overrides, key=lambda path: not path.endswith(".kind")):  # kinds first
            *above, last = path.split(".")
            block: Any = tree
            for key in above:
                block = block.get(key) if isinstance(block, dict) else None
            if not isinstance(block, dict) or not (last in block or block in emptied):
                raise KeyError(path)
            if last == "kind" and block["kind"] != overrides[path]:
                block.clear()
                emptied.append(block)
            block[last] = copy.deepcopy(overrides[path])
        return Experiment.model_validate(tree)

    @property
    def monitored(self) -> str:
        """Validation metric that selects the best epoch and trial."""
        return self.train.monitor.removeprefix("valid/")

    @property
    def direction(self) -> Direction:
        """Whether to minimize or maximize the monitored metric."""
        return self.task.metrics[self.monitored]

    def value(self, path: str) -> Any:
        """Value at a params path such as `train.clip`."""
        value: Any = self
        for key in path.split("."):
            value = getattr(value, key)
        return value

    def default(self, path: str) -> Any:
        """Default at a params path."""
        above, _, last = path.rpartition(".")
        return default_of(type(self.value(above)), last)


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


def as_written(value: Any) -> str:
    """A value in the notation of a params file.

    >>> as_written({"kind": "fractions", "test": 0.1}), as_written(None), as_written(True)
    ('{kind: fractions, test: 0.1}', 'null', 'true')
    """
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {as_written(inner)}' for key, inner in value.items())}}}"
    return value if isinstance(value, str) else json.dumps(value)
