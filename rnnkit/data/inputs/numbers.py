"""Numeric inputs: frames of features, and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from rnnkit.data.inputs.interface import Inputs
from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.scale import Scaler, fit, fit_frames
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.block import FrozenDict
from rnnkit.params.data import Data
from rnnkit.params.source import Source


def table_of(value: Any, where: str, width: int) -> np.ndarray:
    """float64 [steps, width].

    Raises:
        InputError: the value is not a list of steps with `width` numbers each.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: must be numbers, got {str(value)[:40]}") from None
    if array.ndim != 2 or array.shape[1] != width:
        got = array.shape[1] if array.ndim == 2 else f"the shape {array.shape}"
        raise InputError(f"{where}: must have {width} numbers per step, got {got}")
    return array


def refuse_infinite(scaled: np.ndarray, array: np.ndarray, where: str) -> None:
    """Raise InputError for numbers that are not finite as scaled float32."""
    with np.errstate(over="ignore"):
        finite = np.isfinite(scaled.astype(np.float32))
    if not finite.all():
        raise InputError(
            f"{where}: must be finite numbers that float32 can hold, got {array[~finite][0]}"
        )


def stacked(items: Sequence[np.ndarray]) -> np.ndarray:
    """[items, features]

    Raises:
        InputError: the vectors differ in size.
    """
    sizes = {item.size for item in items}
    if len(sizes) > 1:
        raise InputError(
            f"data.source: vectors must have one size, but they have {min(sizes)} to {max(sizes)} "
            "numbers; sequences of many lengths are for `task: {kind: classification}`"
        )
    return np.stack([np.asarray(item, dtype=np.float64).ravel() for item in items])


@dataclass(frozen=True, eq=False)
class Frames(Inputs):
    """Items are arrays [steps, features].

    Args:
        width: features per step.
        scaler: of the features, then of further target columns; None: unscaled.
    """

    column: ClassVar[str] = "frames"

    tokenizer = None
    width: int
    scaler: Scaler | None

    @property
    def features(self) -> int:
        return self.width

    def item(self, value: Any, where: str) -> np.ndarray:
        array = table_of(value, where, self.width)
        refuse_infinite(self.scaled(array), array, where)
        return array

    def encode(self, items: Sequence[np.ndarray]) -> Flat:
        lengths = np.array([len(item) for item in items], dtype=np.int64)
        array = np.concatenate(items)
        if array.shape[1] != self.width:
            raise InputError(
                f"data.source: must have {self.width} numbers per step, got {array.shape[1]}"
            )
        scaled = self.scaled(array)
        refuse_infinite(scaled, array, "data.source")
        return scaled.astype(np.float32), lengths

    def scaled(self, array: np.ndarray) -> np.ndarray:
        """Scale [steps, features] in units."""
        if self.scaler is None:
            return array
        targets = len(self.scaler.columns) - self.width  # scaled like the inputs
        padded = np.pad(array, ((0, 0), (0, targets)))
        return self.scaler.transform(padded)[:, : self.width]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Self, pd.DataFrame]:
        items = frame[cls.column].iloc[rows["train"]].tolist()
        return cls(items[0].shape[1], fit_frames(data, frame, items)), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        return cls(stored.record["features"], stored.scaler)


class Vectors(Frames):
    """Items are vectors, one step each."""

    column: ClassVar[str] = "vector"
    example: ClassVar[str] = " (as [0.5, -1])"

    def item(self, value: Any, where: str) -> np.ndarray:
        return super().item([value], where).ravel()

    def encode(self, items: Sequence[np.ndarray]) -> Flat:
        return super().encode([vector[None] for vector in stacked(items)])

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        rows: Rows,
        data: Data,
        targets: Mapping[str, np.ndarray] = FrozenDict(),
    ) -> tuple[Self, pd.DataFrame]:
        """As `Frames.fit`; numbers that are targets are scaled with the vectors' own."""
        vectors = stacked(frame[cls.column].tolist())
        width = vectors.shape[1]
        flat = cls.column == "frames"
        columns = [f"feature {k + 1}" for k in range(width)] if flat else frame.attrs["columns"]
        values = np.column_stack([vectors, *targets.values()])[rows["train"]]
        return cls(width, fit(data.scaling, values, (*columns, *targets), (*targets,))), frame


class FlatFrames(Vectors):
    """Vectors from the frames of a source, flattened."""

    column: ClassVar[str] = "frames"
    example: ClassVar[str] = ""

    def item(self, value: Any, where: str) -> np.ndarray:
        """A vector, or an array [steps, features], as a file has it."""
        return super().item(value.ravel() if isinstance(value, np.ndarray) else value, where)


class DescribedVectors(Vectors):
    """Vectors with a text as target."""

    def keys(self, source: Source) -> list[str]:
        return ["vector"]
