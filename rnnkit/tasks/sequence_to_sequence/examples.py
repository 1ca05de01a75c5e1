"""Examples whose target is a sequence of tokens of its own length.

A target ends with the end token, which also stands before its first token when it is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnnkit.data.prepare.facts import Facts, counted, unknown
from rnnkit.data.prepare.fitted import Fitted, refuse_no_tokens
from rnnkit.data.prepare.ids import END, UNKNOWN
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import TARGET, Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer

if TYPE_CHECKING:
    import pandas as pd

Texts = Mapping[int, str]


@dataclass(frozen=True, eq=False)
class TextTargets(Fitted):
    """What a task was fitted to whose targets are texts.

    Args:
        target_tokenizer: of the targets.
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
        """Tokens that are decoded at the most: as many as the longest target that is not the
        test's has, so that a network trained again on both splits may give what it learned."""
        return max(int(self.longest_target[split]) for split in ("train", "valid"))

    def targets(self, frame: pd.DataFrame) -> pd.Series:
        """The column of the texts that are to be given."""
        return frame["target"]

    def texts(self, frame: pd.DataFrame, rows: np.ndarray) -> tuple[Texts, Texts]:
        references = self.normal(self.targets(frame), rows)
        sources = self.normal(frame["source"], rows) if "source" in frame else {}
        return references, sources

    def normal(self, column: pd.Series, rows: np.ndarray) -> dict[int, str]:
        """The texts of a column, cut as what is decoded will be."""
        normal = self.target_tokenizer.normal
        return {
            row: normal(text) for row, text in zip(rows.tolist(), column.iloc[rows], strict=True)
        }

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        wanted, counts = self.target_tokenizer.encode(self.targets(frame).iloc[rows].tolist())
        refuse_no_tokens(split, counts, rows)
        ended = np.insert(wanted, np.cumsum(counts), END)
        read = self.flat(frame, rows, split)
        return Part.sequence_to_sequence(read, (ended, counts + 1), rows)

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

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "target_vocabulary": self.target_tokenizer.vocabulary}

    def files(self) -> dict[str, str]:
        return {**super().files(), TARGET: self.target_tokenizer.to_json()}


def longest_targets(stored: Stored) -> Mapping[str, int]:
    """`TextTargets.longest_target` of stored data."""
    longest: Mapping[str, int] = stored.facts["longest_target"]
    return longest


def prepared(fitted: TextTargets, frame: pd.DataFrame, rows: Rows, facts: Facts) -> Prepared:
    """All splits, the training split without what is longer than `data.max_length`.

    Args:
        fitted: its `longest_target` is filled in here.
        frame: of the source.
        rows: of each split.
        facts: of the task alone.
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


def reference_key(ids: Sequence[int], item: int) -> tuple[int, ...]:
    """Grouping key of items that share references: the source's token ids. A source with an
    unknown token gets a unique key, because different texts map to the same ids."""
    return (*ids, -1, item) if UNKNOWN in ids else tuple(ids)
