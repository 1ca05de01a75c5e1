"""Items of a plain text file, one after the other, and the column that holds them.

Texts beyond `scratch.IN_MEMORY` bytes lie in a mapped file: the column is an Arrow array over it,
and pandas copies only the rows that are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rnnkit.runtime import scratch

if TYPE_CHECKING:
    import pandas as pd

BLANK = re.compile(r"[ \t]*")
PIECE_TEXTS, PIECE_CHARACTERS = 2**16, 2**23
"""Texts, and their characters, that are held as Python's texts."""


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined to paragraphs, between which blank lines stand. The first and the last line
    belong to a paragraph, whatever is in them.

    >>> list(paragraphs(["a", "b", "", " ", "c"]))
    ['a\\nb', 'c']
    """
    paragraph: list[str] = []
    last: str | None = None  # not yet known whether it is the last line
    for number, line in enumerate(lines):
        if last is not None:
            if number > 1 and BLANK.fullmatch(last):
                if paragraph:
                    yield "\n".join(paragraph)
                paragraph = []
            else:
                paragraph.append(last)
        last = line
    if last is not None:
        paragraph.append(last)
    yield "\n".join(paragraph)


def text_column(texts: Iterable[str]) -> pd.Series:
    """A column of texts, which are valid Unicode."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    content, ends, end = scratch.Scratch(), scratch.ScratchArray(np.int64), 0
    ends.append(np.zeros(1, np.int64))
    count = 0
    for piece in _pieces(texts):
        array = pa.array(piece, type=pa.large_string())
        _, offsets, characters = array.buffers()
        starts = np.frombuffer(offsets, np.int64, len(piece) + 1)
        ends.append(starts[1:] + end)
        content.append(characters.to_pybytes()[: starts[-1]])
        end, count = end + int(starts[-1]), count + len(piece)
    buffers = [None, pa.py_buffer(ends.array()), pa.py_buffer(content.buffer())]
    whole = pa.Array.from_buffers(pa.large_string(), count, buffers)
    kind = pd.StringDtype(na_value=np.nan)
    column: pd.Series = whole.to_pandas(types_mapper={pa.large_string(): kind}.get)
    return column


def _pieces(texts: Iterable[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    characters = 0
    for text in texts:
        piece.append(text)
        characters += len(text)
        if len(piece) >= PIECE_TEXTS or characters >= PIECE_CHARACTERS:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece
