"""What the training split decided of a task's examples, and how all other examples follow it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rnnkit.data.inputs.interface import Inputs
from rnnkit.data.prepare.align import align, refuse_other_form
from rnnkit.data.prepare.part import Flat, Part
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import InputError
from rnnkit.params.data import Data

if TYPE_CHECKING:
    import pandas as pd

Texts = Mapping[int, str]
"""By the row of the source's frame."""


@dataclass(frozen=True, eq=False)
class Fitted(ABC):
    """A task's tokenizer, labels and scaler, as the training split made them.

    Args:
        task: the task's params.
        data: the data's params.
        inputs: how inputs become tensors.
    """

    task: Any
    data: Data
    inputs: Inputs

    @abstractmethod
    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        """Rows of a source, with their truth, as examples. `data.max_length` is applied.

        Args:
            frame: of the source.
            rows: which of its rows; they are the examples' `item`.
            split: train, valid or test, or `new` for rows of another source, for messages.

        Raises:
            InputError: a label that the training split lacks, or an input that cannot be read.
        """

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        """By rows: targets as text, and what is read as text or a recording's name; empty where
        there is no such text."""
        return {}, {}

    def read(self, values: Sequence[Any], names: Sequence[str]) -> Part:
        """A user's inputs, without truth, as examples whose targets mean nothing.

        Args:
            values: as `Predictor` documents them.
            names: what messages call each.

        Raises:
            InputError: one is not what the network reads.
        """
        flat, lengths = self.inputs.read(values, names)
        self.inputs.warn_unknown(flat, lengths, names)
        each = np.arange(len(lengths))
        return Part.one_target(flat, lengths, np.zeros_like(each), each, self.longest_read)

    def flat(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Flat:
        """The inputs of some rows; arguments as of `encode`."""
        flat, lengths = self.inputs.encode(frame[self.inputs.column].iloc[rows].tolist())
        refuse_no_tokens(split, lengths, rows)
        return flat, lengths

    def cut(self, part: Part) -> int:
        """How many items of a split are cut at `data.max_length`."""
        return 0

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns of numbers that are read, by name; None for other inputs."""
        scaler = self.inputs.scaler
        return None if scaler is None else scaler.columns[: self.inputs.features]

    @property
    def longest_read(self) -> int | None:
        """Steps of an item that are read at the most, as of training; None: all."""
        return None

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The classes, tags or answers, in the order of the outputs; None for other tasks."""
        return None

    @property
    def target(self) -> FittedTokenizer | None:
        """The tokenizer of targets that are texts; None for other tasks."""
        return None

    def unknown(self, parts: Mapping[str, Part], facts: Mapping[str, Any]) -> dict[str, Any]:
        """The fraction of tokens that are not in the vocabulary: of what, split -> fraction."""
        return {"tokens": dict(facts.get("unknown") or {})}

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What a person wants to know of vocabulary and targets, by a name of `facts.WORDS`."""
        vocabulary = self.inputs.vocabulary
        return {} if vocabulary is None else {"vocabulary": len(vocabulary) - 1}

    # ------------------------------------------------------------------ another network's examples

    def align(self, part: Part, of: Fitted) -> Part:
        """Another fit's examples in this one's labels and scales; tokens are the same in both.

        Raises:
            InputError: this one lacks a label, or reads another form of data.
        """
        refuse_other_form(of.form, self.form)
        return align(part, (of.labels, of.inputs.scaler), (self.labels, self.inputs.scaler))

    @property
    def form(self) -> tuple[Any, ...]:
        """What examples must have alike to be aligned."""
        inputs = self.inputs
        there = (inputs.vocabulary, self.labels, inputs.scaler, inputs.characters)
        return (inputs.features, *(field is None for field in there))

    @property
    def tokens(self) -> tuple[Any, ...]:
        """All vocabularies: of inputs, of their spelling, of targets."""
        target = None if self.target is None else self.target.vocabulary
        return self.inputs.vocabulary, self.inputs.characters, target

    @property
    def split_by_time(self) -> bool:
        """Whether times, and not items, say what was seen in training."""
        return False

    def refuse_seen_times(self, older: Fitted) -> None:
        """Of data split by time: raises InputError where the older fit was trained or chosen on
        times of this one's test split."""
        return

    def refuse_other_tokens(self, of: Fitted) -> None:
        """Raises InputError where the items of another fit cannot be read again with this one's
        tokens, because then something else would be measured."""
        return

    def with_series_of(self, of: Fitted) -> Self:
        """The same for rows of another fit's frame, where a row says which series it is of."""
        return self

    def drawn(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """The items that are scored of a file, made as those of the test split were, and notes on
        how."""
        return frame, []

    # ------------------------------------------------------------------ on disk

    def stored(self) -> dict[str, Any]:
        """Fields of `prepared.json`."""
        vocabulary = None if self.target is None else self.target.vocabulary
        return {**self.inputs.stored(), "labels": self.labels, "target_vocabulary": vocabulary}

    def files(self) -> dict[str, str]:
        """Further files, by their names."""
        return self.inputs.files()

    @classmethod
    @abstractmethod
    def load(cls, stored: Stored, data: Data, task: Any) -> Self:
        """What `stored` and `files` gave."""


def refuse_no_tokens(split: str, lengths: np.ndarray, rows: np.ndarray) -> None:
    """Raises InputError for items that the tokenizer leaves nothing of."""
    if (lengths == 0).any():
        raise InputError(
            f"data.source: every item needs at least one token, but {int((lengths == 0).sum())} of "
            f"the {split} part have none, the first is row {int(rows[lengths.argmin()]) + 1}; "
            "leave them out or choose another tokenizer"
        )


def refuse_unknown(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raises InputError for a name in a file that the training split lacks."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(
            f"data.source: the network knows the {what} {', '.join(known[:8])}"
            f"{', …' if len(known) > 8 else ''} alone, but {unknown[0]!r} "
            f"{f'and {len(unknown) - 1:,} others are' if unknown[1:] else 'is'} there, too; leave "
            "them out, or train with them"
        )
