"""Token inputs: texts, lists of tokens, categories."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from rnnkit.data.inputs.interface import Feed, Inputs
from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.data.prepare.part import Flat
from rnnkit.data.prepare.spelling import alphabet, with_letters
from rnnkit.data.prepare.split import Rows
from rnnkit.data.prepare.stored import TOKENIZER, Stored
from rnnkit.data.prepare.tokenize import FittedTokenizer, fit, fit_tokens
from rnnkit.errors import InputError, Note
from rnnkit.params.data import BPE, Characters, Data, Tokenizer, Words
from rnnkit.params.source import Source

if TYPE_CHECKING:
    import pandas as pd


def refuse_no_text(value: Any, where: str) -> str:
    """Return a text unchanged.

    Raises:
        InputError: not a text, or not valid Unicode.
    """
    if not isinstance(value, str):
        raise InputError(f"{where}: must be a text, got {str(value)[:40]}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: must be a text, but its character {error.start + 1} is half of one"
        ) from None
    return value


@dataclass(frozen=True, eq=False)
class TokenInputs(Inputs):
    """Base of token inputs.

    Args:
        fitted: the tokenizer.
        params: the tokenizer's params.
    """

    fitted: FittedTokenizer
    params: Tokenizer

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return self.fitted.vocabulary

    @property
    def tokenizer(self) -> FittedTokenizer:
        return self.fitted

    @property
    def between(self) -> str:
        """Separator of the tokens of a text."""
        return "" if isinstance(self.params, Characters | BPE) else " "

    def warn_unknown(self, flat: np.ndarray, lengths: np.ndarray, names: Sequence[str]) -> None:
        if flat.ndim > 1:  # words with spelling: characters may be known
            return
        for ids, name in zip(np.split(flat, lengths.cumsum()[:-1]), names, strict=True):
            if (ids == UNKNOWN).all():
                warnings.warn(
                    f"{name}: none of its tokens is in the vocabulary", Note, stacklevel=2
                )

    def refuse_several(self, value: Any, where: str) -> None:
        """Raise InputError for several characters if tokens are characters."""
        if isinstance(self.params, Characters) and isinstance(value, str) and len(value) > 1:
            raise InputError(f"{where}: a step must be one character, got {value[:40]!r}")

    def token(self, value: Any, where: str) -> np.ndarray:
        """[1] the id of one token.

        Raises:
            InputError: not a text, or several characters.
        """
        self.refuse_several(value, where)
        return self.fitted.encode_tokens([[refuse_no_text(value, where)]])[0]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [self.fitted.piece(token) for token in ids]

    def text(self, ids: Sequence[int]) -> str:
        return self.between.join(self.pieces(ids))

    def stored(self) -> dict[str, Any]:
        return {"vocabulary": self.fitted.vocabulary}

    def files(self) -> dict[str, str]:
        return {TOKENIZER: self.fitted.to_json()}


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
        return self.fitted.encode(list(items))

    def feed(self) -> Feed:
        return lambda value, where: self.read([value], [where])[0]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Self, pd.DataFrame]:
        """Fit on the training rows; also return the frame."""
        texts = frame[cls.column].iloc[rows["train"]].tolist()
        return cls(fit(data.tokenizer, texts, end=cls.ends), data.tokenizer), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Self:
        """Load from the contents of `stored` and `files`."""
        return cls(stored.tokenizer, data.tokenizer)


class EndedTexts(Texts):
    """Texts with an end token."""

    ends: ClassVar[bool] = True


class SourceTexts(Texts):
    """Source texts of pairs."""

    column: ClassVar[str] = "source"


@dataclass(frozen=True, eq=False)
class TokenLists(TokenInputs):
    """Items are lists of tokens.

    Args:
        alphabet: the character of each id, for words with spelling.
        spelled: characters per word.
    """

    column: ClassVar[str] = "tokens"
    is_text: ClassVar[bool] = True
    step_is_text: ClassVar[bool] = True

    alphabet: tuple[str, ...] | None = None
    spelled: int | None = None

    @property
    def characters(self) -> tuple[str, ...] | None:
        return self.alphabet

    def item(self, value: Any, where: str) -> list[str]:
        if not isinstance(value, str | list | tuple) or not all(isinstance(t, str) for t in value):
            raise InputError(f"{where}: must be a list of tokens, got {str(value)[:40]}")
        return list(value)

    def encode(self, items: Sequence[Sequence[str]]) -> Flat:
        ids, lengths = self.fitted.encode_tokens(items)
        if self.alphabet is not None and self.spelled is not None:
            ids = with_letters(ids, items, self.alphabet, self.spelled)
        return ids, lengths

    def feed(self) -> Feed:
        def encode_token(value: Any, where: str) -> np.ndarray:
            self.refuse_several(value, where)
            return self.read([[value]], [where])[0]

        return encode_token

    def of_line(self, line: str) -> list[str]:
        return list(line) if isinstance(self.params, Characters) else line.split(" ")

    def of_json(self, value: Any, where: str, source: Source) -> Any:
        if isinstance(value, str):
            return self.of_line(value)
        return super().of_json(value, where, source)

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "letters": self.alphabet}

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[TokenLists, pd.DataFrame]:
        """Fit on the training rows; also return the frame.

        Raises:
            InputError: a token of several characters with a character tokenizer.
        """
        items = frame[cls.column]
        if isinstance(data.tokenizer, Characters):
            refuse_long_tokens(items.tolist())
        train = items.iloc[rows["train"]].tolist()
        spelled: int | None = getattr(data.tokenizer, "spelling", None)
        letters = None if spelled is None else alphabet(train)
        fitted = fit_tokens(data.tokenizer, train)
        return cls(fitted, data.tokenizer, letters, spelled), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> TokenLists:
        """Load from the contents of `stored` and `files`."""
        spelled: int | None = getattr(data.tokenizer, "spelling", None)
        return cls(stored.tokenizer, data.tokenizer, stored.letters, spelled)


def refuse_long_tokens(items: Sequence[Sequence[str]]) -> None:
    """Raise InputError for a token of several characters."""
    for row, tokens in enumerate(items):
        for token in tokens:
            if len(token) != 1:
                raise InputError(
                    f"data.tokenizer: characters need tokens of one character, but row {row + 1} "
                    f"has {token[:40]!r}; use `tokenizer: {{kind: words}}`"
                )


class Symbols(TokenLists):
    """Symbols of a memory problem; a line is a JSON list of them."""

    is_text: ClassVar[bool] = False
    step_is_text: ClassVar[bool] = False

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Symbols:
        return cls(stored.tokenizer, Words())


class Categories(TokenInputs):
    """Items are categories, one token each."""

    column: ClassVar[str] = "label"
    is_text: ClassVar[bool] = True

    @property
    def names(self) -> tuple[str, ...]:
        """All categories, by descending frequency."""
        return self.vocabulary[UNKNOWN + 1 :]

    def item(self, value: Any, where: str) -> str:
        value = str(value) if isinstance(value, Integral) else value
        if value not in self.names:
            raise InputError(
                f"{where}: there is no category {str(value)[:40]!r}; there are "
                f"{', '.join(self.names[:20])}"
            )
        return str(value)

    def encode(self, items: Sequence[str]) -> Flat:
        return self.fitted.encode_tokens([[item] for item in items])

    def keys(self, source: Source) -> list[str]:
        return [getattr(source, "label", "label")]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rows: Rows, data: Data) -> tuple[Categories, pd.DataFrame]:
        """Fit on the training rows; also return the frame."""
        train = [[label] for label in frame[cls.column].iloc[rows["train"]]]
        return cls(fit_tokens(Words(), train), Words()), frame

    @classmethod
    def load(cls, stored: Stored, data: Data) -> Categories:
        """Load from the contents of `stored` and `files`."""
        return cls(stored.tokenizer, Words())
