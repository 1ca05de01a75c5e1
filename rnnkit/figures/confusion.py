"""Confusion matrix."""

from typing import Any

import numpy as np
import pandas
from matplotlib import colormaps
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rnnkit.figures.style import GREY, INK, PALE, SMALL, colour_bar, panel, plain

MAX_CLASSES = 20
"""Of more classes, the most confused ones are drawn."""


def confusion_matrix(predictions: pandas.DataFrame, labels: tuple[str, ...]) -> Figure:
    """Rows are true classes, columns predicted ones; colours are fractions of a row, with counts.

    Args:
        predictions: columns `truth` and `predicted`, with a label or a list of labels per row.
        labels: all classes.
    """
    counts = confusions(predictions, labels)
    right, total = int(counts.trace()), int(counts.sum())
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = most_confused(counts)
    size = len(shown)
    side = 2.6 + max(2.4, 0.4 * size)
    title = f"{right / max(total, 1):.1%} of {total:,} labels are right"
    heading = "Share of each true class, with counts"
    if size < len(labels):
        heading = (
            f"The {size} most confused of {len(labels)} classes: fraction of each, with counts"
        )
    figure, axes = panel(side + 1.3, side + 0.5, title, (heading, "predicted", "truth"))
    norm, colours = PowerNorm(0.5, 0, 1), colormaps["Blues"]  # sqrt: rare confusions visible
    image = axes.imshow(fractions[np.ix_(shown, shown)], cmap=colours, norm=norm)
    names = _names(labels, shown)
    axes.set_xticks(range(size), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), names)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=PALE, linewidth=0.6)
    for y, row in enumerate(shown):
        for x, column in enumerate(shown):
            if count := int(counts[row, column]):
                colour = "white" if norm(fractions[row, column]) > 0.6 else INK
                weight = "bold" if x == y else "normal"
                look: dict[str, Any] = {
                    "fontsize": SMALL if size <= 12 else SMALL - 2,
                    "fontweight": weight,
                }
                axes.text(x, y, compact(count), ha="center", va="center", color=colour, **look)
    bar = colour_bar(axes, image, "fraction of the true class", GREY, shrink=0.75, aspect=28)
    bar.set_ticks([0, 0.01, 0.05, 0.2, 0.5, 1])
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def confusions(predictions: pandas.DataFrame, labels: tuple[str, ...]) -> "np.ndarray[Any, Any]":
    """Counts [true label, predicted label]; a row is a label or a list of labels."""
    index, size = pandas.Index(labels), len(labels)
    truth, predicted = (
        index.get_indexer(pandas.Index(predictions[name].explode().dropna()))
        for name in ("truth", "predicted")
    )
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)


def most_confused(counts: "np.ndarray[Any, Any]") -> list[int]:
    """Indices of the classes to draw: all, or those with the most errors, in label order."""
    if len(counts) <= MAX_CLASSES:
        return list(range(len(counts)))
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    worst = np.argsort(-errors, kind="stable")[:MAX_CLASSES]
    return sorted(worst.tolist())


def compact(count: int) -> str:
    """A count in at most four characters.

    >>> [compact(n) for n in (7, 9_999, 12_345, 1_200_000)]
    ['7', '9999', '12k', '1M']
    """
    if count < 10_000:
        return str(count)
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.0f}M"


def _names(labels: tuple[str, ...], shown: list[int]) -> list[str]:
    """The labels to draw, shortened; equal ones with the number of their class."""
    names = [plain(_short(label)) for label in labels]
    return [f"{names[i]} ({i + 1})" if names.count(names[i]) > 1 else names[i] for i in shown]


def _short(label: str) -> str:
    return label if len(label) <= 18 else label[:17] + "…"
