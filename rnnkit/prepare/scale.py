"""Scaling of columns of numbers, fitted on the training rows alone, and back to their units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnnkit.params.data import Data

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["standard", "minmax", "none"]


@dataclass(frozen=True)
class Scaler:
    """scaled = (value - offset) / scale, column by column.

    standard: offset = mean, scale = standard deviation over the rows (divided by their number);
    minmax: offset = minimum, scale = maximum - minimum, so that training rows lie in [0, 1];
    none: 0 and 1. A column that is constant in training has scale 1.

    Args:
        columns: names of the inputs' columns, in order.
        targets: names of the targets' columns, in order; each is one of `columns`. None of them
            for frames, whose labels are no numbers.
        offset: per column, in its unit.
        scale: per column, in its unit, never 0.
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    offset: tuple[float, ...]
    scale: tuple[float, ...]

    @property
    def target_columns(self) -> list[int]:
        """Which columns the targets are."""
        return [self.columns.index(name) for name in self.targets]

    def transform(self, values: np.ndarray) -> np.ndarray:
        """[rows, columns] in units -> the same, scaled, float64."""
        scaled: np.ndarray = (values - np.array(self.offset)) / np.array(self.scale)
        return scaled

    def inverse(self, scaled: Tensor) -> Tensor:
        """[..., targets] scaled -> float64 in the series' units.

        float64, because a small deviation from a large offset would drown in float32.

        Raises:
            ValueError: the last dimension is not the targets'.
        """
        if scaled.shape[-1] != len(self.targets):
            raise ValueError(
                f"the last dimension must be the {len(self.targets)} targets, "
                f"but the shape is {tuple(scaled.shape)}"
            )
        offset, scale = (
            torch.tensor([values[k] for k in self.target_columns], dtype=torch.float64)
            for values in (self.offset, self.scale)
        )
        return scaled.double() * scale.to(scaled.device) + offset.to(scaled.device)

    def to_json(self) -> dict[str, Any]:
        """As plain lists; every float is kept exactly."""
        return {
            "columns": list(self.columns),
            "targets": list(self.targets),
            "offset": list(self.offset),
            "scale": list(self.scale),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Scaler:
        """The scaler that `to_json` was called on."""
        return cls(**{name: tuple(values) for name, values in stored.items()})


def fit(
    kind: Kind, values: np.ndarray, columns: tuple[str, ...], targets: tuple[str, ...]
) -> Scaler:
    """Fit a scaler.

    Args:
        values: [rows, columns] of the training part, in units, finite.
    """
    if kind == "standard":
        offset, scale = values.mean(axis=0), values.std(axis=0)
    elif kind == "minmax":
        offset = values.min(axis=0)
        scale = values.max(axis=0) - offset
    else:
        offset, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    # A constant column's deviation is 0, or what rounding of its mean leaves.
    constant = values.max(axis=0) == values.min(axis=0)
    scale = np.where(constant | (scale == 0), 1.0, scale)
    return Scaler(columns, targets, tuple(offset.tolist()), tuple(scale.tolist()))


def fit_frames(data: Data, frame: pd.DataFrame, items: list[np.ndarray]) -> Scaler:
    """The scaler of frames' features, as `data.scaling` says.

    Args:
        frame: of the source; it may name the features.
        items: of the training part, each [steps, features], in units, finite.
    """
    values = np.concatenate(items).astype(np.float64)
    numbers = (f"feature {k + 1}" for k in range(values.shape[1]))
    return fit(data.scaling, values, tuple(frame.attrs.get("columns", numbers)), ())
