"""The letters of words, as ids beside the ids of the words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from rnnkit.data.prepare.ids import PADDING_TOKEN, UNKNOWN, UNKNOWN_TOKEN


def alphabet(items: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The letter of each id: padding, unknown, then all letters of the tokens, sorted."""
    letters = set(chain.from_iterable(chain.from_iterable(items)))
    return (PADDING_TOKEN, UNKNOWN_TOKEN, *sorted(letters))


def abridged(token: str, most: int) -> str:
    """A token without the middle of what is too long.

    >>> abridged("internationalisation", 8)
    'intetion'
    """
    if len(token) <= most:
        return token
    return token[: most // 2] + token[len(token) - (most - most // 2) :]


def with_letters(
    ids: np.ndarray, items: Iterable[Sequence[str]], letters: Sequence[str], most: int
) -> np.ndarray:
    """[tokens, 1 + most] each token's id and its letters', which are padded behind.

    Args:
        ids: [tokens] of all items, one after the other.
        items: their tokens, as they are written.
        letters: the alphabet.
        most: letters per token.
    """
    known = {letter: number for number, letter in enumerate(letters)}
    spelled = np.zeros((len(ids), 1 + most), dtype=np.int64)
    spelled[:, 0] = ids
    for row, token in enumerate(chain.from_iterable(items)):
        numbers = [known.get(letter, UNKNOWN) for letter in abridged(token, most)]
        spelled[row, 1 : 1 + len(numbers)] = numbers
    return spelled
