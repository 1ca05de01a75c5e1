"""Parts to batches: which items go together, and their padded tensors. No files, no model.

Items of about the same length share a batch, so that little is padding. Everything is indexing of
tensors in memory; there is no DataLoader, because one costs more than a small network's step.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from rnnkit.data.prepare.ids import PADDING
from rnnkit.data.prepare.part import Part

POOL = 50  # batches whose items are sorted by length together
IGNORED = -100  # target at padding; torch's cross_entropy leaves it out by default


@dataclass(frozen=True, eq=False)
class Batch:
    """A few examples, padded to the longest.

    Args:
        inputs: [batch, time] int64 ids, or [batch, time, features]; padding is 0. Where features
            are known ahead, the steps of the targets follow the item's own (`with_future`).
        targets: [batch] labels; [batch, time] tags or tokens, IGNORED at padding; [batch, steps]
            tokens of sequences of their own lengths, IGNORED behind their ends;
            [batch, time, numbers], 0 at padding; [batch, horizon, targets] scaled values.
        mask: [batch, time] bool, true at real steps; None: all are real.
        item: [batch] rows of the source's frame.
    """

    inputs: Num[Tensor, "batch time *features"]
    targets: Num[Tensor, "batch *target"]
    mask: Bool[Tensor, "batch time"] | None
    item: Int[Tensor, " batch"]


def plan(
    part: Part, batch_size: int, generator: torch.Generator | None
) -> list[Int[Tensor, " batch"]]:
    """Which items are in which batch; every item is in exactly one.

    Args:
        part: the examples.
        batch_size: items per batch; one batch may have fewer.
        generator: for training: items are shuffled, each pool of 50 batches is sorted by length
            and cut, and the batches are shuffled. None, for evaluation: sorted by length.

    Returns: int64 tensors of indices into the part.
    """
    if generator is None:
        return list(torch.split(_length(part).argsort(stable=True), batch_size))
    order = torch.randperm(len(part), generator=generator)
    batches = _pooled(part, order, batch_size)
    shuffled = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[k] for k in shuffled]


def _pooled(part: Part, order: Int[Tensor, " items"], batch_size: int) -> list[Tensor]:
    """Sort each pool of an order by length and cut it into batches."""
    if part.unaligned or not part.equal_length:
        lengths = _length(part)[order]
        pool = torch.arange(len(order)) // (POOL * batch_size)
        order = order[(pool * (lengths.max() + 1) + lengths).argsort(stable=True)]
    return list(torch.split(order, batch_size))


def _length(part: Part) -> Int[Tensor, " items"]:
    """What items are sorted by: the steps of the input, then those of the target."""
    if not part.unaligned:
        return part.input_length
    return part.input_length * (part.target_length.max() + 1) + part.target_length


def padding_waste(part: Part, batch_size: int) -> float:
    """The fraction of steps that are padding in training, with items in the part's own order."""
    batches = _pooled(part, torch.arange(len(part)), batch_size)
    lengths = [part.input_length[batch] for batch in batches]
    steps = sum(len(batch) * int(batch.max()) for batch in lengths)
    return 1 - int(part.input_length.sum()) / steps


def gather(
    part: Part, indices: Int[Tensor, " batch"], padding: Literal["post", "pre"], dtype: torch.dtype
) -> Batch:
    """The items' padded tensors.

    Args:
        part: the examples.
        indices: int64, at least one.
        padding: whether the padding lies behind the items or before them.
        dtype: of raw inputs and of targets that are numbers; ids stay int64.
    """
    lengths = part.input_length[indices]
    starts = part.input_start[indices, None]
    target_starts = part.target_start[indices, None]
    longest, mask = int(lengths.max()), None
    steps = torch.arange(longest)
    if not part.equal_length and int(lengths.min()) != longest:
        lengths = lengths[:, None]
        # Steps of padding read the item's nearest real step, which is then overwritten.
        if padding == "post":
            mask = steps < lengths
            steps = torch.minimum(steps, lengths - 1)
        else:
            steps = steps - (longest - lengths)
            mask = steps >= 0
            steps = steps.clamp_(min=0)
    inputs = _take(part.inputs, starts + steps)
    if part.known:
        ahead = torch.arange(int(part.target_length[indices[0]]))
        inputs = with_future(inputs, _take(part.inputs, target_starts + ahead), part.known)
    if part.unaligned:
        targets = _padded(part.targets, target_starts, part.target_length[indices])
    elif part.synced:
        targets = _take(part.targets, target_starts + steps)
    elif part.targets.is_floating_point():
        horizon = int(part.target_length[indices[0]])
        targets = _take(part.targets, target_starts + torch.arange(horizon))
    else:
        targets = part.targets[target_starts[:, 0]]
    if mask is not None:
        inputs = inputs.masked_fill_(~_like(mask, inputs), PADDING)
        if part.synced:
            nothing = 0 if targets.is_floating_point() else IGNORED
            targets = targets.masked_fill_(~_like(mask, targets), nothing)
    return Batch(
        inputs=inputs.to(dtype) if inputs.is_floating_point() else inputs,
        targets=targets.to(dtype) if targets.is_floating_point() else targets,
        mask=mask,
        item=part.item[indices],
    )


def _padded(
    flat: Int[Tensor, " tokens"], starts: Int[Tensor, "items 1"], lengths: Int[Tensor, " items"]
) -> Int[Tensor, "items longest"]:
    """Each item's own tokens, IGNORED behind them."""
    steps = torch.arange(int(lengths.max()))
    real = steps < lengths[:, None]
    return _take(flat, starts + steps.minimum(lengths[:, None] - 1)).masked_fill_(~real, IGNORED)


def with_future(
    past: Float[Tensor, "batch window features"],
    ahead: Float[Tensor, "batch horizon features"],
    known: int,
) -> Float[Tensor, "batch steps features+1"]:
    """A window followed by what is known of the steps that are to be forecast.

    Args:
        past: the window.
        ahead: the rows behind it, of which only the last features are
            read: the rest, which a forecaster cannot know, is replaced by zero.
        known: how many features are known ahead.

    Returns: [batch, window + horizon, features + 1]; the feature that is added is 0 in the window
    and 1 behind it.
    """
    hidden = torch.zeros_like(ahead[:, :, : ahead.shape[2] - known])
    ahead = torch.cat([hidden, ahead[:, :, -known:], torch.ones_like(ahead[:, :, :1])], dim=2)
    past = torch.cat([past, torch.zeros_like(past[:, :, :1])], dim=2)
    return torch.cat([past, ahead], dim=1)


def _take(
    flat: Num[Tensor, "rows *features"], index: Int[Tensor, "batch steps"]
) -> Num[Tensor, "batch steps *features"]:
    """flat[index], by index_select: a third of the time where there are features."""
    return flat.index_select(0, index.flatten()).view(*index.shape, *flat.shape[1:])


def _like(
    mask: Bool[Tensor, "batch steps"], values: Num[Tensor, "batch steps *features"]
) -> Bool[Tensor, "batch steps *last"]:
    """The mask with a last dimension of 1 where each step has several values."""
    return mask if values.dim() == 2 else mask[:, :, None]
