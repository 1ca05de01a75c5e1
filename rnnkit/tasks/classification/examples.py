"""Examples of classification: a text's tokens, frames or a recording, and one label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.inputs import Inputs
from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.recordings import Recordings
from rnnkit.data.inputs.tokens import Texts
from rnnkit.data.prepare.facts import counted, unknown
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.params.data import Data
from rnnkit.params.task import Classification
from rnnkit.tasks.labels import Labelled, Labels, counts, fit_labels

if TYPE_CHECKING:
    import pandas as pd

INPUTS: Mapping[str, type[Texts | Frames | Recordings]] = {
    "labelled_text": Texts,
    "frames": Frames,
    "audio": Recordings,
}
"""By the form of the source."""
LABEL = {"audio": "text"}
"""The column of a frame that holds the labels, where it is not `label`."""


@dataclass(frozen=True, eq=False)
class ClassificationFitted(Labelled):
    """Labels, and how inputs become tensors."""

    task: Classification

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        assert self.classes is not None
        read = self.flat(frame, rows, split)
        labels = frame[LABEL.get(self.data.source.form, "label")].iloc[rows]
        targets = self.classes.numbers(labels)
        return Part.one_target(read, targets, rows, self.data.max_length)

    def texts(
        self, frame: pd.DataFrame, rows: np.ndarray
    ) -> tuple[Mapping[int, str], Mapping[int, str]]:
        if "name" not in frame:
            return {}, {}
        return {}, dict(zip(rows.tolist(), frame["name"].iloc[rows], strict=True))

    @property
    def longest_read(self) -> int | None:
        return self.data.max_length

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Classification) -> ClassificationFitted:
        inputs: Inputs = INPUTS[data.source.form].load(stored, data)
        return cls(task, data, inputs, Labels.load(stored))


def fit(frame: pd.DataFrame, data: Data, task: Classification) -> Prepared[ClassificationFitted]:
    """Splits, fits tokenizer or scaler and labels on the training split, encodes all.

    Args:
        frame: text, frames or samples, and label.

    Raises:
        InputError: too little data.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    repeated = duplicates(frame, form, rows)
    column = frame[LABEL.get(form, "label")]
    names = {split: column.iloc[own].tolist() for split, own in rows.items()}
    labels = fit_labels(names, "label")
    inputs, frame = INPUTS[form].fit(frame, rows, data)
    fitted = ClassificationFitted(task, data, inputs, labels)
    parts = {split: fitted.encode(frame, own, split) for split, own in rows.items()}
    tokens = inputs.vocabulary is not None
    facts = counted(fitted, parts)
    facts |= {
        "unknown": {split: unknown(part.inputs) for split, part in parts.items() if tokens},
        "duplicates": repeated,
        "labels": {split: counts(own, labels.names) for split, own in names.items()},
    }
    if isinstance(inputs, Recordings):
        facts["rate"] = inputs.rate
    held_out = np.concatenate([rows["valid"], rows["test"]])
    _, recordings = fitted.texts(frame, held_out)
    return Prepared("", parts, fitted, facts, sources=recordings)
