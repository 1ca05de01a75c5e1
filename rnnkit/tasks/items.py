"""Items with targets, one for a whole item or one for each of its steps: split, fit and encode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from rnnkit.data.inputs import Inputs
from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.recordings import Recordings
from rnnkit.data.inputs.tokens import Texts, TokenLists
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.facts import Facts, counted, unknown
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import Rows, duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.stretches import cut_stretches, split_stretches
from rnnkit.data.sources.limits import MAX_NUMBER
from rnnkit.data.sources.numerals import notation
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import Form

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
INPUTS: Mapping[str, type[Texts | TokenLists | Frames | Recordings]] = {
    "labelled_text": Texts,
    "tagged": TokenLists,
    "frames": Frames,
    "tagged_frames": Frames,
    "frames_to_numbers": Frames,
    "frames_with_numbers": Frames,
    "audio": Recordings,
}
"""By the form of the source."""
COLUMNS: Mapping[str, str] = {"audio": "text", "vectors": "target"}
"""The column of a frame that holds one target for each item, where it is not `label`."""
SPLIT_AS: Mapping[str, Form] = {
    "frames_to_numbers": "frames",
    "frames_with_numbers": "tagged_frames",
}
"""Forms that are split as others are, because their inputs are the same."""


@dataclass(frozen=True, eq=False)
class ItemFitted(Fitted, ABC, Generic[T]):
    """How inputs and targets become tensors.

    Args:
        targets: the labels, or the scale of numbers.
    """

    forms: ClassVar[Mapping[str, Any]] = INPUTS

    targets: T

    @classmethod
    @abstractmethod
    def fit_targets(cls, values: dict[str, list[Any]], frame: pd.DataFrame, data: Data) -> T:
        """The labels or the scale, from the values of each split."""

    @classmethod
    @abstractmethod
    def load_targets(cls, stored: Stored) -> T:
        """The labels or the scale of stored data."""

    @abstractmethod
    def numbered(self, values: list[Any]) -> tuple[np.ndarray, np.ndarray | None]:
        """[values] labels as int64 and None, or [values, targets] numbers scaled as float32 and in
        units as float64."""

    @classmethod
    def fit_inputs(
        cls, frame: pd.DataFrame, rows: Rows, data: Data, task: Any
    ) -> tuple[Inputs, pd.DataFrame]:
        """What encodes inputs, and the frame as it encodes it."""
        fitted: tuple[Inputs, pd.DataFrame] = cls.forms[data.source.form].fit(frame, rows, data)
        return fitted

    @classmethod
    def values(cls, frame: pd.DataFrame, rows: np.ndarray, data: Data, task: Any) -> list[Any]:
        """Targets of rows as the source has them, those of steps one item after the other."""
        if task.topology == "synced":
            return [*chain.from_iterable(frame["tags"].iloc[rows])]
        values: list[Any] = frame[COLUMNS.get(data.source.form, "label")].iloc[rows].tolist()
        return values

    def facts(self, values: Mapping[str, list[Any]]) -> Facts:
        """Further facts, of the values of each split."""
        return {}

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        """As `Fitted.encode`; the item of a stretch is its first frame, counted over all frames."""
        read = self.encode_inputs(frame, rows, split)
        targets, units = self.numbered(self.values(frame, rows, self.data, self.task))
        item = frame["first"].to_numpy(np.int64)[rows] if "first" in frame else rows
        synced = self.task.topology == "synced"
        return EncodedSplit.of_items(read, targets, item, self.data.max_length, synced, units)

    @property
    def longest_read(self) -> int | None:
        return None if self.task.topology == "synced" else self.data.max_length

    def items_to_score(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        if self.task.topology == "synced" and self.inputs.vocabulary is None:
            frame = cut_stretches(frame, self.data)
        return frame, []

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Any) -> Self:
        inputs = cls.forms[data.source.form].load(stored, data)
        return cls(task, data, inputs, cls.load_targets(stored))

    @classmethod
    def fit(cls, frame: pd.DataFrame, data: Data, task: Any) -> Prepared[Self]:
        """Splits, fits inputs and targets on the training split, encodes all.

        Raises:
            InputError: too little data, or inputs or targets that cannot be encoded.
        """
        form = SPLIT_AS.get(data.source.form, data.source.form)
        if form == "tagged_frames":
            frame, rows = split_stretches(frame, data)
        else:
            rows = split_items(frame, form, data)
        repeated = duplicates(frame, form, rows)
        inputs, frame = cls.fit_inputs(frame, rows, data, task)
        values = {split: cls.values(frame, own, data, task) for split, own in rows.items()}
        fitted = cls(task, data, inputs, cls.fit_targets(values, frame, data))
        splits = {split: fitted.encode(frame, own, split) for split, own in rows.items()}
        facts = counted(fitted, splits) | fitted.facts(values)
        facts["duplicates"] = repeated
        if inputs.vocabulary is not None:
            facts["unknown"] = {split: unknown(part.inputs) for split, part in splits.items()}
        _, names = fitted.texts(frame, np.concatenate([rows["valid"], rows["test"]]))
        originals = fitted.originals(frame, rows["test"], splits["test"])
        return Prepared("", splits, fitted, facts, sources=names, originals=originals)


def numbers(rows: Sequence[Sequence[Any]], names: Sequence[str], refusal: str) -> np.ndarray:
    """[rows, targets] float64, in units.

    Args:
        rows: texts of numbers, one for each target.
        names: of the targets.
        refusal: the message for what is no finite number, with `{name}`, `{row}` and `{text}`.

    Raises:
        InputError: one is no finite number, or beyond float32.
    """
    values = np.empty((len(rows), len(names)))
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            try:
                values[row, column] = float(text)
            except (ValueError, OverflowError):  # of an int beyond a float
                values[row, column] = np.nan
            if not abs(values[row, column]) <= MAX_NUMBER:  # also for NaN
                shown = {"name": names[column], "row": row + 1, "text": str(text)[:40]}
                keys = notation(str(text))
                raise InputError(refusal.format(**shown) + (f"; {keys}" if keys else ""))
    return values
