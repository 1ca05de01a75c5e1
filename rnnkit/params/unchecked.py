"""The blocks of an experiment, each validated by itself, and access to values by params path."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, FrozenDict, FrozenMapping, spelled_out
from rnnkit.params.data import Data
from rnnkit.params.model import Model
from rnnkit.params.task import Direction, Task
from rnnkit.params.train import Train
from rnnkit.params.tune import Tune

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return FrozenDict({key: _frozen(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,39}$")]
Changes = Annotated[Mapping[str, Any], AfterValidator(lambda given: _frozen(spelled_out(given)))]


class UncheckedExperiment(Block):
    """Contents of a params file; the rules between its blocks are not checked."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    """Name of the MLflow experiment: letters, digits, `.`, `_` and `-`."""
    task: Task
    seed: Seed = 0
    data: Data
    model: Model = Model()
    train: Train = Train()
    tune: Tune | None = None
    variants: FrozenMapping[Name, Changes] = FrozenDict()
    """Name -> params path -> value; `rnnkit compare` runs each variant."""
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, max_length=100)] = ()
    """`rnnkit compare` runs each variant with each seed; empty: only with `seed`."""

    def replace(self, overrides: Mapping[str, Any]) -> Self:
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
        return type(self).model_validate(tree)

    @property
    def monitored(self) -> str:
        """Validation metric that selects the best epoch and trial.

        Where `train.monitor` is null, `rnnkit.training.evaluate.with_monitor` sets it once the data
        are read: entity tags have another one.
        """
        name = self.train.monitor or self.task.deciding(self.data.source.form)
        return name.removeprefix("valid/")

    @property
    def monitor(self) -> str:
        """As `train.monitor` names it: `valid/f1`."""
        return f"valid/{self.monitored}"

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
        return type(self.value(above)).model_fields[last].get_default()

    def is_changed(self, path: str) -> bool:
        """Whether a value differs from its default."""
        return bool(self.value(path) != self.default(path))
