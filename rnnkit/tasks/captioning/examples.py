"""Examples of captioning: a vector or a category in, a text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.inputs.numbers import DescribedVectors
from rnnkit.data.inputs.tokens import Categories
from rnnkit.data.prepare.fitted import Fitted, refuse_unknown
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import fit as fit_tokenizer
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Captioning
from rnnkit.tasks.labels import refuse_unseen
from rnnkit.tasks.sequence_to_sequence.examples import TextTargets, prepared


@dataclass(frozen=True, eq=False)
class CaptioningFitted(TextTargets):
    """How vectors are scaled or categories numbered, and the tokenizer of the texts."""

    task: Captioning
    inputs: Categories | DescribedVectors

    @property
    def categories(self) -> tuple[str, ...]:
        """Empty where vectors are described."""
        return self.inputs.names if isinstance(self.inputs, Categories) else ()

    def targets(self, frame: pd.DataFrame) -> pd.Series:
        return frame["text"] if self.categories else frame["target"].map(lambda row: row[0])

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        if self.categories:
            refuse_unknown(frame["label"].iloc[rows].tolist(), self.categories, "categories")
        return super().encode(frame, rows, split)

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        described = super().described(facts)
        if self.categories:
            described.pop("vocabulary")
            described = {"categories": sorted(self.categories), **described}
        return described

    def refuse_other_tokens(self, of: Fitted) -> None:
        if self.categories and self.tokens[-1] != of.tokens[-1]:
            raise InputError(
                "their vocabularies differ, and so would the tokens that are predicted; train on "
                "the champion's text, or on characters"
            )

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Captioning) -> CaptioningFitted:
        inputs = (Categories if stored.has_tokens else DescribedVectors).load(stored, data)
        return cls(task, data, inputs, stored.target, stored.facts["longest_target"])


def fit(frame: pd.DataFrame, data: Data, task: Captioning) -> Prepared[CaptioningFitted]:
    """Splits, scales the vectors or numbers the categories, learns the vocabulary of the texts.

    Args:
        frame: vector and target; or label, the category, and text.

    Raises:
        InputError: too little data, vectors of different sizes, a category that the training split
            lacks, a text without tokens, nothing short enough to train on.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    inputs: Categories | DescribedVectors
    if form == "labelled_text":
        labels = {split: frame["label"].iloc[own].tolist() for split, own in rows.items()}
        refuse_unseen(labels, "label")
        inputs, _ = Categories.fit(frame, rows, data)
        texts = frame["text"]
    else:
        inputs, _ = DescribedVectors.fit(frame, rows, data)
        texts = frame["target"].map(lambda row: row[0])
    target = fit_tokenizer(data.tokenizer, texts.iloc[rows["train"]].tolist(), end=True)
    fitted = CaptioningFitted(task, data, inputs, target, {})
    return prepared(fitted, frame, rows, {"duplicates": duplicates(frame, form, rows)})
