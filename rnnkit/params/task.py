"""What is learned: one block per task.

Each says which metrics it reports and which way each is better, which of them are shown (the first
decides whether a network beats a baseline), its topology, the forms of data it takes, and the keys
that have no effect on it: they are refused, for the reason given, unless they hold their default.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rnnkit.params.block import Block, Names

Direction = Literal["minimize", "maximize"]

NO_WINDOW = {"data.window": "only a series is cut into windows of the past"}
NO_WINDOWS = {
    **NO_WINDOW,
    "data.scaling": "only a series is scaled",
}
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
    unused: ClassVar[Mapping[str, str]] = NO_WINDOW
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
    unused: ClassVar[Mapping[str, str]] = {**NO_WINDOW, **NO_READOUT}
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
        **NO_WINDOWS,
        **NO_READOUT,
        "model.bidirectional": "a backward direction would read the token that is to be predicted",
    }
    shown: ClassVar[tuple[str, ...]] = ("perplexity", "bits", "accuracy")

    kind: Literal["language_modeling"] = "language_modeling"


class Forecasting(Block):
    """The next values of a series from a window of the past: one step (many-to-one) or several."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "mae": "minimize",
        "rmse": "minimize",
        "mape": "minimize",
        "smape": "minimize",
        "mase": "minimize",
        "scaled_mse": "minimize",
        "scaled_mae": "minimize",
    }
    topology: ClassVar[str] = "many_to_one"
    forms: ClassVar[tuple[str, ...]] = ("series",)
    unused: ClassVar[Mapping[str, str]] = {
        "data.max_length": "a series has windows, whose length is data.window",
        "data.padding": "windows are all equally long and need no padding",
    }
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "mase", "scaled_mse", "scaled_mae")

    kind: Literal["forecasting"] = "forecasting"
    horizon: int = Field(default=1, ge=1, le=10_000)
    """How many steps ahead are forecast, all at once; unit: rows of the table."""
    targets: Names | None = None
    """The columns to forecast; null: all columns of the table."""
    loss: Literal["squared", "absolute"] = "squared"
    """The error that is trained on, on scaled data."""
    season: int = Field(default=1, ge=1, le=100_000)
    """Rows in one season (24 for hours of a day): the seasonal naive baseline and MASE use it."""


Task = Annotated[
    Classification | Tagging | LanguageModeling | Forecasting, Field(discriminator="kind")
]
