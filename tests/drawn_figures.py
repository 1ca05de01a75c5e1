"""What a drawn figure says: its title, headings, legend and marks."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rnnkit.figures.style import RED

Saver = Callable[[Figure], Figure]


def title_of(figure: Figure) -> str:
    return str(figure.get_suptitle())


def headings(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def told(axes: Axes) -> list[str]:
    """The texts of the legend."""
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def stars(axes: Axes) -> list[tuple[float, float]]:
    """Where the best is marked: the only points in the best's colour."""
    return [
        tuple(offset)
        for points in axes.collections
        if len(points.get_facecolor()) and to_hex(points.get_facecolor()[0]) == RED
        for offset in np.asarray(points.get_offsets())
    ]
