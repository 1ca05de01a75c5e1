"""What is learned: one block per task.

Each says which metrics it reports and which way each is better, which of them are shown (the first
decides whether a network beats a baseline), its topology and the forms of data it takes.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rnnkit.params.block import Block, Names

Direction = Literal["minimize", "maximize"]


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
    shown: ClassVar[tuple[str, ...]] = ("accuracy", "f1", "loss")

    kind: Literal["classification"] = "classification"


class Tagging(Block):
    """A label for every token (many-to-many, synced). Cross-entropy per real token."""

    metrics: ClassVar[Mapping[str, Direction]] = {
        "loss": "minimize",
        "accuracy": "maximize",
        "precision": "maximize",
        "recall": "maximize",
        "f1": "maximize",
        "sequence_accuracy": "maximize",
    }
    topology: ClassVar[str] = "synced"
    forms: ClassVar[tuple[str, ...]] = ("tagged",)
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
