"""Networks and trainings to begin with, by task and amount of data: what `rnnkit new` writes.

The sizes are those of `params/`, scaled to the data. A network is small where the items are few,
and trains for a few thousand updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

UPDATES = 3_000
"""Updates of a training to begin with."""
MIN_EPOCHS, MAX_EPOCHS = 4, 40
VERY_FEW = 200
"""Items below which batches are very small."""

Blocks = tuple[dict[str, Any], dict[str, Any]]
"""The model block and the train block."""


@dataclass(frozen=True)
class Size:
    """How much data there are.

    Args:
        items: to learn from: sequences, rows, windows.
        numbers: whether the inputs are numbers and no tokens.
        characters: whether tokens are characters.
        targets: columns to forecast.
    """

    items: int
    numbers: bool = False
    characters: bool = False
    targets: int = 1

    def by_items(self, few: int, some: int, many: int) -> int:
        """A value for few items (below 2,000), some (below 30,000) or many."""
        return few if self.items < 2_000 else some if self.items < 30_000 else many

    @property
    def representation(self) -> dict[str, Any]:
        """Of the inputs."""
        if self.numbers:
            return {"kind": "raw"}
        return {"kind": "embedding", "size": 32 if self.characters else self.by_items(64, 100, 200)}


def _train(size: Size, updates: int = UPDATES, rate: float = 3e-3, **more: Any) -> dict[str, Any]:
    batch = 8 if size.items < VERY_FEW else size.by_items(16, 32, 64)
    per_epoch = max(1, math.ceil(0.8 * size.items / batch))
    epochs = min(MAX_EPOCHS, max(MIN_EPOCHS, round(updates / per_epoch)))
    return {
        "epochs": epochs,
        "batch_size": batch,
        "optimizer": {"kind": "adam", "learning_rate": rate},
        # few validation items make a noisy curve
        "early_stopping": {"patience": max(3, epochs // 4)},
        **more,
    }


def _many_to_one(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "cell": {"kind": "gru"},
        "hidden": size.by_items(32, 64, 128),
        "bidirectional": True,
        "readout": "mean" if size.numbers else "max",
        "dropout": 0.3,
    }, _train(size)


def _synced(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "cell": {"kind": "gru" if size.numbers else "lstm"},
        "hidden": size.by_items(32, 64, 128),
        "bidirectional": True,
        "dropout": 0.3,
    }, _train(size)


def _language_modeling(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "cell": {"kind": "lstm"},
        "hidden": size.by_items(128, 128, 256),
        "dropout": 0.2,
    }, _train(size)


def _forecasting(size: Size) -> Blocks:
    several = {"channels": "independent", "channel_embedding": 8} if size.targets > 1 else {}
    return {
        "representation": size.representation,
        "cell": {"kind": "gru"},
        **several,
        "hidden": size.by_items(32, 64, 64),
        "head_dropout": 0.5,
    }, _train(size, rate=1e-3, clip=1.0)


def _music(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "cell": {"kind": "lstm"},
        "hidden": size.by_items(128, 200, 200),
        "dropout": 0.2,
    }, _train(size, rate=1e-3, clip=1.0)


def _vector(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "hidden": size.by_items(32, 64, 128),
        "dropout": 0.1,
    }, _train(size)


def _translation(size: Size) -> Blocks:
    width = size.by_items(32, 64, 128) if size.characters else size.by_items(64, 128, 256)
    return {
        "representation": {"kind": "embedding", "size": width},
        "target_embedding": width,
        "hidden": size.by_items(64, 128, 256),
        "bidirectional": True,
        "attention": "additive",
        "dropout": 0.2,
    }, _train(size, monitor="valid/loss")


def _captioning(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "target_embedding": 32,
        "cell": {"kind": "gru"},
        "hidden": size.by_items(64, 128, 256),
        "dropout": 0.2,
    }, _train(size, monitor="valid/loss")


def _transcription(size: Size) -> Blocks:
    return {
        "representation": size.representation,
        "hidden": size.by_items(64, 128, 256),
        "depth": 1 if size.items < 1_000 else 2,
        "bidirectional": True,
        "dropout": 0.2,
    }, _train(size, schedule={"kind": "cosine"}, monitor="valid/loss", early_stopping=None)


BEGINNINGS: Mapping[str, Callable[[Size], Blocks]] = {
    "classification": _many_to_one,
    "regression": _many_to_one,
    "tagging": _synced,
    "language_modeling": _language_modeling,
    "forecasting": _forecasting,
    "music": _music,
    "vector": _vector,
    "translation": _translation,
    "captioning": _captioning,
    "transcription": _transcription,
}
"""Kind of task -> its network and training; memory problems have no data of a user."""


def beginning(kind: str, size: Size) -> Blocks:
    """The model block and the train block for a task and its data."""
    return BEGINNINGS[kind](size)
