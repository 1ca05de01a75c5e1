"""Examples of translation: a text in, another one out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from rnnkit.data.inputs.tokens import SourceTexts
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.tokenize import fit as fit_tokenizer
from rnnkit.params.data import Data
from rnnkit.tasks.sequence_to_sequence.examples import Sides, TextFitted


@dataclass(frozen=True, eq=False)
class TranslationFitted(TextFitted):
    """Both tokenizers, or one for both sides."""

    forms: ClassVar[Mapping[str, Any]] = {"pairs": SourceTexts}

    @classmethod
    def fit_tokenizers(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> Sides:
        if not data.joint:
            return super().fit_tokenizers(frame, rows, data)
        train = frame.iloc[rows["train"]]
        both = fit_tokenizer(data.tokenizer, [*train["source"], *train["target"]], end=True)
        return SourceTexts(both), both, frame
