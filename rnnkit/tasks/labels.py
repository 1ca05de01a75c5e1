"""Labels of items, tokens or frames: numbered by the training split, counted, weighted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.nn.losses import IGNORED
from rnnkit.params.data import Data
from rnnkit.tasks.items import ItemFitted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of the training split, and those that only other data have.

    Args:
        names: sorted; a label's number is its place, and that of an output of the network.
        counts: how often each occurs in training.
        unseen: labels that only other data have, numbered after `names`. The network has no output
            for them: they count as wrong.
    """

    names: tuple[str, ...]
    counts: Mapping[str, int]
    unseen: tuple[str, ...] = ()

    @classmethod
    def load(cls, stored: Stored) -> Labels:
        """From the stored names and facts."""
        return cls(stored.labels, stored.facts["labels"]["train"], stored.unseen_labels)

    @property
    def all(self) -> tuple[str, ...]:
        """Every label, by its number."""
        return self.names + self.unseen

    @property
    def of_training(self) -> dict[str, int]:
        """Label of the training split -> how often it occurs there."""
        return {name: self.counts[name] for name in self.names}

    def including(self, labels: Iterable[str]) -> Labels:
        """The same, which also numbers these labels."""
        return replace(self, unseen=(*self.unseen, *sorted(set(labels) - set(self.all))))

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

    @property
    def all_labels(self) -> tuple[str, ...]:
        return () if self.targets is None else self.targets.all

    def including_labels(self, labels: Iterable[str]) -> Self:
        targets = None if self.targets is None else self.targets.including(labels)
        return replace(self, targets=targets)

    def labels_of(self, frame: pd.DataFrame) -> list[str]:
        if self.targets is None:
            return []
        return self.values(frame, np.arange(len(frame)), self.data, self.task)

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

    def numbered(self, values: list[Any]) -> tuple[np.ndarray, np.ndarray | None]:
        assert self.targets is not None
        return numbered(values, self.targets.all), None

    def facts(self, values: Mapping[str, list[Any]]) -> Facts:
        if self.labels is None:
            return {}
        return {"labels": {split: counts(own, self.all_labels) for split, own in values.items()}}

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        labels = {} if self.targets is None else {"labels": self.targets.of_training}
        return {**super().described(facts), **labels}


def fit_labels(names: Mapping[str, list[str]], what: str) -> Labels:
    """The labels of the training split.

    Args:
        names: split -> every label in it.
        what: `label` or `tag`, for the message.

    Raises:
        InputError: one label only, or a validation split without any label of the training split.
    """
    known = sorted(set(names["train"]))
    if len(known) < 2:
        raise InputError(
            f"data.source: at least two different {what}s are needed in the training split, but "
            f"all are {known[0]!r}; check `data.source` and `data.split`"
        )
    if not set(known) & set(names["valid"]):
        raise InputError(
            f"data.split: valid needs a {what} of the training split, but all it has are others, "
            f"the first is {min(names['valid'])!r}; give more data, merge rare {what}s or change "
            "the split"
        )
    seen = Labels(tuple(known), counts(names["train"], known))
    return seen.including(names["valid"]).including(names["test"])


def learnable(
    targets: Int[Tensor, "*targets"], mask: Bool[Tensor, "*targets"] | None, outputs: int
) -> tuple[Int[Tensor, "*targets"], Bool[Tensor, "*targets"] | None]:
    """Targets for the loss, with `IGNORED` where the network has no output for the label, and
    which of them count; None: all do.

    Args:
        targets: numbers of labels.
        mask: which are real; None: all.
        outputs: number of outputs.
    """
    unseen = targets >= outputs
    if not bool(unseen.any()):
        return targets, mask
    targets = targets.masked_fill(unseen, IGNORED)
    return targets, targets != IGNORED


def numbered(names: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Labels as int64 numbers of the sorted labels."""
    index = {label: number for number, label in enumerate(labels)}
    return np.fromiter((index[name] for name in names), np.int64, len(names))


def counts(names: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """label -> how often it occurs."""
    occurrences = np.bincount(numbered(names, labels), minlength=len(labels))
    return dict(zip(labels, occurrences.tolist(), strict=True))
