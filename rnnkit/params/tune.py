"""What a sweep searches, how, and with how many processes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from rnnkit.params.block import Block, FrozenDict, FrozenMapping

Number = int | float


Value = bool | int | float | str | None
When = FrozenMapping[str, Value]


class Range(Block):
    """Every value from low to high; whole numbers where the key takes whole numbers."""

    low: Number
    high: Number
    log: bool = False
    """Search the logarithm: for values that matter by their ratio."""
    when: When = FrozenDict()
    """Params path -> the value it must have; else this key is left out of the trial."""

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range starts above 0, got low: {self.low}")
        return self


class Choices(Block):
    """One of a list."""

    choices: Annotated[tuple[Value, ...], Field(strict=False, min_length=1)]
    when: When = FrozenDict()
    """Params path -> the value it must have; else this key is left out of the trial."""

    @model_validator(mode="after")
    def _different(self) -> "Choices":
        if len(set(self.choices)) < len(self.choices):
            listed = ", ".join(map(str, self.choices))
            raise ValueError(f"choices must each be another one, got {listed}")
        return self


class Percentiles(Block):
    """Between two percentiles of the gradient norms that a first epoch meets, on a log scale."""

    percentiles: Annotated[tuple[Number, Number], Field(strict=False)]
    when: When = FrozenDict()
    """Params path -> the value it must have; else this key is left out of the trial."""

    @model_validator(mode="after")
    def _ordered(self) -> "Percentiles":
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles are two of 0 to 100 in order, got {low} and {high}")
        return self


Space = Range | Choices | Percentiles
SHAPES = ("choices", "percentiles")


def _shape(space: Any) -> str:
    """No key of a params file is called so."""
    for key in SHAPES:
        if key in space if isinstance(space, Mapping) else hasattr(space, key):
            return f"<{key}>"
    return "<range>"


TaggedSpace = Annotated[
    Annotated[Range, Tag("<range>")]
    | Annotated[Choices, Tag("<choices>")]
    | Annotated[Percentiles, Tag("<percentiles>")],
    Discriminator(_shape),
]


class Pruner(Block):
    """Which trials are stopped early, by the validation curve."""

    kind: Literal["hyperband", "median", "wilcoxon", "none"] = "hyperband"
    """hyperband (Li et al. 2018), median of the earlier trials at the same epoch, wilcoxon: a
    signed-rank test against the best trial over the same seeds, or none."""


class Sampler(Block):
    """How the next trial is chosen."""

    kind: Literal["tpe", "random", "grid", "gp", "cmaes"] = "tpe"
    """tpe: tree-structured Parzen estimator (Bergstra et al. 2011); grid: every combination, in a
    random order; gp: Gaussian process with expected improvement; cmaes: covariance matrix
    adaptation (Hansen 2016)."""
    points: int = Field(default=4, ge=2, le=1_000)
    """grid: how many values of a range are tried; whole numbers all, where they are fewer."""


SEARCH: FrozenDict[str, Space] = FrozenDict(
    {
        "train.clip": Range(low=0.5, high=10.0, log=True),
        "model.depth": Range(low=1, high=4),
    }
)


class Tune(Block):
    """A sweep; `rnnkit run` tunes only if this block is there."""

    trials: int = Field(default=30, ge=1, le=1_000_000)
    """Completed or pruned ones. In place of one that fails another point is drawn; a grid leaves it
    out."""
    workers: int = Field(default=2, ge=1, le=1024)
    """Processes, each with one trial at a time."""
    seeds: int = Field(default=1, ge=1, le=100)
    """Trainings of each trial, from the experiment's seed upwards; their mean is its value."""
    search: FrozenMapping[str, TaggedSpace] = Field(default_factory=lambda: SEARCH, min_length=1)
    """Params path -> range, choices or percentiles."""
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    retrain: bool = False
    """false: the best trial's model is the result; true: train again on train and valid."""
