"""Token inputs: texts, lists of tokens, categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from rnnkit.data.inputs.interface import Inputs
from rnnkit.data.prepare.column_items import items_of
from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.flat_steps import numbers_of, places_of
from rnnkit.data.prepare.ids import END_TOKEN, PADDING_TOKEN, UNKNOWN, UNKNOWN_TOKEN
from rnnkit.data.prepare.numbered_texts import NumberedTexts
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer, fit, fit_tokens, in_form
from rnnkit.data.sources.jsonl import fault
from rnnkit.errors import InputError
from rnnkit.params.data import Characters, Data, Normalization, Words
from rnnkit.params.source import Source


def refuse_no_text(value: Any, where: str) -> str:
    """Return a text unchanged.

    Raises:
        InputError: not a text, or not valid Unicode.
    """
    if not isinstance(value, str):
        raise InputError(f"{where}: must be a text, got {str(value)[:40]}")
    if reason := fault(value):
        raise InputError(f"{where}: {reason}")
    return value


@dataclass(frozen=True, eq=False)
class TokenInputs(Inputs):
    """Base of token inputs."""

    scaler = None
    tokenizer: FittedTokenizer

    def one(self, value: Any, where: str) -> Any:
        """A step without the blanks around a word.

        Raises:
            InputError: several characters where tokens are characters, or no word.
        """
        if not isinstance(value, str):
            return value
        if self.tokenizer.of_characters and len(value) > 1:
            raise InputError(f"{where}: a step must be one character, got {value[:40]!r}")
        if self.tokenizer.of_words and not (value := value.strip(" \t")):
            raise InputError(f"{where}: a step must be a token, and it is blank; leave it out")
        return value

    def token(self, value: Any, where: str) -> np.ndarray:
        """[1] the id of one token.

        Raises:
            InputError: not a text, or several characters.
        """
        text = refuse_no_text(self.one(value, where), where)
        return self.tokenizer.encode_tokens([[text]])[0]

    def originals(
        self, items: Iterable[Any], flat: np.ndarray, first: int = 0
    ) -> Mapping[int, str]:
        ids = numbers_of(flat if flat.ndim == 1 else flat[:, 0])  # without their characters

        def changed() -> Iterator[tuple[int, str]]:
            tokens = zip(ids, self.written(items), strict=True)
            for step, (token, written) in enumerate(tokens, start=first):
                piece = self.tokenizer.piece(token)
                if written != piece and (token == UNKNOWN or written.lower() == piece):
                    yield step, written

        return NumberedTexts(changed())

    def written(self, items: Iterable[Any]) -> Iterable[str]:
        """The tokens of all items, one after the other, as the items have them."""
        return chain.from_iterable(items)

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        return cls(stored.tokenizer)


class Texts(TokenInputs):
    """Items are texts."""

    column: ClassVar[str] = "text"
    is_text: ClassVar[bool] = True
    step_is_text: ClassVar[bool] = True
    ends: ClassVar[bool] = False
    """Whether the vocabulary has an end token."""

    def item(self, value: Any, where: str) -> str:
        return refuse_no_text(value, where)

    def encode(self, items: Sequence[str]) -> Flat:
        return self.tokenizer.encode(items)

    def encode_rows(self, column: pd.Series, rows: np.ndarray) -> Flat:
        return self.tokenizer.encode(items_of(column, rows))

    def originals(
        self, items: Iterable[Any], flat: np.ndarray, first: int = 0
    ) -> Mapping[int, str]:
        of_characters = self.tokenizer.of_characters
        if not (self.tokenizer.of_words or of_characters):
            return {}
        if self.tokenizer.model.normalizer is not None:
            return super().originals(items, flat, first)
        # The text's own tokens: only unknown ones differ
        places = places_of(UNKNOWN, flat)
        if not len(places):
            return {}
        if of_characters:
            pairs = unknown_characters(items, places, self.ends)
            return NumberedTexts((first + step, character) for step, character in pairs)
        return super().originals(items, flat, first)

    def written(self, items: Iterable[str]) -> Iterable[str]:
        return self.tokenizer.written(items, END_TOKEN if self.ends else None)

    def step(self, value: Any, where: str) -> Any:
        return value

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Self, pd.DataFrame]:
        texts = items_of(frame[cls.column], rows["train"])
        return cls(fit(data.tokenizer, texts, end=cls.ends)), frame


class EndedTexts(Texts):
    """Texts with an end token, which `originals` expects after the tokens of each."""

    ends: ClassVar[bool] = True


class SourceTexts(Texts):
    """Source texts of pairs."""

    column: ClassVar[str] = "source"


def unknown_characters(
    texts: Iterable[str], places: np.ndarray, ended: bool
) -> Iterator[tuple[int, str]]:
    """(place, character) of the texts, concatenated.

    Args:
        texts: in their order.
        places: ascending.
        ended: whether an end token stands after each text.
    """
    left, begin = iter(places.tolist()), 0
    place = next(left, None)
    for text in texts:
        while place is not None and place < begin + len(text):
            yield place, text[place - begin]
            place = next(left, None)
        begin += len(text) + ended


@dataclass(frozen=True, eq=False)
class TokenLists(TokenInputs):
    """Items are lists of tokens.

    Args:
        spelled: characters per word, for words with spelling.
        form: Unicode normalization form of the characters.
    """

    column: ClassVar[str] = "tokens"
    is_text: ClassVar[bool] = True
    step_is_text: ClassVar[bool] = True

    characters: tuple[str, ...] | None = None
    spelled: int | None = None
    form: Normalization = None

    def item(self, value: Any, where: str) -> list[str]:
        value = self.of_line(value) if isinstance(value, str) else value
        if not isinstance(value, list | tuple) or not all(isinstance(t, str) for t in value):
            raise InputError(f"{where}: must be a list of tokens, got {str(value)[:40]}")
        return [refuse_no_text(token, where) for token in value]

    def shown(self, value: Any) -> dict[str, Any]:
        return {"tokens": self.item(value, "")}

    def shown_step(self, value: Any, where: str) -> dict[str, Any]:
        return self.shown(self.step(value, where))

    def encode(self, items: Sequence[Sequence[str]]) -> Flat:
        ids, lengths = self.tokenizer.encode_tokens(items)
        if self.characters is not None and self.spelled is not None:
            words = in_forms(self.form, items)
            ids = with_characters(ids, words, self.characters, self.spelled)
        return ids, lengths

    def step(self, value: Any, where: str) -> list[Any]:
        return [self.one(value, where)]

    def of_line(self, line: str) -> list[str]:
        """Characters, or what runs of blanks and tabs separate, as the columns of CoNLL are."""
        if self.tokenizer.of_characters:
            return list(line)
        return [token for token in re.split(r"[ \t]+", line) if token]

    def of_json(self, value: Any, where: str, source: Source) -> Any:
        value = super().of_json(value, where, source)
        return self.of_line(value) if isinstance(value, str) else value

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "letters": self.characters}

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[TokenLists, pd.DataFrame]:
        if isinstance(data.tokenizer, Characters):
            refuse_long_tokens(frame[cls.column].tolist())
        train = frame[cls.column].iloc[rows["train"]].tolist()
        spelled: int | None = getattr(data.tokenizer, "spelling", None)
        form = data.tokenizer.normalization
        characters = None if spelled is None else alphabet(in_forms(form, train))
        return cls(fit_tokens(data.tokenizer, train), characters, spelled, form), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        spelled: int | None = getattr(data.tokenizer, "spelling", None)
        return cls(stored.tokenizer, stored.characters, spelled, data.tokenizer.normalization)


def in_forms(form: Normalization, items: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """The tokens of each item in a Unicode normalization form."""
    return ([in_form(form, token) for token in tokens] for tokens in items)


def refuse_long_tokens(items: Sequence[Sequence[str]]) -> None:
    """Raise InputError for a token of several characters."""
    for row, tokens in enumerate(items):
        for token in tokens:
            if len(token) != 1:
                raise InputError(
                    f"data.tokenizer: characters need tokens of one character, but row {row + 1} "
                    f"has {token[:40]!r}; use `tokenizer: {{kind: words}}`"
                )


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


def with_characters(
    ids: np.ndarray, items: Iterable[Sequence[str]], characters: Sequence[str], most: int
) -> np.ndarray:
    """[tokens, 1 + most] the id of each token, then those of its characters, post-padded.

    Args:
        ids: [tokens] of all items, concatenated.
        items: their tokens.
        characters: the alphabet.
        most: maximum characters per token.
    """
    id_of = {character: number for number, character in enumerate(characters)}
    spelled = np.zeros((len(ids), 1 + most), dtype=np.int64)
    spelled[:, 0] = ids
    for row, token in enumerate(chain.from_iterable(items)):
        numbers = [id_of.get(character, UNKNOWN) for character in abridged(token, most)]
        spelled[row, 1 : 1 + len(numbers)] = numbers
    return spelled


class Symbols(TokenLists):
    """Symbols of a memory problem; a line is a JSON list of them."""

    is_text: ClassVar[bool] = False
    step_is_text: ClassVar[bool] = False

    def shown(self, value: Any) -> dict[str, Any]:
        return {}


class Categories(TokenInputs):
    """Items are categories, one token each."""

    column: ClassVar[str] = "label"
    is_text: ClassVar[bool] = True

    @property
    def names(self) -> tuple[str, ...]:
        """All categories, by descending frequency."""
        return self.tokenizer.vocabulary[UNKNOWN + 1 :]

    def item(self, value: Any, where: str) -> str:
        value = str(value) if isinstance(value, Integral) else value
        if value not in self.names:
            raise InputError(
                f"{where}: there is no category {str(value)[:40]!r}; there are "
                f"{', '.join(self.names[:20])}"
            )
        return str(value)

    def encode(self, items: Sequence[str]) -> Flat:
        return self.tokenizer.encode_tokens([[item] for item in items])

    def written(self, items: Iterable[str]) -> Iterable[str]:
        return items

    def keys(self, source: Source) -> list[str]:
        return [getattr(source, "label", "label")]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Categories, pd.DataFrame]:
        train = [[label] for label in frame[cls.column].iloc[rows["train"]]]
        return cls(fit_tokens(Words(), train)), frame
