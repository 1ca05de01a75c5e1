"""Source code coloured by predicted classes, beside the same page coloured by true classes."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnkit.figures.page import COLUMNS, Run, lines_of, page_of, runs, wrong
from rnnkit.figures.style import BLUE, FIXED, GREY, INK, PALE, PAPER, TITLE, drawable

DPI = 200
"""Higher than in other figures, for small text."""
SIZE = 12 / (1233 / 2048) * 72 / DPI
"""Font size in points: a column of 1233/2048 em is exactly 12 pixels, so columns align."""
WIDTH, HEIGHT = 12 / DPI, 26 / DPI
"""Of a column and of a line, in inches."""
PANEL, MARK, SIGN = "#f7f8fa", "#ffc9bd", "#d00000"
"""Background of code; background and underline of a wrong character."""

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
"""Colours of known classes, dark enough for text; other classes use `OTHERS`."""
OTHERS = ("#0072b2", "#b34700", "#00714f", "#a8176b", "#8a6a00", "#6a3fb5", "#0f8f9f", "#7c838b")
BOLD, SLANTED = frozenset({"keyword", "definition"}), frozenset({"comment"})


def coloured_code(
    pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]], labels: Sequence[str]
) -> Figure:
    """A page of code coloured by predicted and by true tags; wrong characters are marked.

    The accuracy in the title is over visible columns, with tabs expanded to spaces.

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
    size = 2 * margin + 2 * width + gap, head + height + foot
    figure = Figure(figsize=size, dpi=DPI, facecolor=PAPER)
    title = f"The network colours {right:.1%} of this page's {len(cells):,} characters right"
    top = 1 - 0.22 / size[1]
    figure.text(
        margin / size[0], top, title, fontsize=TITLE + 1, fontweight="bold", color=INK, va="top"
    )
    for number, heading in enumerate(("By the network", "By the truth")):
        left = margin + number * (width + gap)
        axes = figure.add_axes((left / size[0], foot / size[1], width / size[0], height / size[1]))
        axes.set_xlim(-inner / WIDTH, COLUMNS + inner / WIDTH)
        axes.set_ylim(height / HEIGHT - inner / HEIGHT, -inner / HEIGHT)
        axes.set(xticks=[], yticks=[], facecolor=PANEL)
        axes.spines[:].set_color(PALE)
        axes.set_title(heading, loc="left", fontsize=11, color=INK, pad=6)
        if number == 0:
            _marks(axes, wrong(page))
        for run in runs(page, predicted=number == 0):
            _write(axes, run, colours[run.tag])
    below = figure.add_axes((margin / size[0], 0.2 / size[1], 1, (foot - 0.45) / size[1]))
    below.set(xlim=(0, size[0] / WIDTH), ylim=(legend[-1].line + 1, 0))
    below.set_axis_off()
    for run in legend[:-1]:
        _write(below, Run(run.line, run.column, "■", ""), colours[run.tag])
        _write(below, Run(run.line, run.column + 2, run.text, run.tag), colours[run.tag])
    _marks(below, legend[-1:])
    _write(below, legend[-1], INK)
    return figure


def legend_of(labels: Sequence[str]) -> list[Run]:
    """Positions of the class names below the pages; the last entry explains the mark."""
    entries, line, column = [], 0, 0
    for name, tag in [*((label, label) for label in labels), ("wrong class", "")]:
        if column and column + len(name) + 2 > 2 * COLUMNS:
            line, column = line + 1, 0
        entries.append(Run(line, column, drawable(name, FIXED), tag))
        column += len(name) + 5
    return entries


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """A colour per class: from COLOURS, else the next of OTHERS."""
    unlisted = [label for label in labels if label not in COLOURS]
    extra = {label: OTHERS[k % len(OTHERS)] for k, label in enumerate(unlisted)}
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


def _marks(axes: Axes, wrong_runs: list[Run]) -> None:
    boxes = [Rectangle((r.column, r.line + 0.02), len(r.text), 0.96) for r in wrong_runs]
    under = [
        [(r.column, r.line + 0.95), (r.column + len(r.text), r.line + 0.95)] for r in wrong_runs
    ]
    axes.add_collection(PatchCollection(boxes, facecolor=MARK, edgecolor="none", zorder=1))
    axes.add_collection(LineCollection(under, colors=SIGN, linewidths=1.3, zorder=2))
