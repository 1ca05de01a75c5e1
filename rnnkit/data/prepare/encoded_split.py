"""Items of one split, as tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.flat_steps import BLOCK
from rnnkit.errors import InputError

SPLITS = ("train", "valid", "test")
"""The splits."""
PER_ITEM = ("input_start", "input_length", "target_start", "target_length", "item")
"""The tensors of a part with a value per item."""
Flat = tuple[np.ndarray, np.ndarray]
"""Concatenated steps of all items, and the number of steps per item."""


@dataclass(frozen=True, eq=False)
class EncodedSplit:
    """Items as slices of flat tensors; slices may overlap, and splits may share tensors.

    Item i reads `inputs[input_start[i] : input_start[i] + input_length[i]]` and its targets are
    `targets[target_start[i] : target_start[i] + target_length[i]]`.

    Args:
        inputs: [N] ids of tokens, or [N, 1 + characters] ids of a token and its characters, in one
            of `flat_steps.TYPES`, or [N, features] float32.
        input_start: [items] int64.
        input_length: [items] int64, each at least 1; unit: steps.
        targets: [M] labels, tags or tokens, as ids, or [M, targets] float32, scaled.
        target_start: [items] int64.
        target_length: [items] int64. The same tensor as `input_length` where every step has its
            own target; each at least 1.
        item: [items] int64, row of the source's frame; series: row of the first target.
        synced: whether every input step has its own target.
        is_sequence_to_sequence: whether targets are sequences of their own length.
        known: number of known-future covariates, the last features: an item reads them at its
            target steps, too.
        measured: [M, targets] bool, false at targets that the source lacks (they were filled to be
            read as inputs), which count neither in a loss nor in a metric; None: it has all.
        units: [M, targets] float64, the source's own numbers where `targets` are these, scaled.
        time: [M] int64, of a series the time of each row; unit: microseconds since 1970, in UTC or
            on the clock of times without a zone.
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
    is_sequence_to_sequence: bool = False
    measured: Tensor | None = None
    units: Tensor | None = None
    time: Tensor | None = None

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def equal_length(self) -> bool:
        """Whether all items have the same number of steps; then batches need no padding."""
        return bool((self.input_length == self.input_length[0]).all())

    @property
    def all_inputs(self) -> Tensor:
        """[steps] or [steps, …] input steps of all items, one item after the other. Ids are
        int64."""
        return widened(self.inputs[positions(self.input_start, self.input_length)])

    @property
    def all_targets(self) -> Tensor:
        """As `all_inputs`: the targets."""
        return widened(self.targets[positions(self.target_start, self.target_length)])

    @property
    def all_truth(self) -> Tensor:
        """As `all_targets`, in units."""
        return in_units(self.units)[positions(self.target_start, self.target_length)]

    def parts(self) -> Iterator[EncodedSplit]:
        """The items in their order, as splits of about `BLOCK` steps that share the tensors."""
        ends = self.input_length.cumsum(0)
        begin = steps = 0
        while begin < len(self):
            stop = max(begin + 1, int(torch.searchsorted(ends, steps + BLOCK, right=True)))
            tensors: dict[str, Any] = {name: getattr(self, name)[begin:stop] for name in PER_ITEM}
            yield replace(self, **tensors)
            begin, steps = stop, int(ends[stop - 1])

    def without_long_items(self, longest: int) -> tuple[EncodedSplit, int]:
        """Items with at most `longest` input and target tokens, not counting the end token, and the
        number of other items.

        Raises:
            InputError: no item is left.
        """
        kept = (self.input_length <= longest) & (self.target_length <= longest + 1)
        if not bool(kept.any()):
            raise InputError(
                f"data.max_length: every item of the training split is longer than {longest}, and "
                "nothing is left to train on; raise it"
            )
        tensors: dict[str, Any] = {name: getattr(self, name)[kept] for name in PER_ITEM}
        return replace(self, **tensors), int((~kept).sum())

    @classmethod
    def of_items(
        cls,
        read: Flat,
        targets: np.ndarray,
        item: np.ndarray,
        longest: int | None = None,
        synced: bool = False,
        units: np.ndarray | None = None,
    ) -> EncodedSplit:
        """Sequences with one target each, or with one for every step.

        Args:
            read: inputs.
            targets: [items or steps] labels, or [items or steps, targets].
            item: [items]
            longest: truncate items to this many steps; None: never.
            synced: whether every step has its own target.
            units: targets in units, where they are scaled.
        """
        split = cls.sequence_to_sequence(read, (targets, np.ones_like(read[1])), item)
        start = split.input_start
        length = split.input_length if longest is None else split.input_length.clamp(max=longest)
        split = replace(
            split,
            input_length=length,
            is_sequence_to_sequence=False,
            units=None if units is None else tensor(units),
        )
        if not synced:
            return split
        return replace(split, target_start=start, target_length=length, synced=True)

    @classmethod
    def next_steps(
        cls, inputs: np.ndarray, start: np.ndarray, length: np.ndarray, item: np.ndarray
    ) -> EncodedSplit:
        """Sequences whose target at every step is the next step of the inputs."""
        steps, first, count = tensor(inputs), tensor(start), tensor(length)
        return cls(steps, first, count, steps, first + 1, count, tensor(item), synced=True)

    @classmethod
    def sequence_to_sequence(cls, read: Flat, wanted: Flat, item: np.ndarray) -> EncodedSplit:
        """Sequences with targets of independent length; arguments as in `of_items`."""
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
            is_sequence_to_sequence=True,
        )


