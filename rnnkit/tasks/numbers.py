"""Predictions that are numbers in units: of items, and of the steps of a horizon."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.tasks.predictions import MAX_MISTAKES, Items, Measures, Predictions, Rows, summed

TRUTH = "truth "
MAX_SCORES = 100
"""Rows of the table of scores by series and column."""


def quantile_columns(columns: Iterable[Any], target: str) -> dict[float, str]:
    """Level -> the column `quantile LEVEL TARGET`, the levels ascending.

    >>> quantile_columns(["row", "quantile 0.9 x", "quantile 0.1 x", "quantile 0.1 y"], "x")
    {0.1: 'quantile 0.1 x', 0.9: 'quantile 0.9 x'}
    """
    parts = ((column, column.split(" ", 2)) for column in map(str, columns))
    quantiles = {float(p[1]): c for c, p in parts if p[0] == "quantile" and p[2:] == [target]}
    return dict(sorted(quantiles.items()))


def number_columns(
    names: Sequence[str],
    truth: Float[Tensor, "*rows targets"],
    predicted: Float[Tensor, "*rows targets"],
    column: str,
    measured: Bool[Tensor, "*rows targets"] | None = None,
) -> dict[str, list[Any]]:
    """`truth NAME` and `predicted NAME` of each target.

    Args:
        names: of the targets.
        truth, predicted: in units.
        column: what predictions are called.
        measured: which truth is not missing from the source; the missing is NaN in the table.
    """
    if measured is not None:
        truth = truth.where(measured, torch.nan)
    columns: dict[str, list[Any]] = {}
    for k, name in enumerate(names):
        columns[f"{TRUTH}{name}"] = truth[..., k].flatten().tolist()
        columns[f"{column} {name}"] = predicted[..., k].flatten().tolist()
    return columns


class ItemNumbers(Predictions):
    """A row for each item, or for each frame of each item: item, step (from 1), and `truth NAME`
    and `predicted NAME` for each target."""

    columns: ClassVar[tuple[str, ...]] = ("item",)
    column: ClassVar[str] = "predicted"
    """What predictions are called."""
    places: ClassVar[tuple[str, ...]] = ("item", "step")
    """Columns that say where a number belongs."""

    @property
    def names(self) -> list[str]:
        """The targets."""
        columns = [str(name) for name in self.table if str(name).startswith(TRUTH)]
        return [name.removeprefix(TRUTH) for name in columns]

    def items(self) -> Any:
        """What rows of one item have in common: a column, or several."""
        return self.table["item"]

    @property
    def measures(self) -> Measures:
        def absolute_errors() -> Any:
            errors = self._errors()
            return summed(self.items(), errors.sum(axis=1), errors.count(axis=1))

        return {"mae": absolute_errors}

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        errors = self._errors()
        table = self.table.assign(error=errors.sum(axis=1))[errors.notna().any(axis=1)]
        worst = table.sort_values("error", ascending=False).head(MAX_MISTAKES)
        shown = [name for name in self.places if name in worst]
        shown += [
            column for name in self.names for column in (f"{TRUTH}{name}", f"{self.column} {name}")
        ]
        shown.append("error")
        if "time" in shown:
            worst = worst.assign(time=worst["time"].map(str))
            shown.remove("row")
        rows = worst[shown].to_numpy().tolist()
        return "Where it was furthest off", [dict(zip(shown, row, strict=True)) for row in rows]

    def _errors(self) -> pandas.DataFrame:
        """The absolute errors of each row, a column for each target; NaN: the truth is missing."""
        table = self.table
        return pandas.DataFrame(
            {
                name: (table[f"{TRUTH}{name}"] - table[f"{self.column} {name}"]).abs()
                for name in self.names
            }
        )


class Forecasts(ItemNumbers):
    """A row for each step of each window: row, step (from 1), time, and where there are several
    series. Data that an older version prepared have no times."""

    columns: ClassVar[tuple[str, ...]] = ("row", "step")
    column: ClassVar[str] = "forecast"
    places: ClassVar[tuple[str, ...]] = ("series", "time", "row", "step")

    def tables(self, items: Items) -> Iterator[tuple[str, Rows]]:
        """Scores by series and column, where there are several."""
        keys = ["series"] if "series" in self.table else []
        groups = self.table.groupby(keys, sort=False) if keys else [((), self.table)]
        rows: Rows = [
            {**dict(zip(keys, key, strict=True)), "column": name, **self._scores(rows, name)}
            for key, rows in groups
            for name in self.names
        ]
        what = "series and column" if keys else "column"
        some = f" (the first {MAX_SCORES} of {len(rows):,})" if len(rows) > MAX_SCORES else ""
        if len(rows) > 1:
            yield f"Scores by {what}{some}", rows[:MAX_SCORES]

    def _scores(self, rows: pandas.DataFrame, name: str) -> dict[str, Any]:
        """Metrics of one column, over its values that are not missing."""
        rows = rows[rows[f"{TRUTH}{name}"].notna()]
        truth = rows[f"{TRUTH}{name}"]
        errors = rows[f"{self.column} {name}"] - truth
        scores = {
            "mae": errors.abs().mean(),
            "rmse": np.sqrt((errors**2).mean()),
            "mean error": errors.mean(),
        }
        quantiles = quantile_columns(rows.columns, name)
        if len(quantiles) > 1:
            low, *_, high = (rows[column] for column in quantiles.values())
            missed = {level: truth - rows[column] for level, column in quantiles.items()}
            scores["coverage"] = truth.between(low, high).mean()
            scores["interval_width"] = (high - low).mean()
            losses = [np.maximum(q * miss, (q - 1) * miss).mean() for q, miss in missed.items()]
            scores["pinball"] = np.mean(losses)
        return {"values": len(rows), **{name: float(value) for name, value in scores.items()}}

    def items(self) -> Any:
        """A window, by its series and its first row."""
        first = self.table["row"] - self.table["step"] + 1
        return [self.table["series"], first] if "series" in self.table else first
