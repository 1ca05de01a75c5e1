"""Accuracy over the lag of memory problems."""

import numpy as np
import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, dress, sheet

LAG_GROUPS = 12
"""Number of groups of lags, with about equal numbers of answers."""


def accuracy_by_lag(predictions: pandas.DataFrame, steps: str = "steps") -> Figure:
    """The fraction of correct answers over the lag, with its 95 % Wilson interval (Wilson 1927).

    Args:
        predictions: one answer per row: columns `lag` and `right`.
        steps: unit of the lag.
    """
    right = int(predictions["right"].sum())
    count = len(predictions)
    figure = sheet(8.6, 4.4, f"{right:,} of {count:,} answers are right: {right / count:.2%}")
    axes = figure.subplots()
    dress(axes, "What is still known after so long", f"lag ({steps})", "share of right answers")
    lags = predictions["lag"]
    edges = np.unique(np.quantile(lags, np.linspace(0, 1, LAG_GROUPS + 1)))
    group = np.clip(np.searchsorted(edges, lags, side="right") - 1, 0, max(0, len(edges) - 2))
    for _, answers in predictions.groupby(group):
        fraction, lag = float(answers["right"].mean()), float(answers["lag"].mean())
        low, high = _wilson(fraction, len(answers))
        axes.plot([lag, lag], [low, high], color=GREY, linewidth=1.4)
        axes.plot(lag, fraction, "o", color=BLUE)
    axes.set_ylim(-0.04, 1.04)
    return figure


def _wilson(p: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a fraction p."""
    z = 1.959964
    middle = (p + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (p * (1 - p) / count + z**2 / (4 * count**2)) ** 0.5
    return middle - half, middle + half
