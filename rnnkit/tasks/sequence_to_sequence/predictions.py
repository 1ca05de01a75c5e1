"""Predictions that are texts, beside their references."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import pandas

from rnnkit.metrics import Metrics, least_edits
from rnnkit.tasks.interface import Figures
from rnnkit.tasks.predictions import Items, Measures, Predictions, Rows, mistake_rows

MAX_TYPICAL = 4
"""Items that are shown as examples."""
MAX_EXAMPLES = 6
"""First items of the test split in a report."""
LENGTH_GROUPS = 6
"""Groups of lengths, of about as many items each."""


class TextPredictions(Predictions):
    """A row for each item: item, truth, predicted, right, confidence (nats per token or frame)."""

    columns: ClassVar[tuple[str, ...]] = ("item", "truth", "predicted", "right", "confidence")
    confidence_unit: ClassVar[str] = "nats per token"

    def keys(self) -> pandas.Series:
        """Rows of equal keys share their references."""
        return self.table["asked" if "asked" in self.table else "item"]

    @property
    def measures(self) -> Measures:
        return {"wer": self._edits, "sequence_accuracy": self._right}

    def references(self) -> list[list[str]]:
        """All true texts of each row."""
        keys = self.keys()
        references = self.table["truth"].groupby(keys).agg(list)
        return [references[key] for key in keys]

    def shares(self, rows: Sequence[Sequence[float]], *columns: str) -> pandas.DataFrame:
        """Terms of each item: those of a key are divided among its items."""
        keys = self.keys()
        terms = pandas.DataFrame(rows, columns=list(columns), dtype=float)
        divided = terms.div(keys.map(keys.value_counts()).to_numpy(), axis=0)
        return divided.groupby(self.table["item"].to_numpy(), sort=True).sum()

    def _edits(self) -> pandas.DataFrame:
        """Edits to the nearest reference."""
        pairs = zip(self.table["predicted"], self.references(), strict=True)
        return self.shares([least_edits(*pair) for pair in pairs], "total", "weight")

    def _right(self) -> pandas.DataFrame:
        pairs = zip(self.table["predicted"], self.references(), strict=True)
        return self.shares([(text in texts, 1) for text, texts in pairs], "total", "weight")

    def tables(self, items: Items) -> Iterator[tuple[str, Rows]]:
        """The first texts of the test split, right or wrong."""
        rows = mistake_rows(self.table.head(MAX_EXAMPLES), ["truth", "predicted"], items)
        yield "The first items of the test split", rows

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        wrong = self.table[~self.table["right"].astype(bool)]
        worst = wrong.sort_values("confidence", ascending=False).drop_duplicates("predicted")
        worst = worst.assign(**{self.confidence_unit: -worst["confidence"]})
        texts = "category" not in worst
        shown = ["truth", "predicted", self.confidence_unit]
        return "Its most confident mistakes", mistake_rows(worst, shown, items, texts)


class TextsOfLengths(TextPredictions):
    """Texts of inputs of many lengths: a column length, in steps."""

    columns: ClassVar[tuple[str, ...]] = (*TextPredictions.columns, "length")
    length_unit: ClassVar[str]
    length_metric: ClassVar[str]
    """What is drawn over the length."""

    def figures(self) -> Figures:
        """The metric over the length of inputs, where there are several lengths."""
        from rnnkit import figures

        groups = self.by_length(self.length_edges(), self.table)
        if len(groups) > 1:
            metric, unit = self.length_metric, self.length_unit
            yield "by_length", figures.scores_by_length({"": groups}, metric, unit)

    @abstractmethod
    def scores(self, table: pandas.DataFrame) -> Metrics:
        """The metrics of some rows."""

    def length_edges(self) -> np.ndarray:
        """Where groups of lengths begin, and behind the last one."""
        lengths = self.table["length"].to_numpy()
        fractions = np.linspace(0, 1, LENGTH_GROUPS + 1)
        edges: np.ndarray = np.unique(np.quantile(lengths, fractions, method="nearest"))
        return np.append(edges[:-1] if len(edges) > 1 else edges, lengths.max() + 1)

    def by_length(self, edges: np.ndarray, lengths: pandas.DataFrame) -> pandas.DataFrame:
        """The metrics of each group of lengths.

        Args:
            edges: of `length_edges`.
            lengths: a table of the same items whose lengths count: another network's tokens may be
                shorter.

        Returns: columns length (the mean), items, and the metrics of the task's texts.
        """
        length = self.table["item"].map(lengths.set_index("item")["length"])
        group = np.searchsorted(edges, length, side="right") - 1
        return pandas.DataFrame(
            [
                {"length": float(length[rows.index].mean()), "items": len(rows)} | self.scores(rows)
                for _, rows in self.table.groupby(group)
            ]
        )


def typical(table: pandas.DataFrame) -> pandas.DataFrame:
    """Four items of about the median length, right ones and wrong ones."""
    middle = table["length"].median()
    near = table[(table["length"] - middle).abs() <= 0.2 * middle]
    near = near.drop_duplicates(["truth", "predicted"])
    wrong = near[~near["right"].astype(bool)].head(MAX_TYPICAL // 2)
    right = near[near["right"].astype(bool)].head(MAX_TYPICAL - len(wrong))
    chosen: pandas.DataFrame = pandas.concat([right, wrong])
    return chosen if len(chosen) else table.head(MAX_TYPICAL)