def in_units(units: Tensor | None) -> Tensor:
    """The source's own numbers of scaled targets; raises InputError for data without them."""
    if units is None:
        raise InputError(
            "the prepared data hold no numbers in their units, as an older version wrote them; "
            "run the experiment again"
        )
    return units


def widened(values: Tensor) -> Tensor:
    """Ids as int64, whatever type they are stored in; numbers as they are."""
    return values if values.is_floating_point() else values.long()


def tensor(array: np.ndarray) -> Tensor:
    """A contiguous array as a tensor."""
    return torch.from_numpy(np.ascontiguousarray(array))


def begin(lengths: np.ndarray) -> np.ndarray:
    """Start offsets of contiguous items.

    >>> begin(np.array([3, 1, 2])).tolist()
    [0, 3, 4]
    """
    return np.asarray(np.cumsum(lengths) - lengths)


def stream_windows(lengths: np.ndarray, window: int | None) -> Flat:
    """(start, length) of the windows of a stream; each step is in exactly one.

    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=5)]
    [[0, 5], [5, 2]]
    >>> [array.tolist() for array in stream_windows(np.array([3, 4]), window=None)]
    [[0, 3], [3, 4]]

    Args:
        lengths: steps of each item, in order.
        window: steps of each window except the last; None: one window per item.
    """
    if window is None:
        return begin(lengths), lengths.astype(np.int64)
    total = int(lengths.sum())
    starts = np.arange(0, total, window, dtype=np.int64)
    return starts, np.minimum(window, total - starts)


def positions(start: Tensor, length: Tensor) -> Tensor:
    """Concatenated positions of the steps of items that begin at `start`."""
    ends = length.cumsum(0)
    within = torch.arange(int(ends[-1])) - torch.repeat_interleave(ends - length, length)
    return torch.repeat_interleave(start, length) + within


def joined(first: EncodedSplit, second: EncodedSplit) -> EncodedSplit:
    """Concatenate the items of two splits; shared tensors stay shared."""
    names: tuple[str, ...] = PER_ITEM
    if first.inputs is not second.inputs or first.targets is not second.targets:
        own = [name for name in ("units", "measured", "time") if getattr(first, name) is not None]
        names = (*PER_ITEM, "inputs", "targets", *own)
        second = replace(
            second,
            input_start=second.input_start + len(first.inputs),
            target_start=second.target_start + len(first.targets),
        )
    tensors: dict[str, Any] = {
        name: torch.cat([getattr(first, name), getattr(second, name)]) for name in names
    }
    if first.target_length is first.input_length:
        tensors["target_length"] = tensors["input_length"]
    return replace(first, **tensors)
