"""Source code coloured by predicted classes, beside the same page coloured by true classes."""

import functools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnnkit.figures import style
from rnnkit.figures.fonts import FIXED, fallback, glyphs, readable
from rnnkit.figures.style import BLUE, GREY, INK

LINES, COLUMNS, TAB = 45, 80, 4
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


REST = "\0"
"""What a column holds that belongs to the character before it."""


class Cell(NamedTuple):
    """One column of a line; `begins` tells whether a character begins in it."""

    character: str
    truth: str
    predicted: str
    begins: bool = True


class Run(NamedTuple):
    """Neighbouring cells of one line with the same tag."""

    line: int
    column: int
    text: str
    tag: str


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
    cells = [cell for line in page for cell in line if cell.begins]
    right = sum(cell.truth == cell.predicted for cell in cells) / max(len(cells), 1)
    unlisted = [label for label in labels if label not in COLOURS]
    extra = {label: OTHERS[k % len(OTHERS)] for k, label in enumerate(unlisted)}
    colours = COLOURS | extra
    margin, gap, head, inner = 0.3, 0.3, 0.85, 0.16
    legend = legend_of(labels)
    foot = 0.45 + (legend[-1].line + 1) * HEIGHT
    width, height = COLUMNS * WIDTH + 2 * inner, max(len(page), 3) * HEIGHT + 2 * inner
    size = 2 * margin + 2 * width + gap, head + height + foot
    figure = Figure(figsize=size, dpi=DPI, facecolor=style.PAPER)
    title = f"The network colours {right:.1%} of this page's {len(cells):,} characters right"
    bold: dict[str, Any] = {
        "fontsize": style.TITLE + 1,
        "fontweight": "bold",
        "color": INK,
        "va": "top",
    }
    figure.text(margin / size[0], 1 - 0.22 / size[1], title, **bold)
    sides: dict[str, Callable[[Cell], str]] = {
        "By the network": lambda cell: cell.predicted,
        "By the truth": lambda cell: cell.truth,
    }
    for number, (heading, tag) in enumerate(sides.items()):
        left = margin + number * (width + gap)
        axes = figure.add_axes((left / size[0], foot / size[1], width / size[0], height / size[1]))
        axes.set_xlim(-inner / WIDTH, COLUMNS + inner / WIDTH)
        axes.set_ylim(height / HEIGHT - inner / HEIGHT, -inner / HEIGHT)
        axes.set(xticks=[], yticks=[], facecolor=PANEL)
        axes.spines[:].set_color(style.PALE)
        axes.set_title(heading, loc="left", fontsize=11, color=INK, pad=6)
        if number == 0:
            verdicts = runs(page, lambda cell: "" if cell.truth == cell.predicted else "wrong")
            _marks(axes, [run for run in verdicts if run.tag])
        for run in runs(page, tag):
            if not run.text.isspace():
                _write(axes, run, colours[run.tag])
    below = figure.add_axes((margin / size[0], 0.2 / size[1], 1, (foot - 0.45) / size[1]))
    below.set(xlim=(0, size[0] / WIDTH), ylim=(legend[-1].line + 1, 0))
    below.set_axis_off()
    for run in legend[:-1]:
        _write(below, run._replace(text="■", tag=""), colours[run.tag])
        _write(below, run._replace(column=run.column + 2), colours[run.tag])
    _marks(below, legend[-1:])
    _write(below, legend[-1], INK)
    return figure


def legend_of(labels: Sequence[str]) -> list[Run]:
    """Positions of the class names below the pages; the last entry explains the mark."""
    entries, line, column = [], 0, 0
    for name, tag in [*((label, label) for label in labels), ("wrong class", "")]:
        shown = readable(name, FIXED)
        columns = sum(map(_columns, shown))
        if column and column + columns + 2 > 2 * COLUMNS:
            line, column = line + 1, 0
        entries.append(Run(line, column, shown, tag))
        column += columns + 5
    return entries


