"""Batches of a split: assignment of items, and padded tensors.

Items of similar length share a batch, which reduces padding. All data are tensors in memory; a
DataLoader would cost more than a small network's step.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit, in_units, widened
from rnnkit.data.prepare.ids import PADDING

POOL = 50  # batches per pool; items are sorted by length within a pool
IGNORED = -100  # target at padding; the default ignore_index of torch's cross_entropy


@dataclass(frozen=True, eq=False)
class Batch:
    """Items, padded to the longest.

    Args:
        inputs: [batch, time] int64 ids, or [batch, time, features]; padding is 0. With known-future
            covariates, the steps of the horizon follow the window (`with_future`).
        targets: [batch] labels; [batch, time] tags or tokens, IGNORED at padding; [batch, steps]
            tokens, sequence-to-sequence, IGNORED after the end; [batch, time, numbers], 0 at
            padding; [batch, horizon, targets] scaled values.
        mask: [batch, time] bool, true at real steps; None: no padding.
        item: [batch] rows of the source's frame.
        measured: [batch, horizon, targets] bool, false at targets that the source lacks; None: it
            has all.
        units: [batch, time, targets] float64, scaled targets as the source has them; at padding
            anything.
        time: [batch, horizon] of a series, when each target is, as in `EncodedSplit`.
    """

    inputs: Num[Tensor, "batch time *features"]
    targets: Num[Tensor, "batch *target"]
    mask: Bool[Tensor, "batch time"] | None
    item: Int[Tensor, " batch"]
    measured: Bool[Tensor, "batch horizon targets"] | None = None
    units: Float[Tensor, "batch steps targets"] | None = None
    time: Int[Tensor, "batch horizon"] | None = None

    @property
    def truth(self) -> Float[Tensor, "batch steps targets"]:
        """Targets in units, not scaled and back."""
        return in_units(self.units)


def plan(
    part: EncodedSplit, batch_size: int, generator: torch.Generator | None
) -> list[Int[Tensor, " batch"]]:
    """Assign each item to exactly one batch.

    Args:
        part: the split.
        batch_size: items per batch; one batch may have fewer.
        generator: training: shuffles the items, sorts each pool of 50 batches by length, and
            shuffles the batches. None, evaluation: sort by length.

    Returns: int64 tensors of item indices.
    """
    if generator is None:
        return list(torch.split(_length(part).argsort(stable=True), batch_size))
    order = torch.randperm(len(part), generator=generator)
    batches = _pooled(part, order, batch_size)
    shuffled = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[index] for index in shuffled]


def _pooled(part: EncodedSplit, order: Int[Tensor, " items"], batch_size: int) -> list[Tensor]:
    """Sort each pool by length and cut it into batches."""
    if part.is_sequence_to_sequence or not part.equal_length:
        lengths = _length(part)[order]
        pool = torch.arange(len(order)) // (POOL * batch_size)
        order = order[(pool * (lengths.max() + 1) + lengths).argsort(stable=True)]
    return list(torch.split(order, batch_size))


def _length(split: EncodedSplit) -> Int[Tensor, " items"]:
    """Sort key: input length, then target length."""
    if not split.is_sequence_to_sequence:
        return split.input_length
    return split.input_length * (split.target_length.max() + 1) + split.target_length


def padding_waste(split: EncodedSplit, batch_size: int) -> float:
    """Fraction of padded steps in training, without shuffling."""
    batches = _pooled(split, torch.arange(len(split)), batch_size)
    lengths = [split.input_length[batch] for batch in batches]
    steps = sum(len(batch) * int(batch.max()) for batch in lengths)
    return 1 - int(split.input_length.sum()) / steps


def gather(
    split: EncodedSplit,
    indices: Int[Tensor, " batch"],
    padding: Literal["post", "pre"],
    dtype: torch.dtype,
) -> Batch:
    """Build a batch of items.

    Args:
        split: the split.
        indices: int64, at least one.
        padding: post or pre.
        dtype: of raw inputs and numeric targets; ids stay int64.
    """
    lengths = split.input_length[indices]
    starts = split.input_start[indices, None]
    target_starts = split.target_start[indices, None]
    longest, mask = int(lengths.max()), None
    steps = torch.arange(longest)
    if not split.equal_length and int(lengths.min()) != longest:
        lengths = lengths[:, None]
        # Padded steps read the nearest real step and are overwritten below.
        if padding == "post":
            mask = steps < lengths
            steps = torch.minimum(steps, lengths - 1)
        else:
            steps = steps - (longest - lengths)
            mask = steps >= 0
            steps = steps.clamp_(min=0)
    inputs = _take(split.inputs, starts + steps)
    if split.known:
        ahead = torch.arange(int(split.target_length[indices[0]]))
        inputs = with_future(inputs, _take(split.inputs, target_starts + ahead), split.known)
    measured = units = time = None
    if split.is_sequence_to_sequence:
        targets = _padded(split.targets, target_starts, split.target_length[indices])
    elif split.synced or split.targets.is_floating_point():
        if not split.synced:
            steps = torch.arange(int(split.target_length[indices[0]]))
        targets = _take(split.targets, target_starts + steps)
        units = None if split.units is None else _take(split.units, target_starts + steps)
        measured = None if split.measured is None else split.measured[target_starts + steps]
        time = None if split.time is None else split.time[target_starts + steps]
    else:
        targets = widened(split.targets[target_starts[:, 0]])
    if mask is not None:
        inputs = inputs.masked_fill_(~_like(mask, inputs), PADDING)
        if split.synced:
            fill = 0 if targets.is_floating_point() else IGNORED
            targets = targets.masked_fill_(~_like(mask, targets), fill)
    return Batch(
        inputs=inputs.to(dtype) if inputs.is_floating_point() else inputs,
        targets=targets.to(dtype) if targets.is_floating_point() else targets,
        mask=mask,
        item=split.item[indices],
        measured=measured,
        units=units,
        time=time,
    )


def _padded(
    flat: Int[Tensor, " tokens"], starts: Int[Tensor, "items 1"], lengths: Int[Tensor, " items"]
) -> Int[Tensor, "items longest"]:
    """Target tokens of each item, IGNORED after the end."""
    steps = torch.arange(int(lengths.max()))
    real = steps < lengths[:, None]
    return _take(flat, starts + steps.minimum(lengths[:, None] - 1)).masked_fill_(~real, IGNORED)


def with_future(
    past: Float[Tensor, "batch window features"],
    ahead: Float[Tensor, "batch horizon features"],
    known: int,
) -> Float[Tensor, "batch steps features+1"]:
    """A window followed by the known-future covariates of the horizon.

    Args:
        past: the window.
        ahead: the rows of the horizon; features other than the covariates are set to 0.
        known: number of known-future covariates, the last features.

    Returns: [batch, window + horizon, features + 1]; the added feature is 0 in the window and 1 in
    the horizon.
    """
    hidden = torch.zeros_like(ahead[:, :, : ahead.shape[2] - known])
    ahead = torch.cat([hidden, ahead[:, :, -known:], torch.ones_like(ahead[:, :, :1])], dim=2)
    past = torch.cat([past, torch.zeros_like(past[:, :, :1])], dim=2)
    return torch.cat([past, ahead], dim=1)


def _take(
    flat: Num[Tensor, "rows *features"], index: Int[Tensor, "batch steps"]
) -> Num[Tensor, "batch steps *features"]:
    """flat[index] by index_select, three times as fast with features; ids as int64."""
    taken = widened(flat.index_select(0, index.flatten()))
    return taken.view(*index.shape, *flat.shape[1:])


def _like(
    mask: Bool[Tensor, "batch steps"], values: Num[Tensor, "batch steps *features"]
) -> Bool[Tensor, "batch steps *last"]:
    """The mask, with a last dimension of 1 if steps have several values."""
    return mask if values.dim() == 2 else mask[:, :, None]
