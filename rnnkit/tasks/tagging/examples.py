"""Examples of tagging tokens: a tag for every token of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.inputs import Inputs
from rnnkit.data.inputs.numbers import Frames
from rnnkit.data.inputs.tokens import TokenLists
from rnnkit.data.prepare.facts import counted, unknown
from rnnkit.data.prepare.part import Part, tensor
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.stretches import cut_stretches, split_stretches
from rnnkit.params.data import Data
from rnnkit.params.task import Tagging
from rnnkit.tasks.labels import Labelled, Labels, counts, fit_labels

if TYPE_CHECKING:
    import pandas as pd

INPUTS: Mapping[str, type[TokenLists | Frames]] = {"tagged": TokenLists, "tagged_frames": Frames}
"""By the form of the source."""


@dataclass(frozen=True, eq=False)
class TaggingFitted(Labelled):
    """Tags, and how inputs become tensors."""

    task: Tagging

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        assert self.classes is not None
        read = self.flat(frame, rows, split)
        targets = self.classes.numbers(chain.from_iterable(frame["tags"].iloc[rows]))
        return Part.target_per_step(read, targets, rows, self.data.max_length)

    def drawn(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        if self.inputs.vocabulary is not None:
            return frame, []
        return cut_stretches(frame, self.data), []

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Tagging) -> TaggingFitted:
        inputs: Inputs = INPUTS[data.source.form].load(stored, data)
        return cls(task, data, inputs, Labels.load(stored))


def fit(frame: pd.DataFrame, data: Data, task: Tagging) -> Prepared[TaggingFitted]:
    """Splits, numbers the tokens (or scales the frames) and the tags.

    An item's number is its row, or of frames that of its first frame, counted over all that was
    read.

    Args:
        frame: tokens and tags, lists of equal length; or frames and tags, and time or part.

    Raises:
        InputError: too little data, or characters were asked for and the tokens are longer.
    """
    form = data.source.form
    if form == "tagged":
        rows, item = split_items(frame, form, data), np.arange(len(frame))
    else:
        frame, rows = split_stretches(frame, data)
        item = frame["first"].to_numpy(dtype=np.int64)
    inputs, _ = INPUTS[form].fit(frame, rows, data)
    names = {
        split: list(chain.from_iterable(frame["tags"].iloc[own])) for split, own in rows.items()
    }
    labels = fit_labels(names, "tag" if form == "tagged" else "label")
    fitted = TaggingFitted(task, data, inputs, labels)
    parts = {
        split: replace(fitted.encode(frame, own, split), item=tensor(item[own]))
        for split, own in rows.items()
    }
    facts = counted(fitted, parts)
    facts |= {
        "duplicates": duplicates(frame, form, rows),
        "labels": {split: counts(own, labels.names) for split, own in names.items()},
    }
    if inputs.vocabulary is not None:
        facts["unknown"] = {split: unknown(part.inputs) for split, part in parts.items()}
    return Prepared("", parts, fitted, facts)
