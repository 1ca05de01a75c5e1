"""Predictions of a tag for every token or frame."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import are_entities, entity_counts, scores_by_type
from rnnkit.tasks.predictions import MAX_MISTAKES, Items, Measures, Predictions, Rows, summed

MAX_CONSECUTIVE = 60
"""Items that are shown together."""
MAX_TAGS = 6
"""Wrong tags of an item that are shown."""


class TagPredictions(Predictions):
    """A row for each item: item, truth and predicted, lists of tags."""

    columns: ClassVar[tuple[str, ...]] = ("item", "truth", "predicted")

    @property
    def measures(self) -> Measures:
        tags = set(self.table["truth"].explode())
        return {**({"f1": self._entities} if are_entities(tags) else {}), "accuracy": self._right}

    @property
    def labels(self) -> pandas.DataFrame:
        return self.table[["truth", "predicted"]].explode(["truth", "predicted"])

    def tables(self, items: Items) -> Iterator[tuple[str, Rows]]:
        """The scores of each type of entity."""
        truth, predicted = self.table["truth"], self.table["predicted"]
        if not are_entities(set(truth.explode())):
            return
        scores = scores_by_type([*map(list, truth)], [*map(list, predicted)])
        if len(scores) > 1:
            yield "Entities by type", [{"type": kind, **row} for kind, row in scores.items()]

    def _entities(self) -> pandas.DataFrame:
        """The terms of F1 of each item."""
        pairs = zip(self.table["truth"], self.table["predicted"], strict=True)
        total, weight = zip(*(entity_counts(*pair) for pair in pairs), strict=True)
        return summed(self.table["item"], total, weight)

    def _right(self) -> pandas.DataFrame:
        tags = self.table["truth"].map(len)
        return summed(self.table["item"], tags - self._wrong(), tags)

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        table = self.table.assign(wrong=self._wrong())
        worst = table.sort_values("wrong", ascending=False, kind="stable")
        rows = []
        for _, row in worst[worst["wrong"] > 0].head(MAX_MISTAKES).iterrows():
            item = int(row["item"])
            tokens = items.pieces(item) or [str(i) for i in range(len(row["truth"]))]
            pairs = [
                f"{token!r}: {right}, not {guess}"
                for token, right, guess in zip(tokens, row["truth"], row["predicted"], strict=False)
                if right != guess
            ]
            more = " …" if len(pairs) > MAX_TAGS else ""
            wrong = f"{row['wrong']} of {len(row['truth'])}"
            tags = "; ".join(pairs[:MAX_TAGS]) + more
            rows.append({"item": item, "wrong": wrong, "tags": tags, "text": items.text(item)})
        return "Where most tags are wrong", rows

    def _wrong(self) -> pandas.Series:
        """How many tags of each item are wrong."""
        pairs = zip(self.table["truth"], self.table["predicted"], strict=True)
        wrong = [int((np.asarray(truth) != np.asarray(guess)).sum()) for truth, guess in pairs]
        return pandas.Series(wrong, index=self.table.index, dtype=int)


def consecutive(
    table: pandas.DataFrame, prepared: Prepared
) -> list[tuple[list[str], list[str], list[str]]]:
    """The longest run of consecutive items: (tokens, true tags, predicted tags) of each."""
    items, rows = Items(prepared), table.sort_values("item")
    run = (rows["item"].diff() != 1).cumsum()
    longest = rows[run == run.value_counts().idxmax()].head(MAX_CONSECUTIVE)
    return [
        (items.pieces(item), list(truth), list(predicted))
        for item, truth, predicted in zip(
            longest["item"], longest["truth"], longest["predicted"], strict=True
        )
    ]
