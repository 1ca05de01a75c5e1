"""Source code coloured by a network, beside the same page coloured by the truth."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnkit.figures.page import COLUMNS, Run, lines_of, page_of, runs, wrong
from rnnkit.figures.style import BLUE, FIXED, GREY, INK, PALE, PAPER, TITLE, drawable

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
    "definition": "#a8176b",
    "builtin": "#6a3fb5",
    "name": INK,
    "operator": "#8a6a00",
    "string": "#00714f",
    "number": "#c24e00",
    "comment": GREY,
    "space": "#a4abb3",
}
"""Colours of the usual classes, dark enough to read as text; others take from `OTHERS`."""
OTHERS = ("#0072b2", "#b34700", "#00714f", "#a8176b", "#8a6a00", "#6a3fb5", "#0f8f9f", "#7c838b")
BOLD, SLANTED = frozenset({"keyword", "definition"}), frozenset({"comment"})


def coloured_code(
    pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]], labels: Sequence[str]
) -> Figure:
    """A page of code as the network colours it, wrong characters marked, beside the truth.

    The title's share counts each column that shows: a tab as the spaces that it becomes.

    Args:
        pieces: characters, true tags and predicted tags of consecutive pieces of text.
        labels: all classes, in the order of the legend.
    """
    page = page_of(lines_of(pieces))
    cells = [cell for line in page for cell in line]
    right = sum(cell.truth == cell.predicted for cell in cells) / max(len(cells), 1)
    colours = colours_of(labels)
    margin, gap, head, inner = 0.3, 0.3, 0.85, 0.16
    legend = legend_of(labels)
    foot = 0.45 + (legend[-1].line + 1) * HEIGHT
    width, height = COLUMNS * WIDTH + 2 * inner, max(len(page), 3) * HEIGHT + 2 * inner
    full = 2 * margin + 2 * width + gap, head + height + foot
    figure = Figure(figsize=full, dpi=DPI, facecolor=PAPER)
    title = f"The network colours {right:.1%} of this page's {len(cells):,} characters right"
    top = 1 - 0.22 / full[1]
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
    below = figure.add_axes((margin / full[0], 0.2 / full[1], 1, (foot - 0.45) / full[1]))
    below.set(xlim=(0, full[0] / WIDTH), ylim=(legend[-1].line + 1, 0))
    below.set_axis_off()
    for run in legend[:-1]:
        _write(below, Run(run.line, run.column, "■", ""), colours[run.tag])
        _write(below, Run(run.line, run.column + 2, run.text, run.tag), colours[run.tag])
    _marks(below, legend[-1:])
    _write(below, legend[-1], INK)
    return figure


def legend_of(labels: Sequence[str]) -> list[Run]:
    """Where each class's name stands below the pages; the last one tells the mark."""
    found, line, column = [], 0, 0
    for name, tag in [*((label, label) for label in labels), ("wrong class", "")]:
        if column and column + len(name) + 2 > 2 * COLUMNS:
            line, column = line + 1, 0
        found.append(Run(line, column, drawable(name, FIXED), tag))
        column += len(name) + 5
    return found


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
        fontfamily=FIXED,
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
