"""Learning rate range test: the loss over the learning rate."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREEN, GREY, RED, SKY, legend, panel, plain

SHOWN_RISE = 0.3
"""What is shown above the first loss, as a fraction of the fall below it."""


def range_test(
    rates: Sequence[float],
    losses: Sequence[float],
    averages: Sequence[float],
    suggested: float,
    present: float,
    name: str,
) -> Figure:
    """The losses of a range test.

    Args:
        rates, losses, averages: of each step.
        suggested: learning rate.
        present: the params' learning rate.
        name: of the experiment.
    """
    labels = "Loss of each step while the rate rises", "learning rate", "loss"
    figure, axes = panel(8.6, 4.4, f"{plain(name)}: learning rate range test", labels)
    axes.set_xscale("log")
    axes.plot(rates, losses, color=SKY, linewidth=0.8, alpha=0.6)
    axes.plot(rates, averages, color=BLUE, linewidth=2, label="moving average")
    lowest = min(averages)
    at = rates[averages.index(lowest)]
    axes.plot(at, lowest, "o", color=RED, markersize=6, label=f"lowest at {at:.2g}")
    axes.axvline(suggested, color=GREEN, linewidth=2, label=f"suggested: {suggested:g}")
    axes.axvline(present, color=GREY, linestyle=":", label=f"in the params: {present:g}")
    rise = max(averages[0] - lowest, 1e-9)
    top = averages[0] + SHOWN_RISE * rise
    if math.isfinite(top):
        axes.set_ylim(lowest - 0.15 * rise, max(top, min(max(averages), averages[0] + rise)))
    legend(axes)
    return figure
