"""Prepared data: splits, the task's fit, and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic

from typing_extensions import TypeVar  # typing's has no default before Python 3.13

from rnnkit.data.prepare.encoded_split import EncodedSplit, joined
from rnnkit.data.prepare.facts import Facts, alike_notes, cut_note, unseen_note
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.params.block import FrozenDict

MANY_UNKNOWN = 0.1
"""Fraction of unknown tokens above which a note is given."""


F = TypeVar("F", bound=Fitted, default=Any)


@dataclass(frozen=True, eq=False)
class Prepared(Generic[F]):
    """Prepared data of one source, split and task.

    Args:
        sha256: id (`rnnkit.data.prepare.data_sha256`).
        parts: the splits train, valid and test.
        fitted: the task's tokenizer, labels and scaler.
        facts: for reports.
        references: target texts of valid and test, by row of the source's frame.
        sources: source texts of pairs, or names of recordings, by row.
        originals: of the test split's tokens those that the source has in another form than the
            vocabulary, by their place in its `inputs`.
    """

    sha256: str
    splits: Mapping[str, EncodedSplit]
    fitted: F
    facts: Facts
    references: Mapping[int, str] = FrozenDict()
    sources: Mapping[int, str] = FrozenDict()
    originals: Mapping[int, str] = FrozenDict()

    @property
    def notes(self) -> list[str]:
        """Notes on changes, long items, duplicates and unknown tokens, one sentence each."""
        facts = self.facts
        notes = list(facts["notes"])
        if left_out := facts.get("left_out"):
            notes.append(f"items of train longer than data.max_length, left out: {left_out:,}")
        for part, steps in (facts.get("cut_steps") or {}).items():
            if steps:
                synced = self.splits["train"].synced
                notes.append(cut_note(part, facts["truncated"][part], steps, synced))
        notes += [unseen_note(part, labels) for part, labels in (facts.get("unseen") or {}).items()]
        notes += self.fitted.notes
        notes += alike_notes(self.fitted.all_labels)
        for part, count in (facts.get("duplicates") or {}).items():
            if count:
                notes.append(f"items of {part} that are also in an earlier split: {count:,}")
        for what, fractions in self.unknown.items():
            if (most := max(fractions.values())) > MANY_UNKNOWN:
                lacks = "that are not in the vocabulary and are all read as the unknown token"
                notes.append(f"{what} {lacks}: up to {most:.0%} of a split")
        scored = {name: split for name, split in self.splits.items() if name != "train"}
        return notes + self.fitted.metric_notes(self.splits["train"], scored)

    @property
    def unknown(self) -> dict[str, dict[str, float]]:
        """Fractions of unknown tokens: kind of token -> split -> fraction."""
        unknown = self.fitted.unknown(self.splits, self.facts)
        return {kind: fractions for kind, fractions in unknown.items() if fractions}


def train_and_valid(prepared: Prepared) -> Prepared:
    """Data for the final training: train and valid joined as train, no valid split.

    Leaves out items that are too long.
    """
    train = joined(prepared.splits["train"], prepared.splits["valid"])
    longest = prepared.fitted.data.max_length
    if train.is_sequence_to_sequence and longest is not None:
        train, _ = train.without_long_items(longest)
    return replace(prepared, splits={"train": train, "test": prepared.splits["test"]})
