"""The records that travel forward: everything that is known only after the data were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.ids import END as END
from rnnkit.data.prepare.ids import PADDING as PADDING
from rnnkit.data.prepare.ids import UNKNOWN as UNKNOWN
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.params.block import FrozenDict

PARTS = ("train", "valid", "test")
MANY_UNKNOWN = 0.1
"""A greater share of unknown tokens is told."""


@dataclass(frozen=True, eq=False)
class Part:
    """Examples as slices of flat tensors, which may overlap and which parts may share.

    Item i reads `inputs[input_start[i] : input_start[i] + input_length[i]]` and is to give
    `targets[target_start[i] : target_start[i] + target_length[i]]`.

    Args:
        inputs: [N] int64 token ids, or [N, 1 + letters] the ids of a token and of its letters, or
            [N, features] float32.
        input_start: [items] int64.
        input_length: [items] int64, each at least 1; unit: steps.
        targets: [M] int64 labels, tags or tokens, or [M, targets] float32, scaled.
        target_start: [items] int64.
        target_length: [items] int64. The same tensor as `input_length` where every step has its
            own target; each at least 1.
        item: [items] int64, the row of the source's frame; series: of the first target.
        synced: whether every input step has its own target.
        unaligned: whether targets are sequences of lengths of their own.
        known: how many of the inputs' features, the last ones, are known ahead: an item reads them
            at the steps of its targets, too.
    """

    inputs: Tensor
    input_start: Tensor
    input_length: Tensor
    targets: Tensor
    target_start: Tensor
    target_length: Tensor
    item: Tensor
    synced: bool
    known: int = 0
    unaligned: bool = False

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def equal_length(self) -> bool:
        """Whether all items have the same number of steps, so that no batch needs padding."""
        return bool((self.input_length == self.input_length[0]).all())


@dataclass(frozen=True, eq=False)
class Prepared:
    """Prepared data of one source, split and task.

    Args:
        sha256: of all they depend on (`rnnkit.data.prepare.data_sha256`).
        parts: train, valid and test.
        vocabulary: the token of each id; None for numbers. 0 is padding, 1 unknown.
        labels: names of classes or tags, sorted; None for other tasks.
        scaler: for numbers: series and frames; None for tokens.
        features: the width of raw inputs, as a network reads them; None for tokens.
        facts: what a person wants to know, JSON-able. By part: items, tokens (targets, for
            language modelling), longest (steps), unknown (share of tokens), truncated (items),
            labels (name -> count), rows, time (first and last). Over all: series (kept and left
            out, where there are several), source, notes,
            duplicates (part -> items also in an earlier part), vocabulary (its size without
            padding).
        letters: the letter of each id, where words come spelled; 0 is padding, 1 unknown.
        tokenizer: turns inputs into their ids, and these into text; None for numbers.
        target: turns the ids of targets that are sequences of their own into text; else None.
        references: such targets of valid and test as text, by the row of the source's frame.
        sources: of translation what is read in them, likewise: unknown words and all; of recordings
            their names.
    """

    sha256: str
    parts: Mapping[str, Part]
    vocabulary: tuple[str, ...] | None
    labels: tuple[str, ...] | None
    scaler: Scaler | None
    features: int | None
    facts: Mapping[str, Any]
    letters: tuple[str, ...] | None = None
    tokenizer: FittedTokenizer | None = None
    target: FittedTokenizer | None = None
    references: Mapping[int, str] = FrozenDict()
    sources: Mapping[int, str] = FrozenDict()

    @property
    def notes(self) -> list[str]:
        """What was changed, what was too long, and what is there twice, each in a sentence."""
        said = list(self.facts["notes"])
        if left_out := self.facts.get("left_out"):
            said.append(f"items of train longer than data.max_length, left out: {left_out:,}")
        if cut := sum((self.facts.get("truncated") or {}).values()):
            said.append(f"items cut at data.max_length: {cut:,}")
        for part, count in (self.facts.get("duplicates") or {}).items():
            if count:
                said.append(f"items of {part} that are also in an earlier part: {count:,}")
        for what, shares in self.unknown.items():
            if (most := max(shares.values())) > MANY_UNKNOWN:
                lacks = "that are not in the vocabulary and look all alike"
                said.append(f"{what} {lacks}: up to {most:.0%} of a part")
        return said

    @property
    def unknown(self) -> dict[str, dict[str, float]]:
        """The share of tokens that are not in the vocabulary: of what, part -> share."""
        read = {"tokens": self.facts.get("unknown") or {}}
        if self.target is not None:
            read = {"tokens of targets": self.facts.get("unknown") or {}}
            if self.tokenizer is not None:
                read["tokens of sources"] = {
                    name: float((part.inputs == UNKNOWN).double().mean())
                    for name, part in self.parts.items()
                }
        return {what: dict(shares) for what, shares in read.items() if shares}


def positions(start: Tensor, length: Tensor) -> Tensor:
    ends = length.cumsum(0)
    within = torch.arange(int(ends[-1])) - torch.repeat_interleave(ends - length, length)
    return torch.repeat_interleave(start, length) + within


def joined(first: Part, second: Part) -> Part:
    """The items of two parts as one part, in this order.

    Parts that share their storage go on sharing it.
    """
    shared = first.inputs is second.inputs and first.targets is second.targets
    inputs = 0 if shared else len(first.inputs)
    targets = 0 if shared else len(first.targets)
    input_length = torch.cat([first.input_length, second.input_length])
    target_length = (
        input_length
        if first.target_length is first.input_length
        else torch.cat([first.target_length, second.target_length])
    )
    return Part(
        inputs=first.inputs if shared else torch.cat([first.inputs, second.inputs]),
        input_start=torch.cat([first.input_start, second.input_start + inputs]),
        input_length=input_length,
        targets=first.targets if shared else torch.cat([first.targets, second.targets]),
        target_start=torch.cat([first.target_start, second.target_start + targets]),
        target_length=target_length,
        item=torch.cat([first.item, second.item]),
        synced=first.synced,
        known=first.known,
        unaligned=first.unaligned,
    )