def lines_of(
    pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]],
) -> list[list[Cell]]:
    """The lines of consecutive pieces; tabs become spaces, characters without a glyph code points.

    Args:
        pieces: characters, true tags and predicted tags, of equal lengths.
    """
    lines: list[list[Cell]] = [[]]
    for piece in pieces:
        for token, truth, predicted in zip(*piece, strict=True):
            if token == "\n":
                lines.append([])
            elif token == "\t":
                lines[-1] += [Cell(" ", truth, predicted)] * (TAB - len(lines[-1]) % TAB)
            elif token != "\r":
                for place, character in enumerate(_shown(token)):
                    lines[-1].append(Cell(character, truth, predicted, place == 0))
    return lines if lines[-1] else lines[:-1]


def page_of(lines: list[list[Cell]]) -> list[list[Cell]]:
    """The lines to draw: the page with the largest entropy of visible tags.

    A page begins after an empty line if possible.
    """
    tags = sorted({cell.truth for line in lines for cell in line})
    counts = np.zeros((len(lines) + 1, len(tags)))
    for number, line in enumerate(lines, start=1):
        visible = Counter(c.truth for c in line[:COLUMNS] if c.character != " ")
        counts[number] = [visible[tag] for tag in tags]
    counts = counts.cumsum(axis=0)
    fitting = range(max(1, len(lines) - LINES + 1))
    starts = [s for s in fitting if s == 0 or (not _blank(lines[s]) and _blank(lines[s - 1]))]
    start = max(starts, key=lambda s: _entropy(counts[min(s + LINES, len(lines))] - counts[s]))
    page = lines[start : start + LINES]
    while page and _blank(page[-1]):
        page.pop()
    for line in page:
        if len(line) > COLUMNS:
            line[COLUMNS - 1 :] = [line[COLUMNS - 1]._replace(character="…")]
    return page


def runs(page: list[list[Cell]], tag: Callable[[Cell], str]) -> list[Run]:
    """Split each line where the tag of its cells changes."""
    same_tag = []
    for number, line in enumerate(page):
        column = 0
        for name, cells in groupby(line, tag):
            text = "".join(cell.character for cell in cells)
            same_tag.append(Run(number, column, text, name))
            column += len(text)
    return same_tag


def _blank(line: list[Cell]) -> bool:
    return all(cell.character == " " for cell in line)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(p * np.log(p)).sum())


@functools.cache
def _shown(token: str) -> str:
    """What is drawn of a token, a character per column: itself, or its code points in brackets."""
    if len(token) == 1 and _drawable(token):
        return token + REST * (_columns(token) - 1)
    return f"[{' '.join(f'{ord(character):04X}' for character in token)}]"


def _drawable(character: str) -> bool:
    """Whether a character stands alone, from left to right, and has a glyph."""
    return (
        (character.isprintable() or character == "\xa0")
        and not unicodedata.combining(character)
        and unicodedata.bidirectional(character) not in ("R", "AL")
        and (ord(character) in glyphs(FIXED) or fallback(character) is not None)
    )


@functools.cache
def _columns(character: str) -> int:
    """Columns of a character; those of other fonts are wider."""
    return 1 if ord(character) in glyphs(FIXED) else 2


def _write(axes: Axes, run: Run, colour: str) -> None:
    """Draw a run; characters of other fonts by themselves, because their widths differ."""
    look: dict[str, Any] = {"fontsize": SIZE, "fontfamily": FIXED, "parse_math": False}
    look["fontweight"] = "bold" if run.tag in BOLD else "normal"
    look["fontstyle"] = "italic" if run.tag in SLANTED else "normal"
    column = run.column
    for width, characters in groupby(run.text.replace(REST, ""), _columns):
        text = "".join(characters)
        for part in [text] if width == 1 else text:
            axes.text(column, run.line + 0.74, part, color=colour, va="baseline", **look)
            column += width * len(part)


def _marks(axes: Axes, wrong: list[Run]) -> None:
    boxes = [Rectangle((r.column, r.line + 0.02), len(r.text), 0.96) for r in wrong]
    under = [[(r.column, r.line + 0.95), (r.column + len(r.text), r.line + 0.95)] for r in wrong]
    axes.add_collection(PatchCollection(boxes, facecolor=MARK, edgecolor="none", zorder=1))
    axes.add_collection(LineCollection(under, colors=SIGN, linewidths=1.3, zorder=2))
