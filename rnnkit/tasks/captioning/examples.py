"""Examples of captioning: a vector or a category in, a text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from rnnkit.data.inputs.numbers import DescribedVectors
from rnnkit.data.inputs.tokens import Categories
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.facts import alike_notes
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.split import Rows
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.tasks.sequence_to_sequence.examples import Sides, TextFitted


@dataclass(frozen=True, eq=False)
class CaptioningFitted(TextFitted):
    """How vectors are scaled or categories numbered, and the tokenizer of the texts."""

    forms: ClassVar[Mapping[str, Any]] = {"labelled_text": Categories, "vectors": DescribedVectors}

    @property
    def categories(self) -> tuple[str, ...]:
        """Empty where vectors are described."""
        return self.inputs.names if isinstance(self.inputs, Categories) else ()

    @property
    def notes(self) -> list[str]:
        return alike_notes(sorted(self.categories))

    @classmethod
    def targets(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["text"] if "label" in frame else frame["target"].map(lambda row: row[0])

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        if self.categories:
            refuse_unknown(frame["label"].iloc[rows].tolist(), self.categories)
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
            refuse_unseen(labels)
        return super().fit_tokenizers(frame, rows, data)


def refuse_unseen(labels: Mapping[str, list[str]]) -> None:
    """Raise InputError for a category, which is an input, that the training split lacks."""
    known = set(labels["train"])
    for part in ("valid", "test"):
        unseen = sorted(set(labels[part]) - known)
        if unseen:
            raise InputError(
                f"data.split: every label must occur in the training split, but {part} has "
                f"{len(unseen)} that do not, the first is {unseen[0]!r}; "
                "give more data, merge rare labels or change the split"
            )


def refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise InputError for a category of another file that is missing from the training split."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(
            f"data.source: the network was trained on the categories {', '.join(known[:8])}"
            f"{', …' if len(known) > 8 else ''} alone, but {unknown[0]!r} "
            f"{f'and {len(unknown) - 1:,} others are' if unknown[1:] else 'is'} there, too; leave "
            "them out, or train with them"
        )
