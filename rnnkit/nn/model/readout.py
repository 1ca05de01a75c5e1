"""Read-outs (many-to-one): reduce the outputs at real steps to one vector.

The read-out of a sequence without a real step is zero.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.nn.kernels.padding import Padding

Outputs = Float[Tensor, "batch time units"]
Vector = Float[Tensor, "batch units"]


def last(outputs: Outputs, padding: Padding | None, directions: int) -> Vector:
    """The final h: [last real step of forward; first real step of backward]."""
    batch, _, width = outputs.shape
    if padding is None:
        if directions == 1:
            return outputs[:, -1]
        ahead, back = outputs[:, -1], outputs[:, 0]
    else:
        row = torch.arange(batch, device=outputs.device)
        ahead = outputs[row, (padding.first + padding.length - 1).clamp(min=0)]
        if directions == 1:
            return ahead
        back = outputs[row, padding.first]
    hidden = width // directions
    return torch.cat([ahead[:, :hidden], back[:, hidden:]], dim=1)


def mean(outputs: Outputs, padding: Padding | None, directions: int) -> Vector:
    """(1 / length) Σ_t h_t. Outputs at padding are zero."""
    if padding is None:
        return outputs.mean(1)
    return outputs.sum(1) / padding.length.clamp(min=1)[:, None]


def maximum(outputs: Outputs, padding: Padding | None, directions: int) -> Vector:
    """max_t h_t, elementwise."""
    if padding is None:
        return outputs.amax(1)
    real: Bool[Tensor, "batch time 1"] = padding.mask[:, :, None]
    largest = outputs.masked_fill(~real, -torch.inf).amax(1)
    return largest.masked_fill((padding.length == 0)[:, None], 0.0)


READOUTS: dict[str, Callable[[Outputs, Padding | None, int], Vector]] = {
    "last": last,
    "mean": mean,
    "max": maximum,
}
"""By name: (outputs, padding or None, directions) -> one vector per sequence."""

RUNNING: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "last": lambda before, new, seen: new,
    "mean": lambda before, new, seen: before + (new - before) / seen,
    "max": lambda before, new, seen: torch.maximum(before, new),
}
"""Incremental form: (read-out so far, newest output, steps including it) -> read-out."""
