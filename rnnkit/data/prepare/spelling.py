"""Character ids of words, beside the word ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from rnnkit.data.prepare.ids import PADDING_TOKEN, UNKNOWN, UNKNOWN_TOKEN


def alphabet(items: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The character of each id: padding, unknown, then all characters of the tokens, sorted."""
    characters = set(chain.from_iterable(chain.from_iterable(items)))
    return (PADDING_TOKEN, UNKNOWN_TOKEN, *sorted(characters))


def abridged(token: str, most: int) -> str:
    """Shorten a token to `most` characters by cutting its middle.

    >>> abridged("internationalisation", 8)
    'intetion'
    """
    if len(token) <= most:
        return token
    return token[: most // 2] + token[len(token) - (most - most // 2) :]


def with_letters(
    ids: np.ndarray, items: Iterable[Sequence[str]], letters: Sequence[str], most: int
) -> np.ndarray:
    """[tokens, 1 + most] the id of each token, then those of its characters, post-padded.

    Args:
        ids: [tokens] of all items, concatenated.
        items: their tokens.
        letters: the alphabet.
        most: maximum characters per token.
    """
    id_of = {character: number for number, character in enumerate(letters)}
    spelled = np.zeros((len(ids), 1 + most), dtype=np.int64)
    spelled[:, 0] = ids
    for row, token in enumerate(chain.from_iterable(items)):
        numbers = [id_of.get(character, UNKNOWN) for character in abridged(token, most)]
        spelled[row, 1 : 1 + len(numbers)] = numbers
    return spelled
