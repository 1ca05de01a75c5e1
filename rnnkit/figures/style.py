"""The style of all figures: colours, sizes, axes and legends; saving a figure.

The colours are by Okabe and Ito (2008), "Color Universal Design", and safe for colour-blind
readers; so is `VALUES`, matplotlib's viridis.
"""

import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from rnnkit.figures.fonts import readable, use_fallbacks
from rnnkit.runtime.files import write_atomic

DPI = 150
"""Dots per inch: a figure of 10 inches fills the artifact view of MLflow."""

INK, GREY, PALE, PAPER = "#22262b", "#7c838b", "#d9dde1", "#ffffff"
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
PURPLE, SKY, YELLOW = "#cc79a7", "#56b4e9", "#f0e442"
VALUES = "viridis"
NETWORKS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, YELLOW, INK)
"""Colours of compared networks, in their order: the same in every figure."""

TITLE, HEADING, TEXT, SMALL = 14, 11, 10, 9
"""Font sizes in points."""
LOG_RATIO = 50
"""Ratio of the largest to the smallest value from which a value axis is logarithmic."""


def plain(text: object) -> str:
    """Escape a text from data: dollar signs do not start math text.

    Characters that no font has become code points; matplotlib would draw boxes, with a warning.

    >>> plain("$x$"), plain("a\x01b")
    ('\\\\$x\\\\$', 'a U+0001 b')
    """
    return readable(str(text)).replace("$", r"\$")


def sheet(width: float, height: float, title: str) -> Figure:
    """An empty figure with a title; sizes in inches."""
    engine = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, wspace=0.03)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=engine, facecolor=PAPER)
    figure.suptitle(title, x=0.012, ha="left", fontsize=TITLE, fontweight="bold", color=INK)
    return figure


def panel(
    width: float, height: float, title: str, labels: tuple[str, str, str] | None = None
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes: with heading and labels as in `dress`, or without axis."""
    figure = sheet(width, height, title)
    axes = figure.subplots()
    if labels:
        dress(axes, *labels)
    else:
        axes.set_axis_off()
    return figure, axes


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Set the heading, labels and style of axes."""
    axes.set_title(title, loc="left", fontsize=HEADING, color=INK, pad=8)
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.tick_params(which="both", labelsize=SMALL, colors=INK, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.grid(color=PALE, linewidth=0.7, alpha=0.7)
    axes.set_axisbelow(True)


def note(
    axes: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **look: Any
) -> None:
    """Write a small text beside a point; the offset is in points."""
    look = {"color": INK, "fontsize": SMALL, **look}
    axes.annotate(text, at, xytext=offset, textcoords="offset points", **look)


def colour_bar(axes: Axes, colours: ScalarMappable, label: str, ink: str, **look: Any) -> Colorbar:
    """Add a colour bar with a label beside the axes."""
    assert isinstance(axes.figure, Figure)
    bar = axes.figure.colorbar(colours, ax=axes, pad=0.02, **look)
    bar.set_label(label, fontsize=TEXT, color=ink)
    bar.ax.tick_params(labelsize=SMALL, colors=INK, length=0)
    bar.outline.set_visible(False)
    return bar


def scale(axes: Axes, values: Iterable[float], **ticks: Any) -> None:
    """Set integer x ticks, and a logarithmic y axis for a wide range of finite values."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, **ticks))
    if spans(filter(math.isfinite, values), LOG_RATIO):
        axes.set_yscale("log")


def legend(axes: Axes, place: Any = "best") -> None:
    """Add a legend if any artist has a label."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=place, fontsize=SMALL, labelcolor=INK, framealpha=0.85, edgecolor="none")


def legend_above(axes: Axes) -> None:
    """Add a legend in one line above the axes, right of the heading."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(axes.get_legend_handles_labels()[0]),
        fontsize=SMALL,
        labelcolor=INK,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.2,
        borderpad=0.2,
    )


def spans(values: Iterable[float], times: float) -> bool:
    """Whether all values are positive and the largest is at least `times` the smallest.

    >>> spans([1, 5, 10], 10), spans([0, 10], 10), spans([], 10)
    (True, False, False)
    """
    values = list(values)
    return bool(values) and min(values) > 0 and max(values) >= times * min(values)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG atomically; the same figure gives the same bytes."""
    use_fallbacks(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=figure.dpi, metadata={"Software": None})
    write_atomic(path, picture.getvalue())


def save_all(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write figures as NAME.png into a folder; return their paths."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}.png" for name in figures]
    for figure, path in zip(figures.values(), paths, strict=True):
        save(figure, path)
    return paths
