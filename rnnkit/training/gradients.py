"""The gradients of a network as one tensor, their norm, and the clip threshold of the norm."""

from bisect import insort
from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

PERCENTILE = 10
"""Of the norms so far; the value used in the paper."""


class FlatParameters:
    """Views of a network's parameters as slices of one tensor; weight matrices come first.

    The optimizer, the norm and the clipping are then one operation each instead of one per
    parameter, which is most of the overhead of a small network.

    Args:
        network: its trainable parameters become views, in place; their values do not change.
    """

    def __init__(self, network: nn.Module) -> None:
        trainable = [p for p in network.parameters() if p.requires_grad]
        ordered = sorted(trainable, key=lambda p: p.ndim < 2)
        self.values = nn.Parameter(torch.cat([p.detach().flatten() for p in ordered]))
        self.gradients = torch.zeros_like(self.values)
        self.values.grad = self.gradients
        matrices = sum(p.numel() for p in ordered if p.ndim >= 2)
        self._matrices = slice(0, matrices)
        start = 0
        for parameter in ordered:
            slot = slice(start, start + parameter.numel())
            parameter.data = self.values.data[slot].view(parameter.shape)
            parameter.grad = self.gradients[slot].view(parameter.shape)
            start = slot.stop

    def zero_gradients(self) -> None:
        """Zero the gradients before a backward pass; they stay views."""
        self.gradients.zero_()

    def add_l2(self, l2: float) -> None:
        """Add the gradient of l2·‖W‖² over weight matrices (not biases): 2·l2·W."""
        if l2:
            self.gradients[self._matrices].add_(self.values.data[self._matrices], alpha=2 * l2)

    def gradient_norm(self) -> float:
        """‖g‖ over all parameters, before clipping."""
        return float(torch.linalg.vector_norm(self.gradients))

    def clip(self, norm: float, threshold: float | None) -> bool:
        """g <- g · threshold / ‖g‖ where ‖g‖ > threshold (Pascanu et al. 2013); whether it was."""
        if threshold is None or norm <= threshold:
            return False
        self.gradients.mul_(threshold / norm)
        return True


class Threshold:
    """AutoClip: the threshold is the 10th percentile of all gradient norms so far.

    The current step's norm is included. The percentile interpolates linearly, as numpy's does. The
    norms are kept sorted, because their order does not matter.

    Args:
        clip: a fixed threshold, None for no clipping, or "auto".
        norms: of the previous steps, if the training is resumed.

    Reference: P. Seetharaman, G. Wichern, B. Pardo, J. Le Roux, AutoClip: adaptive gradient
    clipping for source separation networks, arXiv:2007.14469, 2020.
    """

    def __init__(self, clip: float | Literal["auto"] | None, norms: Iterable[float]) -> None:
        self._clip = clip
        self.norms = sorted(norms)

    def at(self, norm: float) -> float | None:
        """The threshold for a gradient of this (finite) norm; None: no clipping.

        >>> auto = Threshold("auto", [1.0, 2.0, 3.0])
        >>> auto.at(5.0), auto.norms
        (1.3, [1.0, 2.0, 3.0, 5.0])
        """
        if not isinstance(self._clip, str):
            return self._clip
        insort(self.norms, norm)
        place = (len(self.norms) - 1) * PERCENTILE / 100
        below = int(place)
        low, high = self.norms[below], self.norms[min(below + 1, len(self.norms) - 1)]
        return low + (high - low) * (place - below)
