"""Examples of regression: frames or a text, and numbers at the end or at every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare import scale
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Regression
from rnnkit.tasks.items import ItemFitted, numbers

if TYPE_CHECKING:
    import pandas as pd

NO_NUMBER = (
    "data.source.label: {name!r} must be a finite number, but number {row} of them is {text!r}; "
    "correct it, or write task: {{kind: classification}} for labels"
)


@dataclass(frozen=True, eq=False)
class RegressionFitted(ItemFitted[Scaler]):
    """How inputs become tensors, and the scale of the targets, by name."""

    task: Regression

    @classmethod
    def fit_targets(cls, values: dict[str, list[Any]], frame: pd.DataFrame, data: Data) -> Scaler:
        names = tuple(frame.attrs.get("targets", ("label",)))
        return scale.fit(data.scaling, _numbers(values["train"], names), names, names)

    @classmethod
    def load_targets(cls, stored: Stored) -> Scaler:
        return Scaler.from_json(stored.record["targets"])

    def numbered(self, values: list[Any]) -> tuple[np.ndarray, np.ndarray | None]:
        units = _numbers(values, self.targets.columns)
        return self.targets.transform(units).astype(np.float32), units

    def undefined(self, train: EncodedSplit, split: EncodedSplit) -> Mapping[str, str]:
        return {} if varies(split.all_truth) else {"r2": "a target has the same value in all of it"}

    def align(self, split: EncodedSplit, of: Fitted) -> EncodedSplit:
        """The targets through their units."""
        assert isinstance(of, RegressionFitted)
        if of.targets.columns != self.targets.columns:
            raise InputError(
                f"the older model predicts {', '.join(self.targets.columns)} and the run "
                f"{', '.join(of.targets.columns)}"
            )
        units = of.targets.inverse(split.targets).numpy()
        scaled = torch.from_numpy(self.targets.transform(units)).to(split.targets.dtype)
        return super().align(replace(split, targets=scaled), of)

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().described(facts), "labels": self.targets.columns}

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "targets": self.targets.to_json()}


def varies(truth: Tensor) -> bool:
    """Whether every target of [rows, targets] has two values at least."""
    return bool((truth.max(dim=0).values > truth.min(dim=0).values).all())


def _numbers(labels: Sequence[Any], names: Sequence[str]) -> np.ndarray:
    """[labels, targets] of texts, or of tuples of one for each target."""
    rows = [label if isinstance(label, tuple) else (label,) for label in labels]
    return numbers(rows, names, NO_NUMBER)
