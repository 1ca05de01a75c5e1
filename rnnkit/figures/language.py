"""How surprised a network is by text or music it has not seen."""

import math
from typing import Literal

import numpy as np
import pandas
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.style import BLUE, GREY, INK, RED, SMALL, dress, legend, sheet

BINS = 40


def surprise(predictions: pandas.DataFrame, what: Literal["token", "frame"]) -> Figure:
    """The distribution over items of bits per token, or of nats per frame of music.

    The mean is over tokens or frames, not over items, so that 2 to its power is the perplexity.

    Args:
        predictions: an item in a row: columns `tokens` or `frames` (how many it has) and
            `log_probability` (nats).
        what: each item is made of.
    """
    unit, scale = ("bits", math.log(2)) if what == "token" else ("nats", 1.0)
    count = predictions[f"{what}s"]
    cost = -predictions["log_probability"] / scale
    mean = float(cost.sum() / count.sum())
    each = (cost / count).to_numpy(dtype=float)
    finite = each[np.isfinite(each)]
    title = f"{mean:.3g} {unit} per {what}"
    if what == "token":
        title += f": perplexity {2**mean if mean < 1000 else math.inf:,.4g}"
    items = "windows" if what == "token" else "pieces"
    figure = sheet(8.6, 4.4, title)
    axes = figure.subplots()
    heading = f"How surprising each of {len(each):,} {items} is"
    if len(each) == 1:
        heading = f"How surprising the only {items[:-1]} is"
    if len(finite) < len(each):
        heading += f" ({len(each) - len(finite):,} held impossible are left out)"
    dress(axes, heading, f"{unit} per {what} (0: foreseen with certainty)", items)
    if len(finite):
        bins = min(BINS, max(5, math.ceil(2 * len(finite) ** 0.5)))
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
