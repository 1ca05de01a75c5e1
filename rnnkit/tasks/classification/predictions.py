"""Predictions of one label for each item."""

from typing import ClassVar

from rnnkit.tasks.predictions import Items, Measured, Predictions, Rows, mistake_rows, summed


class LabelPredictions(Predictions):
    """A row for each item: item, truth, predicted, probability (of what was predicted)."""

    columns: ClassVar[tuple[str, ...]] = ("item", "truth", "predicted", "probability")

    def measured(self) -> Measured:
        table = self.table
        right = table["truth"] == table["predicted"]
        return Measured("accuracy", summed(table["item"], right, 1))

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        wrong = self.table[self.table["truth"] != self.table["predicted"]]
        worst = wrong.sort_values("probability", ascending=False)
        shown = ["truth", "predicted", "probability"]
        return "Its most confident mistakes", mistake_rows(worst, shown, items)
