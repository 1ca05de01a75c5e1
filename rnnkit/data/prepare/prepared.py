"""The record that travels forward: everything that is known only after the data were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic

from typing_extensions import TypeVar  # typing's has no default before Python 3.13

from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.part import Part, joined
from rnnkit.params.block import FrozenDict

MANY_UNKNOWN = 0.1
"""A greater fraction of unknown tokens gets a note."""


F = TypeVar("F", bound=Fitted, default=Any)


@dataclass(frozen=True, eq=False)
class Prepared(Generic[F]):
    """Prepared data of one source, split and task.

    Args:
        sha256: of all they depend on (`rnnkit.data.prepare.data_sha256`).
        parts: the splits train, valid and test.
        fitted: the task's own record of what the training split decided.
        facts: what a person wants to know.
        references: targets of valid and test that are texts, by the row of the source's frame.
        sources: what is read in pairs of texts, likewise; of recordings their names.
    """

    sha256: str
    parts: Mapping[str, Part]
    fitted: F
    facts: Facts
    references: Mapping[int, str] = FrozenDict()
    sources: Mapping[int, str] = FrozenDict()

    @property
    def notes(self) -> list[str]:
        """What was changed, what was too long, and what is there twice, each in a sentence."""
        facts = self.facts
        notes = list(facts["notes"])
        if left_out := facts.get("left_out"):
            notes.append(f"items of train longer than data.max_length, left out: {left_out:,}")
        if cut := sum((facts.get("truncated") or {}).values()):
            notes.append(f"items cut at data.max_length: {cut:,}")
        for part, count in (facts.get("duplicates") or {}).items():
            if count:
                notes.append(f"items of {part} that are also in an earlier part: {count:,}")
        for what, fractions in self.unknown.items():
            if (most := max(fractions.values())) > MANY_UNKNOWN:
                lacks = "that are not in the vocabulary and look all alike"
                notes.append(f"{what} {lacks}: up to {most:.0%} of a part")
        return notes

    @property
    def unknown(self) -> dict[str, dict[str, float]]:
        """The fraction of tokens that are not in the vocabulary: of what, split -> fraction."""
        counted = self.fitted.unknown(self.parts, self.facts)
        return {what: fractions for what, fractions in counted.items() if fractions}

    @property
    def described(self) -> dict[str, Any]:
        """What a person wants to know of vocabulary and targets, by a name of `facts.WORDS`."""
        return self.fitted.described(self.facts)


def train_and_valid(prepared: Prepared) -> Prepared:
    """Train and valid as one split, and no valid split: the data of a last training.

    What is too long to be trained on is left out of both.
    """
    whole = joined(prepared.parts["train"], prepared.parts["valid"])
    longest = prepared.fitted.data.max_length
    if whole.unaligned and longest is not None:
        whole, _ = whole.short(longest)
    return replace(prepared, parts={"train": whole, "test": prepared.parts["test"]})
