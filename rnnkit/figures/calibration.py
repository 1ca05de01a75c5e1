"""Reliability diagram: accuracy over confidence."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rnnkit.figures.style import BLUE, GREY, SMALL, dress, legend, sheet


def calibration(measured: Mapping[str, Any]) -> Figure:
    """Accuracy of the predictions in each bin of their confidence.

    Args:
        measured: error, confidence, accuracy, items and bins, as measured.
    """
    figure = sheet(5.6, 5.0, f"Calibration: expected error {measured['error']:.3f}")
    axes = figure.subplots()
    heading = f"mean confidence {measured['confidence']:.1%}, accuracy {measured['accuracy']:.1%}"
    dress(axes, heading, "confidence", "accuracy")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
    for one in measured["bins"]:
        width = one["to"] - one["from"]
        bar: dict[str, Any] = {"color": BLUE, "alpha": 0.75, "edgecolor": "white"}
        axes.bar(one["from"], one["accuracy"], width, align="edge", **bar)
        at = one["from"] + width / 2, one["accuracy"] + 0.01
        axes.text(*at, f"{one['items']:,}", ha="center", va="bottom", fontsize=SMALL - 1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.06)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    legend(axes, "upper left")
    return figure
