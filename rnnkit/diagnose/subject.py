"""What is measured after a training, and what is judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.diagnose.verdict import Verdict
from rnnkit.params import Experiment
from rnnkit.params.block import FrozenDict
from rnnkit.tasks import Task
from rnnkit.tasks.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained network and its data.

    Args:
        experiment: the trained one.
        task: its task, on the prepared data.
        network: with the weights of the best epoch, in evaluation mode; not to be changed.
        prepared: the data.
        predictions: of the test split; None: not there.
    """

    experiment: Experiment
    task: Task
    network: nn.Module
    prepared: Prepared
    predictions: Predictions | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """What verdicts are reached from.

    Args:
        experiment: the trained one.
        task: its task, on the prepared data.
        journal: the lines of the run's journal, oldest first.
        measured: what `MEASURES` gave for the trained network, by their names.
        learned: whether the network beats its best baseline; None: not known.
    """

    experiment: Experiment
    task: Task
    journal: Sequence[Mapping[str, Any]]
    measured: Mapping[str, Mapping[str, Any]] = FrozenDict()
    learned: bool | None = None

    def records(self, kind: str) -> list[Mapping[str, Any]]:
        """The journal's lines of one kind."""
        return [line for line in self.journal if line["kind"] == kind]


Measure = Callable[[Subject], Mapping[str, Any]]
"""A measurement of a trained network, JSON-able; empty where it does not apply."""
Judge = Callable[[Case], Iterator[Verdict]]
"""Reaches the verdicts of some rules."""
