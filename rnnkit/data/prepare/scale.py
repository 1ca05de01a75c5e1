"""Scaling of numeric columns, fitted on the training rows, and its inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rnnkit.errors import InputError
from rnnkit.params.data import Data


@dataclass(frozen=True)
class Scaler:
    """scaled = (value - offset) / scale, column by column.

    standard: offset = mean, scale = population standard deviation;
    minmax: offset = minimum, scale = maximum - minimum, so that training rows lie in [0, 1];
    none: 0 and 1. A column that is constant in training has scale 1. Several series are scaled
    separately. log: as standard, of ln(1 + value) in place of the value, in the target columns.

    Args:
        columns: names of the columns, in order.
        targets: names of the target columns, in order, a subset of `columns`; empty for frames
            with labels.
        offset: per column, in its unit; several series are concatenated.
        scale: as `offset`, never 0.
        known: number of known-future covariates, the last columns.
        series: names of the series, in row order.
        begin: first row of each series in the source's frame.
        log: names of the columns that are scaled as ln(1 + value).
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    known: int = 0
    series: tuple[str, ...] = ("",)
    begin: tuple[int, ...] = (0,)
    log: tuple[str, ...] = ()

    @property
    def target_columns(self) -> list[int]:
        """Indices of the target columns."""
        return [self.columns.index(name) for name in self.targets]

    @property
    def tables(self) -> list[Tensor]:
        """Offset and scale, float64 [series, columns]."""
        flat = torch.tensor([self.offset, self.scale], dtype=torch.float64)
        return [*flat.view(2, len(self.begin), -1)]

    def transform(self, values: np.ndarray, series: int = 0) -> np.ndarray:
        """Scale [rows, columns] of one series; float64."""
        offset, scale = (table[series].numpy() for table in self.tables)
        with np.errstate(over="ignore"):  # infinite: refused where it becomes float32
            return np.asarray((in_logs(values, self.columns, self.log) - offset) / scale)

    def which(self, rows: Tensor) -> Tensor:
        """Index of the series of each row of the source's frame."""
        return torch.searchsorted(torch.tensor(self.begin), rows, right=True) - 1

    def inverse(self, scaled: Tensor, rows: Tensor | None = None) -> Tensor:
        """Convert scaled [batch, ..., targets] to units.

        float64, because float32 loses small differences from a large offset.

        Args:
            scaled: any shape that ends in the targets; with several series the first dimension is
                the batch.
            rows: [batch] any row of each item's series; not needed for a single series.

        Raises:
            ValueError: wrong last dimension, or missing rows.
        """
        if scaled.shape[-1] != len(self.targets):
            raise ValueError(
                f"the last dimension must be the {len(self.targets)} targets, "
                f"but the shape is {tuple(scaled.shape)}"
            )
        if rows is None and len(self.begin) > 1:
            raise ValueError("of several series, rows must say to which each value belongs")
        offset, scale = (table[:, self.target_columns].to(scaled.device) for table in self.tables)
        if rows is None:
            return self._out_of_logs(scaled.double() * scale[0] + offset[0])
        shape = (len(rows), *[1] * (scaled.ndim - 2), len(self.targets))
        which = self.which(rows)
        values = scaled.double() * scale[which].view(shape) + offset[which].view(shape)
        return self._out_of_logs(values)

    def _out_of_logs(self, values: Tensor) -> Tensor:
        """[..., targets] ln(1 + value) as values, at least 0, in the columns that have it."""
        if not self.log:
            return values
        logged = torch.tensor([name in self.log for name in self.targets])
        return values.where(~logged, values.clamp(min=0).expm1())

    def in_target_logs(self, values: Tensor) -> Tensor:
        """[..., targets] in units as what is scaled: ln(1 + value), below 0 as at 0, in the columns
        that have it."""
        if not self.log:
            return values
        logged = torch.tensor([name in self.log for name in self.targets])
        return values.where(~logged, values.clamp(min=0).log1p())

    def target_scale(self, rows: Tensor | None = None) -> Tensor:
        """Units per scaled unit of each target: float64 [targets], or [batch, targets] of rows; in
        columns of logarithms these units."""
        scale = self.tables[1][:, self.target_columns]
        return scale[0] if rows is None else scale[self.which(rows)]

    def to_json(self) -> dict[str, Any]:
        """Fields as plain lists, with exact floats; without an empty `log`, as in older records."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if name != "log" or value
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Scaler:
        """Inverse of `to_json`."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }
        return cls(**fields)


def fit(
    kind: str, values: np.ndarray, columns: tuple[str, ...], targets: tuple[str, ...], left: int = 0
) -> Scaler:
    """Fit a scaler.

    Args:
        kind: `data.scaling`.
        values: [rows, columns] of the training split, in units, finite.
        left: number of last columns to leave unscaled.
    """
    log = targets if kind == "log" else ()
    values = in_logs(values, columns, log)
    if kind in ("standard", "log"):
        offset, scale = values.mean(axis=0), values.std(axis=0)
    elif kind == "minmax":
        offset, scale = values.min(axis=0), np.ptp(values, axis=0)
    else:
        offset, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    # A constant column's standard deviation is 0, or a rounding error of its mean.
    constant = values.max(axis=0) == values.min(axis=0)
    scale = np.where(constant | (scale == 0), 1.0, scale)
    offset[len(columns) - left :], scale[len(columns) - left :] = 0, 1
    return Scaler(columns, targets, tuple(offset.tolist()), tuple(scale.tolist()), log=log)


def in_logs(values: np.ndarray, columns: Sequence[str], log: Sequence[str]) -> np.ndarray:
    """[rows, columns] with ln(1 + value) in some columns; NaN for values below -1."""
    if not log:
        return values
    logged = np.array([name in log for name in columns])
    with np.errstate(invalid="ignore", divide="ignore"):  # of rows ahead, where any value may stand
        return np.where(logged, np.log1p(values), values)


def refuse_negative(values: np.ndarray, scaler: Scaler, where: str) -> None:
    """Raise InputError for a negative value in a column that is scaled as ln(1 + value).

    Args:
        values: [rows, columns] in units.
        where: of them, for the message.
    """
    for name in scaler.log:
        column = values[:, scaler.columns.index(name)]
        if (column < 0).any():
            raise InputError(
                f"{where}: data.scaling: log is for values that are never negative, but column "
                f"{name!r} has {column[column < 0][0]:g}; choose standard or minmax"
            )


def merge_series(scalers: Mapping[str, Scaler], begin: Sequence[int], known: int) -> Scaler:
    """Merge the scalers of several series.

    Args:
        scalers: by name of the series, in row order; all of the same columns.
        begin: first row of each series in the source's frame.
        known: number of known-future covariates, the last columns.
    """
    first, *_ = scalers.values()
    return replace(
        first,
        offset=tuple(chain.from_iterable(scaler.offset for scaler in scalers.values())),
        scale=tuple(chain.from_iterable(scaler.scale for scaler in scalers.values())),
        known=known,
        series=tuple(scalers),
        begin=tuple(begin),
    )


def fit_frames(data: Data, frame: pd.DataFrame, items: list[np.ndarray]) -> Scaler:
    """Fit the scaler of frames' features, by `data.scaling`.

    Args:
        frame: of the source; may name the features.
        items: of the training split, each [steps, features], in units, finite.
    """
    values = np.concatenate(items).astype(np.float64)
    numbers = (f"feature {k + 1}" for k in range(values.shape[1]))
    return fit(data.scaling, values, tuple(frame.attrs.get("columns", numbers)), ())
