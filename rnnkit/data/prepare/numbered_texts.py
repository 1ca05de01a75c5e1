"""Texts by number, of which there may be millions and few different ones."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

import numpy as np


class NumberedTexts(Mapping[int, str]):
    """Number -> text, in twelve bytes each beside the different texts; a dict takes 200.

    >>> texts = NumberedTexts([(3, "b"), (7, "a"), (9, "b")])
    >>> texts[9], texts.get(4), dict(texts)
    ('b', None, {3: 'b', 7: 'a', 9: 'b'})

    Args:
        pairs: (number, text), the numbers ascending.
    """

    def __init__(self, pairs: Iterable[tuple[int, str]]) -> None:
        numbers, kinds = array("q"), array("i")
        kind_of: dict[str, int] = {}
        for number, text in pairs:
            numbers.append(number)
            kinds.append(kind_of.setdefault(text, len(kind_of)))
        self._numbers, self._kinds, self._texts = numbers, kinds, tuple(kind_of)

    def __getitem__(self, number: int) -> str:
        place = int(np.searchsorted(np.frombuffer(self._numbers, np.int64), number))
        if place == len(self._numbers) or self._numbers[place] != number:
            raise KeyError(number)
        return self._texts[self._kinds[place]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def pairs(self) -> Iterator[tuple[int, str]]:
        """As `items`, without a search for each."""
        texts = (self._texts[kind] for kind in self._kinds)
        return zip(self._numbers, texts, strict=True)
