"""Tagged characters as a page of lines: cut out of a text, expanded, and free of odd glyphs."""

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from rnnkit.figures.style import FIXED, UNKNOWN, glyphs

LINES, COLUMNS, TAB = 45, 80, 4
CUT = "…"


@dataclass(frozen=True)
class Cell:
    """One column of a line."""

    character: str
    truth: str
    predicted: str


@dataclass(frozen=True)
class Run:
    """Neighbouring cells of one line that look the same."""

    line: int
    column: int
    text: str
    tag: str


Line = tuple[Cell, ...]


def lines_of(pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]]) -> list[Line]:
    """The lines of consecutive pieces; a tab becomes spaces, what the font lacks a box.

    Args:
        pieces: characters, true tags and predicted tags, of equal lengths.
    """
    lines: list[Line] = []
    line: list[Cell] = []
    for tokens, truth, predicted in pieces:
        for token, right, guess in zip(tokens, truth, predicted, strict=True):
            if token == "\n":
                lines.append(tuple(line))
                line = []
            elif token == "\t":
                line += [Cell(" ", right, guess)] * (TAB - len(line) % TAB)
            elif token != "\r":
                line.append(Cell(token if _drawable(token) else UNKNOWN, right, guess))
    return [*lines, tuple(line)] if line else lines


def page_of(lines: list[Line]) -> list[Line]:
    """The lines to show: those where the most classes show, by the entropy of visible tags.

    A page begins behind an empty line where it can, as a reader would begin.
    """
    tags = sorted({cell.truth for line in lines for cell in line})
    counts = np.zeros((len(lines) + 1, len(tags)))
    for number, line in enumerate(lines, start=1):
        seen = Counter(c.truth for c in line[:COLUMNS] if c.character != " ")
        counts[number] = [seen[tag] for tag in tags]
    counts = counts.cumsum(axis=0)
    fitting = range(max(1, len(lines) - LINES + 1))
    starts = [s for s in fitting if s == 0 or (not _blank(lines[s]) and _blank(lines[s - 1]))]
    start = max(starts, key=lambda s: _entropy(counts[min(s + LINES, len(lines))] - counts[s]))
    page = lines[start : start + LINES]
    while page and _blank(page[-1]):
        page.pop()
    return [_cut(line) for line in page]


def runs(page: list[Line], predicted: bool) -> list[Run]:
    """What to draw: each line cut where the tag changes; blanks are left out.

    Args:
        page: the lines.
        predicted: by predicted tags, or by true ones.
    """
    found = []
    for number, line in enumerate(page):
        column = 0
        for tag, cells in groupby(line, lambda c: c.predicted if predicted else c.truth):
            text = "".join(cell.character for cell in cells)
            if not text.isspace():
                found.append(Run(number, column, text, tag))
            column += len(text)
    return found


def wrong(page: list[Line]) -> list[Run]:
    """Stretches of cells whose predicted tag is not the true one."""
    found = []
    for number, line in enumerate(page):
        column = 0
        for right, cells in groupby(line, lambda c: c.truth == c.predicted):
            text = "".join(cell.character for cell in cells)
            if not right:
                found.append(Run(number, column, text, ""))
            column += len(text)
    return found


def _cut(line: Line) -> Line:
    if len(line) <= COLUMNS:
        return line
    last = line[COLUMNS - 1]
    return (*line[: COLUMNS - 1], Cell(CUT, last.truth, last.predicted))


def _blank(line: Line) -> bool:
    return all(cell.character == " " for cell in line)


def _entropy(counts: "np.ndarray") -> float:
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log(shares)).sum())


@functools.cache
def _drawable(token: str) -> bool:
    """One character, one column wide, left to right, that the font has."""
    return (
        len(token) == 1
        and (token.isprintable() or token == "\xa0")
        and not unicodedata.combining(token)
        and unicodedata.bidirectional(token) not in ("R", "AL")
        and ord(token) in glyphs(FIXED)
    )
