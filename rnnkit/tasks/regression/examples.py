"""Examples of regression: frames or a text, and numbers at the end or at every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.tokens import Texts
from rnnkit.data.prepare.facts import counted, unknown
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.part import Part, tensor
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.scale import fit as fit_scaler
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.stretches import cut_stretches, split_stretches
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import Form
from rnnkit.params.task import Regression

if TYPE_CHECKING:
    import pandas as pd

INPUTS: Mapping[str, type[Texts | Frames]] = {
    "labelled_text": Texts,
    "frames": Frames,
    "frames_to_numbers": Frames,
    "tagged_frames": Frames,
    "frames_with_numbers": Frames,
}
"""By the form of the source."""
SPLIT_AS: Mapping[str, Form] = {
    "frames_to_numbers": "frames",
    "frames_with_numbers": "tagged_frames",
}
"""Forms that are split as others are, because their inputs are the same."""


@dataclass(frozen=True, eq=False)
class RegressionFitted(Fitted):
    """How inputs become tensors, and the scale of the targets.

    Args:
        targets: their scale, by name.
    """

    task: Regression
    targets: Scaler

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        read = self.flat(frame, rows, split)
        column = frame["label" if self.task.per == "sequence" else "tags"].iloc[rows]
        texts = column if self.task.per == "sequence" else chain.from_iterable(column)
        targets = self.targets.transform(numbers(texts, self.targets.columns)).astype(np.float32)
        layout = Part.one_target if self.task.per == "sequence" else Part.target_per_step
        return layout(read, targets, rows, self.data.max_length)

    @property
    def longest_read(self) -> int | None:
        return self.data.max_length if self.task.per == "sequence" else None

    def drawn(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        return (frame if self.task.per == "sequence" else cut_stretches(frame, self.data)), []

    def align(self, part: Part, of: Fitted) -> Part:
        """The targets through their units."""
        assert isinstance(of, RegressionFitted)
        if of.targets.columns != self.targets.columns:
            raise InputError(
                f"the older model predicts {', '.join(self.targets.columns)} and the run "
                f"{', '.join(of.targets.columns)}"
            )
        units = of.targets.inverse(part.targets).numpy()
        scaled = torch.from_numpy(self.targets.transform(units)).to(part.targets.dtype)
        return super().align(replace(part, targets=scaled), of)

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().described(facts), "labels": self.targets.columns}

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "targets": self.targets.to_json()}

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Regression) -> RegressionFitted:
        inputs = INPUTS[data.source.form].load(stored, data)
        return cls(task, data, inputs, Scaler.from_json(stored.record["targets"]))


def fit(frame: pd.DataFrame, data: Data, task: Regression) -> Prepared[RegressionFitted]:
    """Splits, fits tokenizer or scaler and the targets' scale on the training split, encodes all.

    Args:
        frame: text or frames, and label (tags for numbers at every frame), numbers as texts or
            tuples of them.

    Raises:
        InputError: too little data, or a label that is no number.
    """
    form = SPLIT_AS.get(data.source.form, data.source.form)
    names = tuple(frame.attrs.get("targets", ("label",)))
    if task.per == "sequence":
        rows, item = split_items(frame, form, data), np.arange(len(frame))
        labels = frame["label"].iloc[rows["train"]].tolist()
    else:
        frame, rows = split_stretches(frame, data)
        item = frame["first"].to_numpy(dtype=np.int64)
        labels = [*chain.from_iterable(frame["tags"].iloc[rows["train"]])]
    inputs, _ = INPUTS[data.source.form].fit(frame, rows, data)
    targets = fit_scaler(data.scaling, numbers(labels, names), names, names)
    fitted = RegressionFitted(task, data, inputs, targets)
    parts = {
        split: replace(fitted.encode(frame, own, split), item=tensor(item[own]))
        for split, own in rows.items()
    }
    facts = counted(fitted, parts)
    facts["duplicates"] = duplicates(frame, form, rows)
    if inputs.vocabulary is not None:
        facts["unknown"] = {split: unknown(part.inputs) for split, part in parts.items()}
    return Prepared("", parts, fitted, facts)


def numbers(labels: Any, names: Sequence[str]) -> np.ndarray:
    """[labels, targets] float64, in units.

    Args:
        labels: texts, or tuples of one for each target.
        names: of the targets.

    Raises:
        InputError: one is no finite number.
    """
    rows = [label if isinstance(label, tuple) else (label,) for label in labels]
    values = np.empty((len(rows), len(names)))
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            try:
                values[row, column] = float(text)
            except ValueError:
                values[row, column] = np.nan
            if not np.isfinite(values[row, column]):
                raise InputError(
                    f"data.source.label: {names[column]!r} must be a finite number, but number "
                    f"{row + 1} of them is {str(text)[:40]!r}; correct it, or write "
                    "task: {kind: classification} for labels"
                )
    return values
