"""Examples of captioning: a vector or a category in, a text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from rnnkit.data.inputs.numbers import DescribedVectors
from rnnkit.data.inputs.tokens import Categories
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.fitted import Fitted, refuse_unknown
from rnnkit.data.prepare.split import Rows
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.tasks.labels import refuse_unseen
from rnnkit.tasks.sequence_to_sequence.examples import Sides, TextFitted


@dataclass(frozen=True, eq=False)
class CaptioningFitted(TextFitted):
    """How vectors are scaled or categories numbered, and the tokenizer of the texts."""

    forms: ClassVar[Mapping[str, Any]] = {"labelled_text": Categories, "vectors": DescribedVectors}

    @property
    def categories(self) -> tuple[str, ...]:
        """Empty where vectors are described."""
        return self.inputs.names if isinstance(self.inputs, Categories) else ()

    @classmethod
    def targets(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["text"] if "label" in frame else frame["target"].map(lambda row: row[0])

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
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
    def fit_tokenizers(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> Sides:
        if "label" in frame:
            labels = {split: frame["label"].iloc[own].tolist() for split, own in rows.items()}
            refuse_unseen(labels, "label")
        return super().fit_tokenizers(frame, rows, data)
