"""Examples of a memory problem: drawn, split by split, and numbered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.tokens import Symbols
from rnnkit.data.prepare.encoded_split import SPLITS, EncodedSplit
from rnnkit.data.prepare.facts import counted
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import fit_tokens
from rnnkit.errors import InputError
from rnnkit.params.data import Data, Words
from rnnkit.params.source import Generated
from rnnkit.params.task import Memory
from rnnkit.runtime import numerics
from rnnkit.tasks.labels import Labels, fit_labels, numbered
from rnnkit.tasks.memory import problems

Drawn = tuple[list[Any], Any]
"""Sequences, and all their answers, one after the other."""


@dataclass(frozen=True, eq=False)
class MemoryFitted(Fitted):
    """The symbols of a problem, and those that may be answered; None where that is a number."""

    task: Memory
    answers: Labels | None

    @property
    def labels(self) -> tuple[str, ...] | None:
        return None if self.answers is None else self.answers.names

    @property
    def all_labels(self) -> tuple[str, ...]:
        return () if self.answers is None else self.answers.all

    def including_labels(self, labels: Iterable[str]) -> MemoryFitted:
        answers = None if self.answers is None else self.answers.including(labels)
        return replace(self, answers=answers)

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        raise InputError("drawn sequences come from no file; draw others in a new run")

    def split(self, sequences: list[Any], answers: Any) -> EncodedSplit:
        """Examples of drawn sequences."""
        read = self.inputs.encode(sequences)
        if self.answers is None:
            targets = answers[:, None].astype(np.float32)
        else:
            targets = numbered(answers, self.all_labels)
        synced = self.task.topology == "synced"
        return EncodedSplit.of_items(read, targets, np.arange(len(sequences)), synced=synced)

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Memory) -> MemoryFitted:
        if not stored.has_tokens:
            return cls(task, data, Frames.load(stored, data), None)
        answers = Labels(stored.labels, {}, stored.unseen_labels)
        return cls(task, data, Symbols.load(stored, data), answers)


def fit(frame: pd.DataFrame, data: Data, task: Memory) -> Prepared[MemoryFitted]:
    """Draws every split with a seed of its own; the alphabet is the training split's.

    Args:
        frame: part, a row for each sequence.
    """
    drawn = {split: _draw(frame, split, data, task) for split in SPLITS}
    if task.numbers:
        fitted = MemoryFitted(task, data, Frames(2, None), None)
    else:
        answers = fit_labels({split: symbols for split, (_, symbols) in drawn.items()}, "answer")
        inputs = Symbols(fit_tokens(Words(), drawn["train"][0]))
        fitted = MemoryFitted(task, data, inputs, answers)
    splits = {split: fitted.split(*sequences) for split, sequences in drawn.items()}
    return Prepared("", splits, fitted, counted(fitted, splits))


def _draw(frame: pd.DataFrame, split: str, data: Data, task: Memory) -> Drawn:
    assert isinstance(data.source, Generated)
    count = int((frame["part"] == split).sum())
    count = count if data.limit is None else min(count, data.limit)
    seed = numerics.seed_of(data.source.seed, task.problem, task.length, split)
    draw = getattr(problems, task.problem)
    sequences, answers = draw(count, task.length, np.random.default_rng(seed))
    return sequences, [*chain(*answers)] if task.topology == "synced" else answers
