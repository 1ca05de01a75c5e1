"""Lay out tagged characters as a page of lines: tabs expanded, missing glyphs replaced."""

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
    """Neighbouring cells of one line with the same tag."""

    line: int
    column: int
    text: str
    tag: str


Line = tuple[Cell, ...]


def lines_of(pieces: Iterable[tuple[Sequence[str], Sequence[str], Sequence[str]]]) -> list[Line]:
    """The lines of consecutive pieces; tabs become spaces, characters without a glyph a box.

    Args:
        pieces: characters, true tags and predicted tags, of equal lengths.
    """
    lines: list[Line] = []
    line: list[Cell] = []
    for tokens, truth, predicted in pieces:
        for token, tag, guess in zip(tokens, truth, predicted, strict=True):
            if token == "\n":
                lines.append(tuple(line))
                line = []
            elif token == "\t":
                line += [Cell(" ", tag, guess)] * (TAB - len(line) % TAB)
            elif token != "\r":
                line.append(Cell(token if _drawable(token) else UNKNOWN, tag, guess))
    return [*lines, tuple(line)] if line else lines


def page_of(lines: list[Line]) -> list[Line]:
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
    return [_cut(line) for line in page]


def runs(page: list[Line], predicted: bool) -> list[Run]:
    """Split each line where the tag changes; white space is left out.

    Args:
        page: the lines.
        predicted: whether to use predicted or true tags.
    """
    same_tag = []
    for number, line in enumerate(page):
        column = 0
        for tag, cells in groupby(line, lambda c: c.predicted if predicted else c.truth):
            text = "".join(cell.character for cell in cells)
            if not text.isspace():
                same_tag.append(Run(number, column, text, tag))
            column += len(text)
    return same_tag


def wrong(page: list[Line]) -> list[Run]:
    """Runs of cells whose predicted tag differs from the true one."""
    errors = []
    for number, line in enumerate(page):
        column = 0
        for right, cells in groupby(line, lambda c: c.truth == c.predicted):
            text = "".join(cell.character for cell in cells)
            if not right:
                errors.append(Run(number, column, text, ""))
            column += len(text)
    return errors


def _cut(line: Line) -> Line:
    if len(line) <= COLUMNS:
        return line
    last = line[COLUMNS - 1]
    return (*line[: COLUMNS - 1], Cell(CUT, last.truth, last.predicted))


def _blank(line: Line) -> bool:
    return all(cell.character == " " for cell in line)


def _entropy(counts: "np.ndarray") -> float:
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(p * np.log(p)).sum())


@functools.cache
def _drawable(token: str) -> bool:
    """Whether a token is one left-to-right character, one column wide, with a glyph."""
    return (
        len(token) == 1
        and (token.isprintable() or token == "\xa0")
        and not unicodedata.combining(token)
        and unicodedata.bidirectional(token) not in ("R", "AL")
        and ord(token) in glyphs(FIXED)
    )
