"""What is learned: one block per task.

Each says which metrics it reports and which way each is better, which of them are shown (the first
decides whether a network beats a baseline), its topology, the forms of data it takes, and the keys
that have no effect on it: they are refused, for the reason given, unless they hold their default.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rnnkit.params.block import Block, Names

Direction = Literal["minimize", "maximize"]

NO_SERIES = {
    "data.window": "only a series is cut into windows of the past",
    "data.covariates": "only a series has covariates",
}
NO_NUMBERS = {**NO_SERIES, "data.scaling": "only numbers are scaled"}
NO_TRUNCATION = {"train.bptt": "only a network with an answer at every step can be truncated"}
NO_READOUT = {"model.readout": "every step is read out"}


class Classification(Block):
    """A sequence in, one label out (many-to-one). Cross-entropy on the read-out."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "accuracy": "maximize",
        "precision": "maximize",
        "recall": "maximize",
        "f1": "maximize",
    }
    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("labelled_text", "frames")
    unused: ClassVar[Mapping[str, str]] = {**NO_SERIES, **NO_TRUNCATION}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "loss")

    kind: Literal["classification"] = "classification"


class Tagging(Block):
    """A label for every token or frame (many-to-many, synced). Cross-entropy per real token."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "accuracy": "maximize",
        "precision": "maximize",
        "recall": "maximize",
        "f1": "maximize",
        "sequence_accuracy": "maximize",
    }
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("tagged", "tagged_frames")
    unused: ClassVar[Mapping[str, str]] = {**NO_SERIES, **NO_READOUT}
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "sequence_accuracy")

    kind: Literal["tagging"] = "tagging"


class LanguageModeling(Block):
    """The next token from those before it (many-to-many, synced). Cross-entropy per token."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "perplexity": "minimize",
        "bits": "minimize",
        "accuracy": "maximize",
    }
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("text",)
    unused: ClassVar[Mapping[str, str]] = {
        **NO_NUMBERS,
        **NO_READOUT,
        "model.bidirectional": "a backward direction would read the token that is to be predicted",
    }
    shown: ClassVar[tuple[str, ...]] = ("perplexity", "bits", "accuracy")

    kind: Literal["language_modeling"] = "language_modeling"
    state: Literal["reset", "carried"] = "reset"
    """reset: every window or item begins at the initial state; carried: the text is read as
    `train.batch_size` parallel continuous streams, in windows of `train.bptt` steps, and each
    window goes on from the state of the one before. Evaluation reads one stream."""


def _ordered(quantiles: tuple[float, ...]) -> tuple[float, ...]:
    between = all(0 < quantile < 1 for quantile in quantiles)
    if not between or list(quantiles) != sorted(set(quantiles)) or 0.5 not in quantiles:
        raise ValueError("must rise from above 0 to below 1 and hold the median, 0.5")
    if len(quantiles) < 3:
        raise ValueError("must hold at least three: the ends of an interval and the median")
    return quantiles


Quantiles = Annotated[tuple[float, ...], Field(strict=False), AfterValidator(_ordered)]


class Forecasting(Block):
    """The next values of a series from a window of the past: one step (many-to-one) or several."""

    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("series",)
    unused: ClassVar[Mapping[str, str]] = {
        "data.max_length": "a series has windows, whose length is data.window",
        "data.padding": "windows are all equally long and need no padding",
        **NO_TRUNCATION,
    }
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "mase", "scaled_mse", "scaled_mae")

    kind: Literal["forecasting"] = "forecasting"
    horizon: int = Field(default=1, ge=1, le=10_000)
    """How many steps ahead are forecast, all at once; unit: rows of the table."""
    targets: Names | None = None
    """The columns to forecast; null: all columns of the table that are no covariates."""
    loss: Literal["squared", "absolute", "quantile"] = "squared"
    """The error that is trained on, on scaled data; quantile: the pinball loss of `quantiles`
    (Koenker and Bassett 1978), whose median is the forecast that is scored."""
    quantiles: Quantiles = (0.1, 0.5, 0.9)
    """Which ones are forecast; the outermost two are the ends of the interval."""
    relative_to: Literal["zero", "last", "season"] = "zero"
    """What the network's outputs are added to: nothing; the last value of the window (as NLinear,
    Zeng et al. 2023); or the values one season before, the seasonal naive forecast. With last and
    season the network reads its window relative to the last row, too: it sees no level."""
    season: int = Field(default=1, ge=1, le=100_000)
    """Rows in one season (24 for hours of a day): the seasonal naive baseline and MASE use it."""

    @property
    def metrics(self) -> Mapping[str, Direction]:
        """Which metrics are reported, and which way each is better."""
        names = ["loss", "mae", "rmse", "mape", "smape", "mase", "scaled_mse", "scaled_mae"]
        return dict.fromkeys([*names, "pinball"] if self.loss == "quantile" else names, "minimize")


Task = Annotated[
    Classification | Tagging | LanguageModeling | Forecasting, Field(discriminator="kind")
]
