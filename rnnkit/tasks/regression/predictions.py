"""Predictions of numbers at every frame."""

from typing import ClassVar

from rnnkit.tasks.numbers import ItemNumbers


class FrameNumbers(ItemNumbers):
    """A row for each frame of each item: item, step (from 1)."""

    columns: ClassVar[tuple[str, ...]] = ("item", "step")
    places: ClassVar[tuple[str, ...]] = ("item", "step")
