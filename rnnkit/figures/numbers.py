"""Predicted over true numbers."""

from collections.abc import Sequence

import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, dress, sheet

MAX_TARGETS = 3
"""Number of targets drawn side by side, the first ones."""


def predicted(predictions: pandas.DataFrame, targets: Sequence[str]) -> Figure:
    """Predicted over true values of every item of the test split; the line is the diagonal.

    Args:
        predictions: columns `truth NAME` and `predicted NAME`.
        targets: the names; the first three are drawn.
    """
    names = targets[:MAX_TARGETS]
    figure = sheet(4.6 * len(names), 4.6, f"{len(predictions):,} items of the test part")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        truth, predicted = predictions[f"truth {name}"], predictions[f"predicted {name}"]
        dress(axes, name, "true", "predicted")
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        axes.plot(ends, ends, color=GREY, linewidth=1)
        axes.plot(truth, predicted, ".", color=BLUE, alpha=0.6)
    return figure
