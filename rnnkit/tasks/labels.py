"""Labels of items, tokens or frames: numbered by the training split, counted, weighted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import refuse_unknown
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.tasks.items import ItemFitted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of the training split.

    Args:
        names: sorted; a label's number is its place.
        counts: how often each occurs in training.
    """

    names: tuple[str, ...]
    counts: Mapping[str, int]

    @classmethod
    def load(cls, stored: Stored) -> Labels:
        """From the stored names and facts."""
        return cls(stored.labels, stored.facts["labels"]["train"])

    def numbers(self, labels: Iterable[str]) -> np.ndarray:
        """int64 numbers of labels.

        Raises:
            InputError: a label that the training split lacks.
        """
        listed = list(labels)
        refuse_unknown(listed, self.names, "labels")
        return numbered(listed, self.names)

    def weights(self, chosen: Mapping[str, float] | str | None) -> Float[Tensor, " classes"] | None:
        """What each counts in the loss; None: all the same.

        Args:
            chosen: `task.class_weights`.

        Raises:
            InputError: it names a class that is not there.
        """
        if chosen is None:
            return None
        if isinstance(chosen, str):  # balanced
            total = sum(self.counts.values())
            size = len(self.names)
            return torch.tensor([total / (size * self.counts[name]) for name in self.names])
        unknown = sorted(set(chosen) - set(self.names))
        if unknown:
            raise InputError(
                f"task.class_weights: there is no class {unknown[0]!r}; "
                f"the classes are {', '.join(self.names)}"
            )
        return torch.tensor([chosen.get(name, 1.0) for name in self.names])


@dataclass(frozen=True, eq=False)
class Labelled(ItemFitted[Labels | None]):
    """What a task with labels was fitted to; `targets` is None where they are numbers."""

    @property
    def labels(self) -> tuple[str, ...] | None:
        return None if self.targets is None else self.targets.names

    @classmethod
    def values(cls, frame: pd.DataFrame, rows: np.ndarray, data: Data, task: Any) -> list[Any]:
        """As `ItemFitted.values`.

        Raises:
            InputError: the source declares that its labels are numbers.
        """
        if declared := frame.attrs.get("numbers"):
            raise InputError(
                f"{declared} says that a number belongs to each case, and this task predicts "
                "labels; write task: {kind: regression}"
            )
        return super().values(frame, rows, data, task)

    @classmethod
    def fit_targets(
        cls, values: dict[str, list[Any]], frame: pd.DataFrame, data: Data
    ) -> Labels | None:
        return fit_labels(values, "tag" if data.source.form == "tagged" else "label")

    @classmethod
    def load_targets(cls, stored: Stored) -> Labels | None:
        return None if stored.record["labels"] is None else Labels.load(stored)

    def numbered(self, values: list[Any]) -> np.ndarray:
        assert self.targets is not None
        return self.targets.numbers(values)

    def facts(self, values: Mapping[str, list[Any]]) -> Facts:
        if self.labels is None:
            return {}
        labels = self.labels
        return {"labels": {split: counts(own, labels) for split, own in values.items()}}

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        labels = {} if self.labels is None else {"labels": self.labels}
        return {**super().described(facts), **labels}


def fit_labels(names: Mapping[str, list[str]], what: str) -> Labels:
    """The labels of the training split.

    Args:
        names: split -> every label in it.
        what: `label` or `tag`, for the message.

    Raises:
        InputError: one label only, or one that the training split lacks.
    """
    known = sorted(set(names["train"]))
    if len(known) < 2:
        raise InputError(
            f"data.source: at least two different {what}s are needed in the training split, but "
            f"all are {known[0]!r}; check `data.source` and `data.split`"
        )
    refuse_unseen(names, what)
    return Labels(tuple(known), counts(names["train"], known))


def refuse_unseen(names: Mapping[str, list[str]], what: str) -> None:
    """Raises InputError for a label that the training split lacks; arguments as of `fit_labels`."""
    known = set(names["train"])
    for part in ("valid", "test"):
        unseen = sorted(set(names[part]) - known)
        if unseen:
            raise InputError(
                f"data.split: every {what} must occur in the training split, but {part} has "
                f"{len(unseen)} that do not, the first is {unseen[0]!r}; "
                f"give more data, merge rare {what}s or change the split"
            )


def numbered(names: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Labels as int64 numbers of the sorted labels."""
    index = {label: number for number, label in enumerate(labels)}
    return np.fromiter((index[name] for name in names), np.int64, len(names))


def counts(names: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """label -> how often it occurs."""
    occurrences = np.bincount(numbered(names, labels), minlength=len(labels))
    return dict(zip(labels, occurrences.tolist(), strict=True))
