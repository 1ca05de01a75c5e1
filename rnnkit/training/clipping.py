"""Clip threshold of the gradient norm: fixed, none, or a percentile of the norms so far."""

from bisect import insort
from collections.abc import Iterable
from typing import Literal

PERCENTILE = 10
"""Of the norms so far; the value used in the paper."""


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
