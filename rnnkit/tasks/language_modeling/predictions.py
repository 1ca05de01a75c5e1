"""Predictions that are likelihoods: of windows of text, and of pieces of music."""

from typing import ClassVar

import pandas

from rnnkit.tasks.predictions import Items, Measures, Predictions, Rows, mistake_rows, summed


class TokenLikelihoods(Predictions):
    """A row for each item: item, log_probability (nats), and how many `unit`s it has."""

    columns: ClassVar[tuple[str, ...]] = ("item", "tokens", "log_probability")
    unit: ClassVar[str] = "tokens"
    """What is predicted one by one: the name of the column."""
    named: ClassVar[tuple[str, ...]] = ()
    """Columns that are shown beside the numbers."""

    @property
    def measures(self) -> Measures:
        table = self.table
        nats = -table["log_probability"]
        return {"loss": lambda: summed(table["item"], nats, table[self.unit])}

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        each = f"nats per {self.unit[:-1]}"
        worst = self.surprises(each).sort_values(each, ascending=False)
        shown = [name for name in (*self.named, self.unit, each) if name in worst]
        texts = "category" not in worst
        return "What surprised it most", mistake_rows(worst, shown, items, texts)

    def surprises(self, name: str) -> pandas.DataFrame:
        """The table with nats per unit in a column of this name."""
        counted = self.table[self.unit].clip(lower=1)
        return self.table.assign(**{name: -self.table["log_probability"] / counted})


class FrameLikelihoods(TokenLikelihoods):
    """Of frames of notes."""

    unit: ClassVar[str] = "frames"
    columns: ClassVar[tuple[str, ...]] = ("item", "frames", "log_probability")


class CategoryLikelihoods(TokenLikelihoods):
    """Of texts of categories, of which none is the only right one."""

    named: ClassVar[tuple[str, ...]] = ("category", "truth")
