"""Examples whose target is a sequence of tokens of its own length.

A target ends with the end token, which also stands before its first token when it is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from rnnkit.data.inputs import Inputs
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.facts import Facts, counted, unknown
from rnnkit.data.prepare.fitted import Fitted, Texts, refuse_no_tokens
from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import Rows, duplicates, split_items
from rnnkit.data.prepare.stored import TARGET, Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.data.prepare.tokenize import fit as fit_tokenizer
from rnnkit.params.data import Data

Sides = tuple[Inputs, FittedTokenizer, pd.DataFrame]
"""Inputs, the tokenizer of targets, and the frame as inputs encode it."""


@dataclass(frozen=True, eq=False)
class TextFitted(Fitted):
    """Fit of a task whose targets are texts.

    Args:
        longest_target: tokens of the longest target of each split, its end included.
    """

    forms: ClassVar[Mapping[str, Any]]
    """Form of the source -> the type of inputs."""
    ends: ClassVar[bool] = True
    """Whether targets end with a token for their end."""

    target_tokenizer: FittedTokenizer
    longest_target: Mapping[str, int]

    @property
    def target(self) -> FittedTokenizer:
        return self.target_tokenizer

    @property
    def longest(self) -> int:
        """Maximum tokens to decode: the longest target of train and valid, because the final
        network learns both."""
        return max(int(self.longest_target[split]) for split in ("train", "valid"))

    @classmethod
    def targets(cls, frame: pd.DataFrame) -> pd.Series:
        """The column of target texts."""
        return frame["text" if "text" in frame else "target"]

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        references = self.normal(self.targets(frame), rows)
        sources = self.normal(frame["source"], rows) if "source" in frame else {}
        return references, sources

    def normal(self, column: pd.Series, rows: np.ndarray) -> dict[int, str]:
        """Row -> text, normalized like decoded texts."""
        texts = map(self.target_tokenizer.normal, column.iloc[rows])
        return dict(zip(rows.tolist(), texts, strict=True))

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        wanted, counts = self.target_tokenizer.encode(self.targets(frame).iloc[rows].tolist())
        refuse_no_tokens(split, counts, rows)
        if self.ends:
            wanted, counts = np.insert(wanted, np.cumsum(counts), END), counts + 1
        return EncodedSplit.sequence_to_sequence(
            self.encode_inputs(frame, rows, split), (wanted, counts), rows
        )

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **super().described(facts),
            "target_vocabulary": len(self.target_tokenizer.vocabulary) - 1,
            "longest_target": self.longest_target["train"],
        }

    def unknown(
        self, splits: Mapping[str, EncodedSplit], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        counted = {"tokens of targets": dict(facts.get("unknown") or {})}
        if self.inputs.vocabulary is not None:
            counted["tokens of sources"] = {
                split: unknown(part.inputs) for split, part in splits.items()
            }
        return counted

    def files(self) -> dict[str, str]:
        return {**super().files(), TARGET: self.target_tokenizer.to_json()}

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Any) -> Self:
        inputs = cls.forms[data.source.form].load(stored, data)
        return cls(task, data, inputs, stored.target, stored.facts["longest_target"])

    @classmethod
    def arranged(
        cls, frame: pd.DataFrame, rows: Rows, data: Data
    ) -> tuple[pd.DataFrame, Rows, Facts]:
        """The items to encode, made from the split ones, and further facts."""
        return frame, rows, {}

    @classmethod
    def fit_tokenizers(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> Sides:
        """Fit on the training split."""
        inputs, frame = cls.forms[data.source.form].fit(frame, rows, data)
        texts = cls.targets(frame).iloc[rows["train"]].tolist()
        target = fit_tokenizer(data.target_tokenizer or data.tokenizer, texts, end=cls.ends)
        return inputs, target, frame

    @classmethod
    def fit(cls, frame: pd.DataFrame, data: Data, task: Any) -> Prepared[Self]:
        """Split, fit on the training split, encode; train without items over `data.max_length`.

        Raises:
            InputError: too little data, inputs that cannot be encoded, an item without tokens,
                nothing short enough to train on.
        """
        form = data.source.form
        rows = split_items(frame, form, data)
        repeated = duplicates(frame, form, rows)
        frame, rows, further = cls.arranged(frame, rows, data)
        inputs, target, frame = cls.fit_tokenizers(frame, rows, data)
        fitted = cls(task, data, inputs, target, {})
        splits, left_out = {}, 0
        for split, own in rows.items():
            splits[split] = fitted.encode(frame, own, split)
            if split == "train" and data.max_length is not None:
                splits[split], left_out = splits[split].without_long_items(data.max_length)
        longest = {split: int(part.target_length.max()) for split, part in splits.items()}
        fitted = replace(fitted, longest_target=longest)
        targets = {split: part.targets for split, part in splits.items()}
        if cls.ends:
            targets = {split: tokens[tokens != END] for split, tokens in targets.items()}
        facts = counted(fitted, splits)
        facts |= {
            "unknown": {split: unknown(tokens) for split, tokens in targets.items()},
            "targets": {split: int(part.target_length.sum()) for split, part in splits.items()},
            "longest_target": longest,
            "target_vocabulary": len(target.vocabulary) - 1,
            "left_out": left_out,
            "duplicates": repeated,
            **further,
        }
        references, sources = fitted.texts(frame, np.concatenate([rows["valid"], rows["test"]]))
        originals = fitted.originals(frame, rows["test"], splits["test"])
        return Prepared("", splits, fitted, facts, references, sources, originals)


def slices(split: EncodedSplit, which: str) -> list[list[int]]:
    """The ids of each item; `which` is input or target."""
    flat = split.inputs if which == "input" else split.targets
    starts, lengths = (getattr(split, f"{which}_{what}").tolist() for what in ("start", "length"))
    return [flat[s : s + n].tolist() for s, n in zip(starts, lengths, strict=True)]
