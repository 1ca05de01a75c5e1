"""Bits per token of text, or nats per frame of music."""

import math
from typing import Literal

import numpy as np
import pandas
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.style import BLUE, GREY, INK, RED, SMALL, dress, legend, sheet

MAX_BINS = 40


def surprise(predictions: pandas.DataFrame, what: Literal["token", "frame"]) -> Figure:
    """Histogram over items of bits per token, or of nats per frame of music.

    The mean is over tokens or frames, not over items, so perplexity = 2^(mean bits).

    Args:
        predictions: one item per row: columns `tokens` or `frames` (their number) and
            `log_probability` (nats).
        what: unit of an item.
    """
    unit, scale = ("bits", math.log(2)) if what == "token" else ("nats", 1.0)
    count = predictions[f"{what}s"]
    cost = -predictions["log_probability"] / scale
    mean = float(cost.sum() / count.sum())
    costs = (cost / count).to_numpy(dtype=float)
    finite = costs[np.isfinite(costs)]
    title = f"{mean:.3g} {unit} per {what}"
    if what == "token":
        title += f": perplexity {2**mean if mean < 1000 else math.inf:,.4g}"
    items = "windows" if what == "token" else "pieces"
    figure = sheet(8.6, 4.4, title)
    axes = figure.subplots()
    heading = f"How surprising each of {len(costs):,} {items} is"
    if len(costs) == 1:
        heading = f"How surprising the only {items[:-1]} is"
    if len(finite) < len(costs):
        heading += f" ({len(costs) - len(finite):,} held impossible are left out)"
    dress(axes, heading, f"{unit} per {what} (0: foreseen with certainty)", items)
    if len(finite):
        bins = min(MAX_BINS, max(5, math.ceil(2 * len(finite) ** 0.5)))
        axes.hist(finite, bins=bins, color=BLUE, alpha=0.75, edgecolor="white", linewidth=0.6)
        low, middle, high = np.quantile(finite, [0.05, 0.5, 0.95])
        axes.axvspan(low, high, color=GREY, alpha=0.1, lw=0, label=f"90% of {items}", zorder=0)
        axes.axvline(middle, color=INK, linestyle=":", label=f"median {items[:-1]} {middle:.3g}")
    if math.isfinite(mean):
        axes.axvline(mean, color=RED, linewidth=2.2, label=f"mean over {what}s {mean:.3g}")
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=SMALL)
    legend(axes)
    return figure
