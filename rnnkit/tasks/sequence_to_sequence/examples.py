"""Examples whose target is a sequence of tokens of its own length.

A target ends with the end token, which also stands before its first token when it is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from rnnkit.data.prepare.facts import Facts, counted, unknown
from rnnkit.data.prepare.fitted import Fitted, Texts, refuse_no_tokens
from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import TARGET
from rnnkit.data.prepare.tokenize import FittedTokenizer


@dataclass(frozen=True, eq=False)
class TextTargets(Fitted):
    """Fit of a task whose targets are texts.

    Args:
        longest_target: tokens of the longest target of each split, its end included.
    """

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

    def targets(self, frame: pd.DataFrame) -> pd.Series:
        """The column of target texts."""
        return frame["target"]

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        references = self.normal(self.targets(frame), rows)
        sources = self.normal(frame["source"], rows) if "source" in frame else {}
        return references, sources

    def normal(self, column: pd.Series, rows: np.ndarray) -> dict[int, str]:
        """Row -> text, normalized like decoded texts."""
        texts = map(self.target_tokenizer.normal, column.iloc[rows])
        return dict(zip(rows.tolist(), texts, strict=True))

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        wanted, counts = self.target_tokenizer.encode(self.targets(frame).iloc[rows].tolist())
        refuse_no_tokens(split, counts, rows)
        if self.ends:
            wanted, counts = np.insert(wanted, np.cumsum(counts), END), counts + 1
        return Part.sequence_to_sequence(self.flat(frame, rows, split), (wanted, counts), rows)

    def described(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **super().described(facts),
            "target_vocabulary": len(self.target_tokenizer.vocabulary) - 1,
            "longest_target": self.longest_target["train"],
        }

    def unknown(self, parts: Mapping[str, Part], facts: Mapping[str, Any]) -> dict[str, Any]:
        counted = {"tokens of targets": dict(facts.get("unknown") or {})}
        if self.inputs.vocabulary is not None:
            counted["tokens of sources"] = {
                split: unknown(part.inputs) for split, part in parts.items()
            }
        return counted

    def files(self) -> dict[str, str]:
        return {**super().files(), TARGET: self.target_tokenizer.to_json()}


def prepared(fitted: TextTargets, frame: pd.DataFrame, rows: Rows, facts: Facts) -> Prepared:
    """All splits, the training split without items longer than `data.max_length`.

    Args:
        fitted: its `longest_target` is filled in here.
        frame: of the source.
        rows: of each split.
        facts: further ones, of the task.
    """
    parts, left_out = {}, 0
    for split, own in rows.items():
        parts[split] = fitted.encode(frame, own, split)
        if split == "train" and fitted.data.max_length is not None:
            parts[split], left_out = parts[split].short(fitted.data.max_length)
    longest = {split: int(part.target_length.max()) for split, part in parts.items()}
    fitted = replace(fitted, longest_target=longest)
    targets = {split: part.targets for split, part in parts.items()}
    if fitted.ends:
        targets = {split: tokens[tokens != END] for split, tokens in targets.items()}
    all_facts = counted(fitted, parts)
    all_facts |= {
        "unknown": {split: unknown(tokens) for split, tokens in targets.items()},
        "targets": {split: int(part.target_length.sum()) for split, part in parts.items()},
        "longest_target": longest,
        "target_vocabulary": len(fitted.target_tokenizer.vocabulary) - 1,
        "left_out": left_out,
        **facts,
    }
    references, sources = fitted.texts(frame, np.concatenate([rows["valid"], rows["test"]]))
    return Prepared("", parts, fitted, all_facts, references, sources)


def slices(part: Part, which: str) -> list[list[int]]:
    """The ids of each item; `which` is input or target."""
    flat = part.inputs if which == "input" else part.targets
    starts, lengths = (getattr(part, f"{which}_{what}").tolist() for what in ("start", "length"))
    return [flat[s : s + n].tolist() for s, n in zip(starts, lengths, strict=True)]
