"""What the trainings of a claim scored: one row for each."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from rnnkit.params.task import Direction

COSTS = ("seconds", "parameters", "epochs")
"""Measures of every training beside the test metrics: seconds of a median epoch, parameters of the
network, and epochs that were trained."""


class Score(NamedTuple):
    """What one training scored.

    Attributes:
        values: measure -> value; empty where the training diverged.
        learned: whether it beats its best baseline, by the paired bootstrap on the test items.
    """

    condition: str
    variant: str
    seed: int
    values: dict[str, float]
    learned: bool


class Summary(NamedTuple):
    """A measure over the seeds of one variant under one condition; NaN where any diverged."""

    mean: float
    deviation: float
    seeds: int

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "no value (diverged)"
        return f"{self.mean:.4g} ± {self.deviation:.2g}" if self.seeds > 1 else f"{self.mean:.4g}"


class Scores:
    """All scores of a claim.

    Args:
        rows: one for each training.
        directions: measure -> whether it is to be minimized or maximized.
    """

    def __init__(self, rows: Sequence[Score], directions: dict[str, Direction]) -> None:
        self.rows = rows
        self.directions = directions | dict.fromkeys(COSTS, "minimize")

    @property
    def conditions(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(row.condition for row in self.rows))

    @property
    def variants(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(row.variant for row in self.rows))

    def of(self, condition: str, variant: str) -> list[Score]:
        """The scores of one variant under one condition, a seed each."""
        return [row for row in self.rows if (row.condition, row.variant) == (condition, variant)]

    def summary(self, condition: str, variant: str, measure: str) -> Summary:
        """A measure over the seeds."""
        values = [row.values.get(measure, math.nan) for row in self.of(condition, variant)]
        if any(map(math.isnan, values)):
            return Summary(math.nan, math.nan, len(values))
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return Summary(statistics.mean(values), deviation, len(values))
