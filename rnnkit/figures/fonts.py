"""Fonts of figures: matplotlib's own, then the machine's for characters that it lacks; where no
font has a character, its code point is drawn.

matplotlib does not shape text, so scripts that need it (Arabic, Devanagari) are legible at best.
"""

import functools
import logging
from itertools import groupby
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from rnnkit.errors import HIDDEN

FONT, FIXED = "DejaVu Sans", "DejaVu Sans Mono"
"""Shipped with matplotlib, so figures look the same on every machine."""
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # remarks on absent weights
MAX_CODES = 4
"""Code points drawn of neighbouring characters without a glyph."""


def readable(text: str, font: str = FONT) -> str:
    """The text with code points for characters without a glyph in this and all installed fonts.

    >>> readable("a\x01b"), readable("é")
    ('a U+0001 b', 'é')
    """
    pieces = []
    for is_drawn, run in groupby(text, lambda character: has_glyph(character, font)):
        characters = "".join(run)
        if is_drawn:
            pieces.append(characters)
            continue
        codes = [f"U+{ord(character):04X}" for character in characters[:MAX_CODES]]
        pieces.append(" ".join([*codes, *(["…"] if len(characters) > MAX_CODES else [])]))
    return text if len(pieces) == 1 and pieces[0] == text else " ".join(map(str.strip, pieces))


def has_glyph(character: str, font: str = FONT) -> bool:
    """Whether the font or another one has a glyph for a character that can be seen."""
    if HIDDEN.match(character):
        return False
    return ord(character) in glyphs(font) or fallback(character) is not None


@functools.cache
def glyphs(font: str) -> frozenset[int]:
    """The code points of a font."""
    return frozenset(FT2Font(font_manager.findfont(font)).get_charmap())


@functools.cache
def fallback(character: str) -> str | None:
    """The first installed font, by name, with a character that can be seen; None: there is none."""
    if not character.isprintable():
        return None
    return next((font for font in (FONT, *installed()) if ord(character) in glyphs(font)), None)


@functools.cache
def installed() -> tuple[str, ...]:
    """Names of the machine's scalable fonts, also of those installed after matplotlib's list was
    written; without those that matplotlib ships, whose further ones are for mathematics."""
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            manager.addfont(path)
        except (OSError, RuntimeError):  # no font that matplotlib can read
            continue
    shipped = Path(matplotlib.get_data_path())
    names = {
        entry.name for entry in manager.ttflist if not Path(entry.fname).is_relative_to(shipped)
    }
    return tuple(sorted(filter(_scalable, names)))


def _scalable(font: str) -> bool:
    """Whether a font has outlines; those of pictures, as of emoji, cannot be drawn in any size."""
    try:
        return bool(FT2Font(font_manager.findfont(font, fallback_to_default=False)).scalable)
    except (OSError, RuntimeError, ValueError):
        return False


def use_fallbacks(figure: Figure) -> None:
    """Give each text of a figure the fonts of the characters that its own font lacks."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        family = [*text.get_fontfamily()]
        own = glyphs(FIXED if FIXED in family else FONT)
        missing = dict.fromkeys(c for c in text.get_text() if ord(c) not in own)
        fonts = dict.fromkeys(filter(None, map(fallback, missing)))
        if fonts:
            text.set_fontfamily([*family, *fonts])
