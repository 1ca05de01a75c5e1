"""Items of one split, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnkit.errors import InputError

PARTS = ("train", "valid", "test")
"""The splits."""


@dataclass(frozen=True, eq=False)
class Part:
    """Items as slices of flat tensors; slices may overlap, and splits may share tensors.

    Item i reads `inputs[input_start[i] : input_start[i] + input_length[i]]` and its targets are
    `targets[target_start[i] : target_start[i] + target_length[i]]`.

    Args:
        inputs: [N] int64 token ids, or [N, 1 + characters] ids of a token and its characters, or
            [N, features] float32.
        input_start: [items] int64.
        input_length: [items] int64, each at least 1; unit: steps.
        targets: [M] int64 labels, tags or tokens, or [M, targets] float32, scaled.
        target_start: [items] int64.
        target_length: [items] int64. The same tensor as `input_length` where every step has its
            own target; each at least 1.
        item: [items] int64, row of the source's frame; series: row of the first target.
        synced: whether every input step has its own target.
        unaligned: whether targets are sequences of independent length (sequence-to-sequence).
        known: number of known-future covariates, the last features: an item reads them at its
            target steps, too.
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
        """Whether all items have the same number of steps; then batches need no padding."""
        return bool((self.input_length == self.input_length[0]).all())

    @property
    def all_inputs(self) -> Tensor:
        """[steps] or [steps, …] input steps of all items, one item after the other."""
        return self.inputs[positions(self.input_start, self.input_length)]

    @property
    def all_targets(self) -> Tensor:
        """As `all_inputs`: the targets."""
        return self.targets[positions(self.target_start, self.target_length)]

    @property
    def cut(self) -> int:
        """Number of truncated items, if items are stored contiguously."""
        end = torch.tensor([len(self.inputs)])
        full_length = torch.diff(self.input_start, append=end)
        return int((self.input_length < full_length).sum())

    def short(self, longest: int) -> tuple[Part, int]:
        """Items with at most `longest` input and target tokens, not counting the end token, and the
        number of other items.

        Raises:
            InputError: no item is left.
        """
        kept = (self.input_length <= longest) & (self.target_length <= longest + 1)
        if not bool(kept.any()):
            raise InputError(
                f"data.max_length: every item of the training part is longer than {longest}, and "
                "nothing is left to train on; raise it"
            )
        short = replace(
            self,
            input_start=self.input_start[kept],
            input_length=self.input_length[kept],
            target_start=self.target_start[kept],
            target_length=self.target_length[kept],
            item=self.item[kept],
        )
        return short, int((~kept).sum())

    @classmethod
    def of_items(
        cls,
        inputs: np.ndarray,
        lengths: np.ndarray,
        targets: np.ndarray,
        item: np.ndarray,
        longest: int | None = None,
        synced: bool = False,
    ) -> Part:
        """Sequences with one target each, or with one for every step.

        Args:
            inputs: concatenated steps of all items.
            lengths: [items] steps.
            targets: [items or steps] labels, or [items or steps, targets].
            item: [items]
            longest: truncate items to this many steps; None: never.
            synced: whether every step has its own target.
        """
        start = target_start = tensor(begin(lengths))
        read = count = tensor(lengths if longest is None else np.minimum(lengths, longest))
        if not synced:
            target_start = torch.arange(len(lengths))
            count = torch.ones_like(target_start)
        values, truth = tensor(inputs), tensor(targets)
        return cls(values, start, read, truth, target_start, count, tensor(item), synced)

    @classmethod
    def next_steps(
        cls, inputs: np.ndarray, start: np.ndarray, length: np.ndarray, item: np.ndarray
    ) -> Part:
        """Sequences whose target at every step is the next step of the inputs."""
        steps, first, count = tensor(inputs), tensor(start), tensor(length)
        return cls(steps, first, count, steps, first + 1, count, tensor(item), synced=True)

    @classmethod
    def sequence_to_sequence(cls, read: Flat, wanted: Flat, item: np.ndarray) -> Part:
        """Sequences with target sequences of independent length.

        Args:
            read: inputs.
            wanted: target tokens.
            item: [items]
        """
        (inputs, lengths), (tokens, counts) = read, wanted
        return cls(
            inputs=tensor(inputs),
            input_start=tensor(begin(lengths)),
            input_length=tensor(lengths),
            targets=tensor(tokens),
            target_start=tensor(begin(counts)),
            target_length=tensor(counts),
            item=tensor(item),
            synced=False,
            unaligned=True,
        )


Flat = tuple[np.ndarray, np.ndarray]
"""Concatenated steps of all items, and the number of steps per item."""


def tensor(array: np.ndarray) -> Tensor:
    """A contiguous array as a tensor."""
    return torch.from_numpy(np.ascontiguousarray(array))


def begin(lengths: np.ndarray) -> np.ndarray:
    """Start offsets of contiguous items.

    >>> begin(np.array([3, 1, 2])).tolist()
    [0, 3, 4]
    """
    starts: np.ndarray = np.cumsum(lengths) - lengths
    return starts


def positions(start: Tensor, length: Tensor) -> Tensor:
    """Concatenated positions of the steps of items that begin at `start`."""
    ends = length.cumsum(0)
    within = torch.arange(int(ends[-1])) - torch.repeat_interleave(ends - length, length)
    return torch.repeat_interleave(start, length) + within


def joined(first: Part, second: Part) -> Part:
    """Concatenate the items of two splits; shared tensors stay shared."""
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
