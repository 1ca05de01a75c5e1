"""Texts in pieces of bounded size: tokenizers hold hundreds of bytes for every character at once.

A text beyond the size is cut where no token can span: its tokens are those of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

PIECE = 2**18
"""Characters of a piece; the last text may be beyond."""
ANYWHERE = re.compile(r"(?=[\s\S])")
"""Between any characters: of tokens that are characters, as they stand."""
BEFORE_ASCII = re.compile(r"(?=[\x00-\x7f])")
"""Before a character that no Unicode normalization form joins to the one before it."""
BEFORE_WORD = re.compile(r"(?<=\S) (?=\S)")
"""Before a single space: tokens of words and byte pairs may begin with one, but hold no other."""


class Piece(NamedTuple):
    """Texts, or parts of one."""

    texts: list[str]
    is_part: bool
    """Whether the text, the only one, goes on in the next piece."""


def text_pieces(texts: Iterable[str], cuts: re.Pattern[str]) -> Iterator[Piece]:
    """All texts in their order.

    Args:
        texts: of any length.
        cuts: matches where a text may be cut.
    """
    piece: list[str] = []
    size = 0
    for text in texts:
        *parts, last = _parts(text, cuts)
        if parts and piece:
            yield Piece(piece, is_part=False)
            piece, size = [], 0
        for part in parts:
            yield Piece([part], is_part=True)
        piece.append(last)
        size += len(last) + 1
        if size >= PIECE:
            yield Piece(piece, is_part=False)
            piece, size = [], 0
    if piece:
        yield Piece(piece, is_part=False)


def _parts(text: str, cuts: re.Pattern[str]) -> Iterator[str]:
    begin = 0
    while len(text) - begin > PIECE and (cut := cuts.search(text, begin + PIECE)):
        yield text[begin : cut.start()]
        begin = cut.start()
    yield text[begin:]
