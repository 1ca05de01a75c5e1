"""Predictions that are likelihoods: of windows of text, and of pieces of music."""

from collections.abc import Iterator
from typing import ClassVar

import pandas

from rnnkit.tasks.predictions import (
    MAX_MISTAKES,
    Items,
    Measures,
    Predictions,
    Rows,
    mistake_rows,
    summed,
)

MAX_EXAMPLES = 6
"""Categories whose texts are shown beside what the network makes of them."""


class Likelihoods(Predictions):
    """A row for each item: item, log_probability (nats), and how many `unit`s it has."""

    unit: ClassVar[str]
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
        return "What surprised it most", self.rows(worst, shown, items)

    def rows(self, worst: pandas.DataFrame, shown: list[str], items: Items) -> Rows:
        """The first rows, without the items' texts."""
        return mistake_rows(worst, shown, items, texts=False)

    def surprises(self, name: str) -> pandas.DataFrame:
        """The table with nats per unit in a column of this name."""
        counted = self.table[self.unit].clip(lower=1)
        return self.table.assign(**{name: -self.table["log_probability"] / counted})


class TokenLikelihoods(Likelihoods):
    """Of windows of a text, which make up the stream of the test split."""

    columns: ClassVar[tuple[str, ...]] = ("item", "tokens", "log_probability")
    unit: ClassVar[str] = "tokens"

    def rows(self, worst: pandas.DataFrame, shown: list[str], items: Items) -> Rows:
        """With the predicted text. Of the windows of one item only the stream's last is shorter."""
        ordered = self.table.sort_values(["item", "tokens"], ascending=[True, False], kind="stable")
        begin = ordered["tokens"].cumsum() - ordered["tokens"]
        rows = super().rows(worst, shown, items)
        for row, place in zip(rows, worst.index[:MAX_MISTAKES], strict=True):
            row["text"] = items.targets(int(begin[place]), int(worst["tokens"][place]))
        return rows


class FrameLikelihoods(Likelihoods):
    """Of frames of notes."""

    unit: ClassVar[str] = "frames"
    columns: ClassVar[tuple[str, ...]] = ("item", "frames", "log_probability")


class CategoryLikelihoods(Likelihoods):
    """Of texts of categories, of which none is the only right one."""

    columns: ClassVar[tuple[str, ...]] = ("item", "tokens", "log_probability")
    unit: ClassVar[str] = "tokens"
    named: ClassVar[tuple[str, ...]] = ("category", "truth")

    def tables(self, items: Items) -> Iterator[tuple[str, Rows]]:
        """What the network decodes for each of the first categories."""
        if {"category", "predicted"} <= set(self.table.columns):
            first = self.table.drop_duplicates("category").head(MAX_EXAMPLES)
            pairs = zip(first["category"], first["predicted"], strict=True)
            rows = [{"category": category, "text": text} for category, text in pairs]
            yield "The most probable text of a category", rows
