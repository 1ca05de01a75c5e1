"""Histogram of gradient norms before clipping, with the clip threshold."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from rnnkit.figures.style import BLUE, GREEN, GREY, RED, legend, panel

BINS = 40


def gradient_norms(
    norms: Sequence[float], threshold: float | None, suggested: float, share: float
) -> Figure:
    """How large the gradients of a training were.

    Args:
        norms: positive, each the mean of some steps.
        threshold: of the last step; None: no clipping.
        suggested: threshold.
        share: fraction of the steps that were clipped.
    """
    heading = f"{share:.1%} of the steps were clipped"
    if threshold is None:
        heading = "Gradients are not clipped"
    labels = heading, "norm before clipping, mean of some steps", "records"
    figure, axes = panel(8.6, 4.0, "Gradient norms", labels)
    positive = np.array([norm for norm in norms if norm > 0])
    ends = positive.min() / 1.2, positive.max() * 1.2
    axes.hist(
        positive,
        np.geomspace(*ends, BINS).tolist(),
        color=BLUE,
        alpha=0.75,
        edgecolor="white",
        lw=0.6,
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    median = float(np.median(positive))
    axes.axvline(median, color=GREY, linestyle=":", label=f"median {median:.3g}")
    axes.axvline(suggested, color=GREEN, linewidth=1.6, label=f"suggested {suggested:.3g}")
    if threshold is not None:
        axes.axvline(threshold, color=RED, linewidth=2, label=f"threshold {threshold:.3g}")
    axes.grid(visible=False, axis="x")
    legend(axes)
    return figure
