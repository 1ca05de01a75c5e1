"""Examples of translation: a text in, another one out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rnnkit.data.inputs.tokens import SourceTexts
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import fit as fit_tokenizer
from rnnkit.params.data import Data
from rnnkit.params.task import Translation
from rnnkit.tasks.sequence_to_sequence.examples import TextTargets, prepared


@dataclass(frozen=True, eq=False)
class TranslationFitted(TextTargets):
    """Both tokenizers."""

    task: Translation
    inputs: SourceTexts

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Translation) -> TranslationFitted:
        inputs = SourceTexts.load(stored, data)
        return cls(task, data, inputs, stored.target, stored.facts["longest_target"])


def fit(frame: pd.DataFrame, data: Data, task: Translation) -> Prepared[TranslationFitted]:
    """Splits, learns both vocabularies from the training split, numbers the tokens.

    Raises:
        InputError: too little data, a side without tokens, nothing short enough to train on.
    """
    rows = split_items(frame, "pairs", data)
    train = frame.iloc[rows["train"]]
    sources, targets = train["source"].tolist(), train["target"].tolist()
    if data.joint:
        tokenizer = target = fit_tokenizer(data.tokenizer, sources + targets, end=True)
    else:
        tokenizer = fit_tokenizer(data.tokenizer, sources, end=False)
        target = fit_tokenizer(data.target_tokenizer or data.tokenizer, targets, end=True)
    inputs = SourceTexts(tokenizer, data.tokenizer)
    fitted = TranslationFitted(task, data, inputs, target, {})
    return prepared(fitted, frame, rows, {"duplicates": duplicates(frame, "pairs", rows)})
