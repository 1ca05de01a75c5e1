"""What a sweep searches, how, and with how many processes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from rnnkit.params.block import Block, FrozenDict, FrozenMapping

Number = int | float


class Range(Block):
    """Every value from low to high; whole numbers where the key takes whole numbers."""

    low: Number
    high: Number
    log: bool = False
    """Search the logarithm: for values that matter by their ratio."""

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range starts above 0, got low: {self.low}")
        return self


class Choices(Block):
    """One of a list."""

    choices: Annotated[
        tuple[bool | int | float | str | None, ...], Field(strict=False, min_length=1)
    ]


def _shape(space: Any) -> str:
    listed = "choices" in space if isinstance(space, Mapping) else isinstance(space, Choices)
    return "<choices>" if listed else "<range>"  # no key of a params file is called so


Space = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")], Discriminator(_shape)
]


class Pruner(Block):
    """Which trials are stopped early, by the validation curve."""

    kind: Literal["hyperband", "median", "none"] = "hyperband"
    """hyperband (Li et al. 2018), median of the earlier trials at the same epoch, or none."""


class Sampler(Block):
    """How the next trial is chosen."""

    kind: Literal["tpe", "random"] = "tpe"
    """tpe: tree-structured Parzen estimator (Bergstra et al. 2011)."""


SEARCH: FrozenDict[str, Range | Choices] = FrozenDict(
    {
        "train.clip": Range(low=0.5, high=10.0, log=True),
        "model.depth": Range(low=1, high=4),
    }
)


class Tune(Block):
    """A sweep; `rnnkit run` tunes only if this block is there."""

    trials: int = Field(default=30, ge=1, le=1_000_000)
    workers: int = Field(default=2, ge=1, le=1024)
    """Processes, each with one trial at a time."""
    search: FrozenMapping[str, Space] = Field(default_factory=lambda: SEARCH, min_length=1)
    """Params path -> range or choices."""
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    retrain: bool = False
    """false: the best trial's model is the result; true: train again on train and valid."""
