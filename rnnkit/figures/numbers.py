"""Numbers that were told over the true ones."""

from collections.abc import Sequence

import pandas
from matplotlib.figure import Figure

from rnnkit.figures.style import BLUE, GREY, dress, sheet

COLUMNS = 3
"""Targets side by side, at the most."""


def told(predictions: pandas.DataFrame, targets: Sequence[str]) -> Figure:
    """Every item of the test part, predicted over true; on the line both are equal.

    Args:
        predictions: columns `truth NAME` and `predicted NAME`.
        targets: the names; of many the first three are drawn.
    """
    names = targets[:COLUMNS]
    figure = sheet(4.6 * len(names), 4.6, f"{len(predictions):,} items of the test part")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        truth, predicted = predictions[f"truth {name}"], predictions[f"predicted {name}"]
        dress(axes, name, "true", "predicted")
        ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
        axes.plot(ends, ends, color=GREY, linewidth=1)
        axes.plot(truth, predicted, ".", color=BLUE, alpha=0.6)
    return figure
