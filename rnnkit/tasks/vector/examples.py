"""Examples of vectors: a vector, as a sequence of one step, and a label or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.inputs.numbers import FlatFrames, Vectors, stacked
from rnnkit.data.prepare.facts import counted
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.scale import fit as fit_scaler
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Vector
from rnnkit.tasks.labels import Labelled, Labels, counts, fit_labels

if TYPE_CHECKING:
    import pandas as pd

INPUTS: Mapping[str, type[Vectors]] = {"vectors": Vectors, "frames": FlatFrames}
"""By the form of the source."""


@dataclass(frozen=True, eq=False)
class VectorFitted(Labelled):
    """Labels or the targets' scale, and how vectors are scaled."""

    task: Vector
    inputs: Vectors

    @property
    def scaler(self) -> Scaler:
        """Of the vectors' columns, and of numbers that are targets."""
        assert self.inputs.scaler is not None
        return self.inputs.scaler

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        read = self.flat(frame, rows, split)
        if self.classes is not None:
            targets = self.classes.numbers(_labels(frame, self.data, rows))
        else:
            targets = self.scaled(numbers(frame.iloc[rows], self.scaler.targets))
        return Part.one_target(read, targets, rows)

    def scaled(self, targets: np.ndarray) -> np.ndarray:
        """[items, targets] in units -> scaled, float32."""
        width = self.inputs.width
        padded = np.pad(targets, ((0, 0), (width, 0)))
        scaled: np.ndarray = self.scaler.transform(padded)[:, width:].astype(np.float32)
        return scaled

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Vector) -> VectorFitted:
        classes = Labels.load(stored) if task.loss == "cross_entropy" else None
        return cls(task, data, INPUTS[data.source.form].load(stored, data), classes)


def fit(frame: pd.DataFrame, data: Data, task: Vector) -> Prepared[VectorFitted]:
    """Splits, scales by the training split, numbers the labels or scales the numbers.

    Args:
        frame: vector and target; or frames, which are laid flat, and label.

    Raises:
        InputError: too little data, vectors of different sizes, a target that is no number.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    vectors = stacked(frame[INPUTS[form].column].tolist())
    width = vectors.shape[1]
    columns = tuple(frame.attrs["columns"]) if form == "vectors" else _numbered(width)
    names: dict[str, list[str]] = {}
    classes, targets = None, ()
    if task.loss == "squared":
        targets = tuple(frame.attrs["targets"])
        vectors = np.concatenate([vectors, numbers(frame, targets)], axis=1)
    else:
        names = {split: _labels(frame, data, own) for split, own in rows.items()}
        classes = fit_labels(names, "label")
    scaler = fit_scaler(data.scaling, vectors[rows["train"]], (*columns, *targets), targets)
    fitted = VectorFitted(task, data, INPUTS[form](width, scaler), classes)
    parts = {split: fitted.encode(frame, own, split) for split, own in rows.items()}
    facts = counted(fitted, parts)
    facts["duplicates"] = duplicates(frame, form, rows)
    if classes is not None:
        facts["labels"] = {split: counts(own, classes.names) for split, own in names.items()}
    return Prepared("", parts, fitted, facts)


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"feature {k + 1}" for k in range(width))


def _labels(frame: pd.DataFrame, data: Data, rows: np.ndarray) -> list[str]:
    """The label of each row."""
    if data.source.form == "vectors":
        return [target[0] for target in frame["target"].iloc[rows]]
    labels: list[str] = frame["label"].iloc[rows].tolist()
    return labels


def numbers(frame: pd.DataFrame, targets: tuple[str, ...]) -> np.ndarray:
    """[items, targets] what is to be values, in units.

    Raises:
        InputError: it is no number.
    """
    values = np.empty((len(frame), len(targets)))
    for row, texts in enumerate(frame["target"]):
        for k, text in enumerate(texts):
            try:
                values[row, k] = float(text)
            except ValueError:
                values[row, k] = np.nan
            if not np.isfinite(values[row, k]):
                raise InputError(
                    f"data.source.targets: {targets[k]!r} must be a number, but in row {row + 1} "
                    f"it is {text!r}; correct it, or write task.loss: cross_entropy for labels"
                )
    return values
