"""Confusion matrix."""

from typing import Any

import numpy as np
import pandas
from matplotlib import colormaps
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rnnkit.figures.style import GREY, INK, PALE, SMALL, TEXT, dress, plain, sheet

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
    figure = sheet(
        side + 1.3, side + 0.5, f"{right / max(total, 1):.1%} of {total:,} labels are right"
    )
    axes = figure.subplots()
    heading = "Share of each true class, with counts"
    if size < len(labels):
        heading = f"The {size} most confused of {len(labels)} classes: share of each, with counts"
    dress(axes, heading, "predicted", "truth")
    norm, colours = PowerNorm(0.5, 0, 1), colormaps["Blues"]  # sqrt: rare confusions visible
    image = axes.imshow(fractions[np.ix_(shown, shown)], cmap=colours, norm=norm)
    names = [plain(_short(labels[i])) for i in shown]
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
                dark = norm(fractions[row, column]) > 0.6
                axes.text(
                    x,
                    y,
                    compact(count),
                    ha="center",
                    va="center",
                    fontsize=SMALL if size <= 12 else SMALL - 2,
                    color="white" if dark else INK,
                    fontweight="bold" if x == y else "normal",
                )
    bar = figure.colorbar(image, ax=axes, shrink=0.75, aspect=28, pad=0.02)
    bar.set_ticks([0, 0.01, 0.05, 0.2, 0.5, 1])
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    bar.ax.tick_params(labelsize=SMALL, colors=INK, length=0)
    bar.set_label("share of the true class", fontsize=TEXT, color=GREY)
    bar.outline.set_visible(False)
    return figure


def confusions(predictions: pandas.DataFrame, labels: tuple[str, ...]) -> "np.ndarray[Any, Any]":
    """Counts [true label, predicted label]."""
    index = pandas.Index(labels)
    truth, predicted = (
        index.get_indexer(_flat(predictions[name])) for name in ("truth", "predicted")
    )
    pairs = truth * len(labels) + predicted
    size = len(labels)
    return np.bincount(pairs, minlength=size * size).reshape(size, size)


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


def _flat(column: "pandas.Series") -> Any:
    """The labels of all rows, where a row is a label or a list of labels."""
    rows = column.tolist()
    if rows and not isinstance(rows[0], str):
        return [label for row in rows for label in row]
    return rows


def _short(label: str) -> str:
    return label if len(label) <= 18 else label[:17] + "…"
