"""Variants over their epochs: the mean over the runs, with a band from lowest to highest."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.style import BLUE, INK, NETWORKS, SMALL, dress, legend, plain, sheet, spans

LOG_RATIO = 50
"""Ratio of the largest to the smallest value from which the axis is logarithmic."""

Curves = Mapping[str, Sequence[Sequence[float]]]
"""Variant -> one curve per run: the metric after each epoch."""


def bands(curves: Curves, metric: str) -> Figure:
    """The mean curve of each variant, with a band from its lowest to its highest run.

    Args:
        curves: if runs stop at different epochs, the mean is over those still running.
        metric: its name.
    """
    figure = sheet(7.8, 4.6, "How they learnt")
    axes = figure.subplots()
    dress(axes, "", "epoch", plain(metric))
    shown: list[float] = []
    for k, (variant, runs) in enumerate(curves.items()):
        colour, longest = NETWORKS[k % len(NETWORKS)], max(map(len, runs))
        table = np.full((len(runs), longest), np.nan)
        for row, run in zip(table, runs, strict=True):
            row[: len(run)] = run
        epochs = np.arange(1, longest + 1)
        mean = np.nanmean(table, axis=0)
        if len(runs) > 1:
            low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
            axes.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0)
        style = "-" if k < len(NETWORKS) else "--"
        axes.plot(epochs, mean, style, color=colour, lw=1.8, marker="o", ms=3, label=plain(variant))
        shown += mean.tolist()
    if spans([value for value in shown if np.isfinite(value)], LOG_RATIO):
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(axes)
    return figure


def intervals(
    found: Mapping[str, tuple[float, float, float]], measure: str, reference: str
) -> Figure:
    """The difference of each variant from the first one, with its 95 % interval.

    Args:
        found: variant -> (difference, low, high).
        measure: name of the measure.
        reference: the first variant.
    """
    figure = sheet(7.8, 1.5 + 0.42 * len(found), f"Against {plain(reference)}")
    axes = figure.subplots()
    dress(axes, "", f"{plain(measure)}, difference and 95 % interval", "")
    axes.axvline(0, color=INK, lw=1)
    for y, (value, low, high) in enumerate(reversed(list(found.values()))):
        axes.plot([low, high], [y, y], color=BLUE, lw=2.4, solid_capstyle="round")
        axes.plot(value, y, "o", color=BLUE, ms=7)
        axes.annotate(
            f"{value:+.3g}",
            (value, y),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            color=INK,
        )
    axes.set_yticks(range(len(found)), [plain(name) for name in reversed(list(found))])
    axes.set_ylim(-0.6, len(found) - 0.3)
    axes.grid(axis="y", visible=False)
    return figure
