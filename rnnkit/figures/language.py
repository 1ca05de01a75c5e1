"""How surprised a language model is by text it has not seen."""

import math

import numpy as np
import pandas
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.style import BLUE, GREY, INK, RED, SMALL, dress, legend, sheet

BINS = 40


def surprise(predictions: pandas.DataFrame) -> Figure:
    """The distribution of bits per token over windows.

    The mean is over tokens, not over windows, so that 2 to its power is the perplexity.

    Args:
        predictions: a window in a row: columns `tokens` (count) and `log_probability` (nats).
    """
    bits = -predictions["log_probability"] / math.log(2)
    mean = float(bits.sum() / predictions["tokens"].sum())
    each = (bits / predictions["tokens"]).to_numpy(dtype=float)
    finite = each[np.isfinite(each)]
    perplexity = 2**mean if mean < 1000 else math.inf
    title = f"{mean:.3g} bits per token: perplexity {perplexity:,.4g}"
    figure = sheet(8.6, 4.4, title)
    axes = figure.subplots()
    heading = f"How surprising each of {len(each):,} windows is"
    if len(each) == 1:
        heading = "How surprising the only window is"
    if len(finite) < len(each):
        heading += f" ({len(each) - len(finite):,} held impossible are left out)"
    dress(axes, heading, "bits per token (0: foreseen with certainty)", "windows")
    if len(finite):
        bins = min(BINS, max(5, math.ceil(2 * len(finite) ** 0.5)))
        axes.hist(finite, bins=bins, color=BLUE, alpha=0.75, edgecolor="white", linewidth=0.6)
        low, middle, high = np.quantile(finite, [0.05, 0.5, 0.95])
        axes.axvspan(low, high, color=GREY, alpha=0.1, lw=0, label="90% of windows", zorder=0)
        axes.axvline(middle, color=INK, linestyle=":", label=f"median window {middle:.3g}")
    if math.isfinite(mean):
        axes.axvline(mean, color=RED, linewidth=2.2, label=f"mean over tokens {mean:.3g}")
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=SMALL)
    legend(axes)
    return figure
