"""Source code coloured by a network, beside the same page coloured by the truth."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnkit.figures.page import COLUMNS, FONT, Line, Run, lines_of, page_of, runs, wrong
from rnnkit.figures.style import BLUE, GREY, INK, PALE, PAPER, TITLE

DPI = 200
"""Sharper than other figures: it is read as text."""
SIZE = 12 / (1233 / 2048) * 72 / DPI
"""Font size in points: a column, 1233/2048 em wide, is 12 whole pixels, so no text drifts."""
WIDTH, HEIGHT = 12 / DPI, 26 / DPI
"""A column and a line, in inches."""
PANEL, MARK, SIGN = "#f7f8fa", "#ffc9bd", "#d00000"
"""Behind code; behind a wrong character; under it."""

COLOURS = {
    "keyword": BLUE,
    "definition": "#8a2a6b",
    "builtin": "#0f8f9f",
    "name": INK,
    "operator": "#8a6a00",
    "string": "#00714f",
    "number": "#c24e00",
    "comment": GREY,
    "space": PALE,
}
"""Colours of the usual classes, dark enough to read as text; others take from `OTHERS`."""
OTHERS = ("#0072b2", "#b34700", "#00714f", "#8a2a6b", "#8a6a00", "#0f8f9f", "#4b3fae", "#7c838b")
BOLD, SLANTED = frozenset({"keyword", "definition"}), frozenset({"comment"})


def coloured_code(
    pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]], labels: Sequence[str]
) -> Figure:
    """A page of code as the network colours it, wrong characters marked, beside the truth.

    Args:
        pieces: characters, true tags and predicted tags of consecutive pieces of text.
        labels: all classes, in the order of the legend.
    """
    page = page_of(lines_of(pieces))
    cells = [cell for line in page for cell in line]
    right = sum(cell.truth == cell.predicted for cell in cells) / max(len(cells), 1)
    colours = colours_of(labels)
    margin, gap, head, foot, inner = 0.3, 0.3, 1.0, 0.6, 0.16
    width, height = COLUMNS * WIDTH + 2 * inner, max(len(page), 3) * HEIGHT + 2 * inner
    full = 2 * margin + 2 * width + gap, head + height + foot
    figure = Figure(figsize=full, dpi=DPI, facecolor=PAPER)
    title = f"The network colours {right:.1%} of this page's {len(cells):,} characters right"
    top = 1 - 0.3 / full[1]
    figure.text(
        margin / full[0], top, title, fontsize=TITLE + 1, fontweight="bold", color=INK, va="top"
    )
    for number, heading in enumerate(("By the network", "By the truth")):
        left = margin + number * (width + gap)
        axes = figure.add_axes((left / full[0], foot / full[1], width / full[0], height / full[1]))
        axes.set_xlim(-inner / WIDTH, COLUMNS + inner / WIDTH)
        axes.set_ylim(height / HEIGHT - inner / HEIGHT, -inner / HEIGHT)
        axes.set(xticks=[], yticks=[], facecolor=PANEL)
        axes.spines[:].set_color(PALE)
        axes.set_title(heading, loc="left", fontsize=11, color=INK, pad=6)
        if number == 0:
            _marks(axes, wrong(page))
        for run in runs(page, predicted=number == 0):
            _write(axes, run, colours[run.tag])
    _legend(figure, page, labels, colours, margin / full[0], 0.3 / full[1])
    return figure


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each class: its own, or the next of the others."""
    strangers = [label for label in labels if label not in COLOURS]
    extra = {label: OTHERS[k % len(OTHERS)] for k, label in enumerate(strangers)}
    return {label: COLOURS.get(label) or extra[label] for label in labels}


def _write(axes: Axes, run: Run, colour: str) -> None:
    axes.text(
        run.column,
        run.line + 0.74,
        run.text,
        fontsize=SIZE,
        fontfamily=FONT,
        fontweight="bold" if run.tag in BOLD else "normal",
        fontstyle="italic" if run.tag in SLANTED else "normal",
        color=colour,
        va="baseline",
        parse_math=False,
    )


def _marks(axes: Axes, stretches: list[Run]) -> None:
    boxes = [Rectangle((r.column, r.line + 0.02), len(r.text), 0.96) for r in stretches]
    under = [
        [(r.column, r.line + 0.95), (r.column + len(r.text), r.line + 0.95)] for r in stretches
    ]
    axes.add_collection(PatchCollection(boxes, facecolor=MARK, edgecolor="none", zorder=1))
    axes.add_collection(LineCollection(under, colors=SIGN, linewidths=1.3, zorder=2))


def _legend(
    figure: Figure,
    page: list[Line],
    labels: Sequence[str],
    colours: dict[str, str],
    left: float,
    bottom: float,
) -> None:
    """The names of the classes on the page, each written as the class is, and the mark."""
    seen = {tag for line in page for cell in line for tag in (cell.truth, cell.predicted)}
    x = left
    for label in [label for label in labels if label in seen and label.strip()]:
        figure.text(
            x,
            bottom,
            label,
            fontsize=10,
            fontweight="bold" if label in BOLD else "normal",
            fontstyle="italic" if label in SLANTED else "normal",
            color=colours[label],
            va="center",
        )
        x += (len(label) + 2) * 0.085 / figure.get_figwidth()
    figure.text(
        x,
        bottom,
        "wrong",
        fontsize=10,
        color=SIGN,
        va="center",
        bbox={"facecolor": MARK, "edgecolor": "none", "pad": 2},
    )
