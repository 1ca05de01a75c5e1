"""How much of what was seen long ago is still known."""

import numpy as np
import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, dress, sheet

GROUPS = 12
"""Groups of lags, of about as many answers each."""


def remembered(predictions: pandas.DataFrame, steps: str = "steps") -> Figure:
    """The share of right answers over the lag, with an interval that holds the true share in 95
    of 100 cases (Wilson 1927).

    Args:
        predictions: an answer in a row: columns `lag` and `right`.
        steps: the lag's unit.
    """
    right = int(predictions["right"].sum())
    count = len(predictions)
    figure = sheet(8.6, 4.4, f"{right:,} of {count:,} answers are right: {right / count:.2%}")
    axes = figure.subplots()
    dress(axes, "What is still known after so long", f"lag ({steps})", "share of right answers")
    lags = predictions["lag"]
    edges = np.unique(np.quantile(lags, np.linspace(0, 1, GROUPS + 1)))
    group = np.clip(np.searchsorted(edges, lags, side="right") - 1, 0, max(0, len(edges) - 2))
    for _, own in predictions.groupby(group):
        share, middle = float(own["right"].mean()), float(own["lag"].mean())
        low, high = _wilson(share, len(own))
        axes.plot([middle, middle], [low, high], color=GREY, linewidth=1.4)
        axes.plot(middle, share, "o", color=BLUE)
    axes.set_ylim(-0.04, 1.04)
    return figure


def _wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    z = 1.959964
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return middle - half, middle + half
