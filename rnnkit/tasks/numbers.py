"""Predictions that are numbers in units: of items, and of the steps of a horizon."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.tasks.predictions import MAX_MISTAKES, Items, Measures, Predictions, Rows, summed

TRUTH = "truth "


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
    """A row for each step of each window: row, step (from 1), and where there are several
    series."""

    columns: ClassVar[tuple[str, ...]] = ("row", "step")
    column: ClassVar[str] = "forecast"
    places: ClassVar[tuple[str, ...]] = ("series", "row", "step")

    def items(self) -> Any:
        """A window, by its series and its first row."""
        first = self.table["row"] - self.table["step"] + 1
        return [self.table["series"], first] if "series" in self.table else first
