"""Search space, sampler, pruner and processes of a sweep."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from rnnkit.params.block import Block, FrozenDict, FrozenMapping

Number = int | float
Value = bool | int | float | str | None
When = FrozenMapping[str, Value]


MAX_STEPS = 10_000
"""Values of a range with a step."""


def at_step(low: Number, step: Number, times: int) -> Number:
    """low + times * step, in decimal: 0.3, where binary fractions give 0.30000000000000004."""
    value = Decimal(str(low)) + times * Decimal(str(step))
    whole = isinstance(low, int) and isinstance(step, int)
    return int(value) if whole else float(value)


class Range(Block):
    """All values from low to high; whole numbers if the key takes whole numbers."""

    low: Number
    high: Number
    log: bool = False
    """Search on a log scale."""
    step: Number | None = Field(default=None, gt=0)
    """Distance between two values, counted from low; null: every value in between."""
    when: When = FrozenDict()
    """Condition: params path -> required value; otherwise the trial omits this key."""

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range starts above 0, got low: {self.low}")
        if self.step is not None:
            self._check_step(self.step)
        return self

    def _check_step(self, step: Number) -> None:
        if self.log:
            raise ValueError("a log range has no step; leave out log or step, or list choices")
        if self.high != (last := self.values()[-1]):
            further = at_step(last, step, 1)
            raise ValueError(
                f"high must be low plus a multiple of step {step}, got {self.low} to {self.high}; "
                f"write high: {further if last == self.low else f'{last} or {further}'}"
            )

    def values(self) -> list[Number]:
        """The values of a range with a step, as a person would write them.

        >>> Range(low=0.1, high=0.4, step=0.1).values()
        [0.1, 0.2, 0.3, 0.4]
        """
        assert self.step is not None
        low, step = Decimal(str(self.low)), Decimal(str(self.step))
        count = int((Decimal(str(self.high)) - low) / step)
        if count >= MAX_STEPS:
            raise ValueError(f"a range has at most {MAX_STEPS:,} steps, got {count:,}")
        return [at_step(self.low, self.step, times) for times in range(count + 1)]


class Choices(Block):
    """A list of values."""

    choices: Annotated[tuple[Value, ...], Field(strict=False, min_length=1)]
    when: When = FrozenDict()
    """Condition: params path -> required value; otherwise the trial omits this key."""

    @model_validator(mode="after")
    def _refuse_duplicates(self) -> "Choices":
        if len(set(self.choices)) < len(self.choices):
            listed = ", ".join(map(str, self.choices))
            raise ValueError(f"choices must be distinct, got {listed}")
        return self


class Percentiles(Block):
    """Between two percentiles of the gradient norms of a first epoch, on a log scale."""

    percentiles: Annotated[tuple[Number, Number], Field(strict=False)]
    when: When = FrozenDict()
    """Condition: params path -> required value; otherwise the trial omits this key."""

    @model_validator(mode="after")
    def _ordered(self) -> "Percentiles":
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles are two of 0 to 100 in order, got {low} and {high}")
        return self


def _shape(space: Any) -> str:
    """Tag of a space, which cannot be a key of a params file."""
    for key in ("choices", "percentiles"):
        if key in space if isinstance(space, Mapping) else hasattr(space, key):
            return f"<{key}>"
    return "<range>"


Space = Annotated[
    Annotated[Range, Tag("<range>")]
    | Annotated[Choices, Tag("<choices>")]
    | Annotated[Percentiles, Tag("<percentiles>")],
    Discriminator(_shape),
]


class Pruner(Block):
    """Early stopping of trials by their validation curve."""

    kind: Literal["hyperband", "median", "wilcoxon", "none"] = "hyperband"
    """hyperband (Li et al. 2018); median of earlier trials at the same epoch; wilcoxon: signed-rank
    test against the best trial over the same seeds; none."""


class Sampler(Block):
    """Choice of the next trial."""

    kind: Literal["tpe", "random", "grid", "gp", "cmaes"] = "tpe"
    """tpe: tree-structured Parzen estimator (Bergstra et al. 2011); grid: every combination, in a
    random order; gp: Gaussian process with expected improvement; cmaes: covariance matrix
    adaptation (Hansen 2016)."""
    points: int = Field(default=4, ge=2, le=1_000)
    """grid: number of values per range; all whole numbers if there are fewer."""


SEARCH: FrozenDict[str, Space] = FrozenDict(
    {
        "train.clip": Range(low=0.5, high=10.0, log=True),
        "model.depth": Range(low=1, high=4),
    }
)


class Tune(Block):
    """A sweep; `rnnkit run` tunes only if this block is present."""

    trials: int = Field(default=30, ge=1, le=1_000_000)
    """Number of completed or pruned trials. A failed trial is replaced by another point; a grid
    skips it."""
    workers: int = Field(default=2, ge=1, le=1024)
    """Worker processes, each running one trial at a time."""
    seeds: int = Field(default=1, ge=1, le=100)
    """Training runs per trial, from the experiment's seed upwards; its value is their mean."""
    search: FrozenMapping[str, Space] = Field(default_factory=lambda: SEARCH, min_length=1)
    """Params path -> range, choices or percentiles."""
    sampler: Sampler = Sampler()
    pruner: Pruner = Pruner()
    confirm: int | None = Field(default=None, ge=2, le=100)
    """Number of best trials that are trained with further seeds; the best mean decides among them.
    null: the best trial is the result as it stands."""
    confirm_seeds: int = Field(default=5, ge=2, le=100)
    """confirm: seeds of each of these trials, from the experiment's seed upwards; those that the
    sweep trained are not trained again."""
    reproducible: bool = False
    """true: a trial's values and its pruning follow from the trials whose number lies at least
    `workers` below its own, so that the same workers find the same every time."""
    retrain: bool = False
    """false: the best trial's model is the result; true: train again on train and valid."""
