"""Test items: bits per token, accuracy over the lag, predicted over true numbers."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.style import BLUE, GREY, INK, RED, dress, legend, panel, plain, sheet

MAX_BINS = 40
LAG_GROUPS = 12
"""Number of groups of lags, with about equal numbers of answers."""
MAX_TARGETS = 3
"""Number of targets drawn side by side, the first ones."""


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
    heading = f"How surprising each of {len(costs):,} {items} is"
    if len(costs) == 1:
        heading = f"How surprising the only {items[:-1]} is"
    if len(finite) < len(costs):
        heading += f" ({len(costs) - len(finite):,} held impossible are left out)"
    labels = heading, f"{unit} per {what} (0: predicted with certainty)", items
    figure, axes = panel(8.6, 4.4, title, labels)
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
    legend(axes)
    return figure


def accuracy_by_lag(predictions: pandas.DataFrame) -> Figure:
    """The fraction of correct answers over the lag, with its 95 % Wilson interval (Wilson 1927).

    Args:
        predictions: one answer per row: columns `lag` and `right`.
    """
    from statsmodels.stats.proportion import proportion_confint

    right, count = int(predictions["right"].sum()), len(predictions)
    title = f"{right:,} of {count:,} answers are right: {right / count:.2%}"
    labels = "Accuracy by lag", "lag (steps)", "accuracy"
    figure, axes = panel(8.6, 4.4, title, labels)
    lags = predictions["lag"]
    edges = np.unique(np.quantile(lags, np.linspace(0, 1, LAG_GROUPS + 1)))
    group = np.clip(np.searchsorted(edges, lags, side="right") - 1, 0, max(0, len(edges) - 2))
    for _, answers in predictions.groupby(group):
        lag = float(answers["lag"].mean())
        interval = proportion_confint(answers["right"].sum(), len(answers), method="wilson")
        axes.plot([lag, lag], interval, color=GREY, linewidth=1.4)
        axes.plot(lag, answers["right"].mean(), "o", color=BLUE)
    axes.set_ylim(-0.04, 1.04)
    return figure


def predicted(predictions: pandas.DataFrame, targets: Sequence[str]) -> Figure:
    """Predicted over true values of every item of the test split; the line is the diagonal.

    Args:
        predictions: columns `truth NAME` and `predicted NAME`.
        targets: the names; the first three are drawn.
    """
    names = targets[:MAX_TARGETS]
    figure = sheet(4.6 * len(names), 4.6, f"{len(predictions):,} items of the test split")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        truth, predicted = predictions[f"truth {name}"], predictions[f"predicted {name}"]
        dress(axes, plain(name), "true", "predicted")
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        axes.plot(ends, ends, color=GREY, linewidth=1)
        axes.plot(truth, predicted, ".", color=BLUE, alpha=0.6)
    return figure
