"""Predictions of the answers to a memory problem."""

from typing import ClassVar

from rnnkit.tasks.predictions import Items, Measured, Predictions, Rows, mistake_rows, summed


class AnswerPredictions(Predictions):
    """A row for each answer: item, lag (steps), truth, predicted, right."""

    columns: ClassVar[tuple[str, ...]] = ("item", "lag", "truth", "predicted", "right")

    def measured(self) -> Measured:
        return Measured("accuracy", summed(self.table["item"], self.table["right"], 1))

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        wrong = self.table[~self.table["right"].astype(bool)]
        return "Where it forgot", mistake_rows(wrong, ["lag", "truth", "predicted"], items)
