"""The norm above which a gradient is clipped: a number, none, or found from the norms so far."""

from bisect import insort
from collections.abc import Iterable
from typing import Literal

PERCENTILE = 10
"""Of the norms seen so far; the one value the paper uses throughout."""


class Threshold:
    """AutoClip: the threshold is the 10th percentile of all gradient norms so far.

    The norm of the present step is one of them, and between two norms the percentile is linear,
    as numpy's. The norms are held sorted, which is all that the percentile depends on.

    Args:
        clip: a fixed threshold, None for no clipping, or "auto".
        norms: of the steps before, when a training is resumed.

    Reference: P. Seetharaman, G. Wichern, B. Pardo, J. Le Roux, AutoClip: adaptive gradient
    clipping for source separation networks, arXiv:2007.14469, 2020.
    """

    def __init__(self, clip: float | Literal["auto"] | None, norms: Iterable[float]) -> None:
        self._clip = clip
        self.norms = sorted(norms)

    def at(self, norm: float) -> float | None:
        """The threshold for a gradient of this norm, which must be finite; None: no clipping.

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
