"""Positions of the real steps in a padded batch, and the order that moves them to the front."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rnnkit.nn.kernels.packing import Packing, pack_padded

Mask = Bool[Tensor, "batch time"]
"""True at real steps."""


@dataclass(frozen=True)
class Padding:
    """A mask and its properties, computed once per batch by `find_padding`.

    Attributes:
        first: each row's first real step; 0 for an empty row.
        length: number of real steps per row.
        contiguous: whether every row's real steps are contiguous.
        trailing: whether every row's real steps start at step 0.
        empty_rows: whether some row has no real step.
    """

    mask: Mask
    first: Int[Tensor, " batch"]
    length: Int[Tensor, " batch"]
    contiguous: bool
    trailing: bool
    empty_rows: bool

    def packed(self, reverse: bool) -> Packing:
        """The packing of the real steps, computed once."""
        return self._reverse_packing if reverse else self._packing

    @cached_property
    def _packing(self) -> Packing:
        return pack_padded(self.mask.numpy(), self.length.numpy(), False)

    @cached_property
    def _reverse_packing(self) -> Packing:
        return pack_padded(self.mask.numpy(), self.length.numpy(), True)

    def order(self, reverse: bool) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch time"]]:
        """The order that puts the real steps first, and its inverse.

            forward:  t -> first + t             back:  t -> t - first
            reverse:  t -> first + length - 1 - t       its own inverse

        modulo the number of steps, so that both are permutations of each row's steps.
        """
        steps = self.mask.shape[1]
        time = torch.arange(steps, device=self.mask.device)
        first = self.first[:, None]
        if reverse:
            swap = (first + self.length[:, None] - 1 - time) % steps
            return swap, swap
        return (first + time) % steps, (time - first) % steps


def find_padding(mask: Mask | None) -> Padding | None:
    """The padding of a mask; None if every step is real or there is no mask.

    >>> find_padding(torch.tensor([[True, True]])) is None
    True
    >>> find_padding(torch.tensor([[False, True, True]])).first
    tensor([1])
    """
    if mask is None:
        return None
    length = mask.sum(1)
    steps = mask.shape[1]
    shortest = int(length.min())
    if shortest == steps:
        return None
    first = mask.to(torch.uint8).argmax(1)  # documented: the first of equal maxima
    time = torch.arange(steps, device=mask.device)
    run = (time >= first[:, None]) & (time < (first + length)[:, None])
    return Padding(
        mask=mask,
        first=first,
        length=length,
        contiguous=bool((run == mask).all()),
        trailing=not bool(first.any()),
        empty_rows=shortest == 0,
    )


def reorder(
    sequence: Float[Tensor, "batch time feature"], order: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch time feature"]:
    """Reorder the steps of each row: result[b, t] = sequence[b, order[b, t]].

    index_select on [batch·time, feature] reads one index per step, gather one per number.
    """
    batch, steps = order.shape
    row = torch.arange(batch, device=order.device)[:, None] * steps
    return sequence.flatten(0, 1).index_select(0, (row + order).flatten()).view(sequence.shape)
