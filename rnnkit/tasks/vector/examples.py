"""Examples of vectors: a vector, as a sequence of one step, and a label or numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnnkit.data.inputs import Inputs
from rnnkit.data.inputs.numbers import FlatFrames, Vectors
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.split import Rows
from rnnkit.params.data import Data
from rnnkit.params.task import Vector
from rnnkit.tasks.items import numbers
from rnnkit.tasks.labels import Labelled, Labels

if TYPE_CHECKING:
    import pandas as pd

NO_NUMBER = (
    "data.source.targets: {name!r} must be a number, but in row {row} it is {text!r}; correct it, "
    "or write task.loss: cross_entropy for labels"
)


@dataclass(frozen=True, eq=False)
class VectorFitted(Labelled):
    """Labels or the targets' scale, and how vectors are scaled."""

    forms: ClassVar[Mapping[str, Any]] = {"vectors": Vectors, "frames": FlatFrames}

    task: Vector
    inputs: Vectors

    @property
    def scaler(self) -> Scaler:
        """Of the vectors' columns, and of numbers that are targets."""
        assert self.inputs.scaler is not None
        return self.inputs.scaler

    @classmethod
    def fit_inputs(
        cls, frame: pd.DataFrame, rows: Rows, data: Data, task: Vector
    ) -> tuple[Inputs, pd.DataFrame]:
        names = frame.attrs["targets"] if task.loss == "squared" else ()
        values = numbers(frame["target"].tolist(), names, NO_NUMBER).T if names else ()
        targets = dict(zip(names, values, strict=True))
        form: type[Vectors] = cls.forms[data.source.form]
        return form.fit(frame, rows, data, targets)

    @classmethod
    def values(cls, frame: pd.DataFrame, rows: np.ndarray, data: Data, task: Vector) -> list[Any]:
        values = super().values(frame, rows, data, task)
        several = data.source.form == "vectors" and task.loss == "cross_entropy"
        return [value[0] for value in values] if several else values

    @classmethod
    def fit_targets(
        cls, values: dict[str, list[Any]], frame: pd.DataFrame, data: Data
    ) -> Labels | None:
        of_numbers = isinstance(values["train"][0], list | tuple)
        return None if of_numbers else super().fit_targets(values, frame, data)

    def numbered(self, values: list[Any]) -> tuple[np.ndarray, np.ndarray | None]:
        if self.targets is not None:
            return super().numbered(values)
        width = self.inputs.width
        units = numbers(values, self.scaler.targets, NO_NUMBER)
        padded = np.pad(units, ((0, 0), (width, 0)))
        return self.scaler.transform(padded)[:, width:].astype(np.float32), units
