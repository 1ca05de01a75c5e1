"""Interface of inputs: encoding of items, and parsing of user input."""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.stored import TOKENIZER
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import InputError, Note
from rnnkit.params.source import Source

if TYPE_CHECKING:
    import pandas as pd

Feed = Callable[[Any, str], np.ndarray]
"""(step of a stream, its name in messages) -> zero or more new steps for the network: [steps] token
ids or [steps, features]."""


class Inputs(ABC):
    """One form of inputs, fitted on the training split.

    The class method `fit` returns the inputs and the frame to encode, `load` the stored inputs.
    """

    column: ClassVar[str]
    """Column of a source's frame with the items."""
    is_text: ClassVar[bool] = False
    """Whether a line of text is an item; otherwise a line is a JSON value."""
    step_is_text: ClassVar[bool] = False
    """Whether a line of text is a step of a stream."""
    file_ending: ClassVar[str | None] = None
    """File suffix of inputs stored one per file."""
    example: ClassVar[str] = ""
    """Example of a JSON value, for messages."""
    counted: ClassVar[str | None] = None
    """Name of the network's steps in a stream's output, if they differ from the input steps."""

    tokenizer: FittedTokenizer | None
    """None for numbers."""
    scaler: Scaler | None
    """None for unscaled numbers and for tokens."""
    characters: tuple[str, ...] | None = None
    """The character of each id, for words with spelling."""

    @property
    def features(self) -> int | None:
        """Numbers per step; None for tokens."""
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The categories; empty for other inputs."""
        return ()

    @property
    def vocabulary(self) -> tuple[str, ...] | None:
        """The token of each id; None for numbers."""
        return None if self.tokenizer is None else self.tokenizer.vocabulary

    @abstractmethod
    def item(self, value: Any, where: str) -> Any:
        """Convert a user's input to an item for `encode`.

        Args:
            value: as documented in `Predictor`.
            where: its name in messages.

        Raises:
            InputError: the input is invalid.
        """

    @abstractmethod
    def encode(self, items: Sequence[Any]) -> Flat:
        """Encode items of a source's frame as ids or scaled numbers."""

    def encode_rows(self, column: pd.Series, rows: np.ndarray) -> Flat:
        """As `encode`, of rows of a column of a source's frame."""
        return self.encode(column.iloc[rows].tolist())

    def read(self, values: Sequence[Any], names: Sequence[str]) -> Flat:
        """Check and encode a user's inputs.

        Raises:
            InputError: an input is invalid or has no steps.
        """
        flat, lengths = self.encode([*map(self.item, values, names)])
        if (lengths == 0).any():
            raise InputError(
                f"{names[int(lengths.argmin())]}: must have at least one token or step"
            )
        return flat, lengths

    def warn_unknown(self, flat: np.ndarray, lengths: np.ndarray, names: Sequence[str]) -> None:
        """Warn about inputs without a known token."""
        if self.tokenizer is None or flat.ndim > 1:  # words with spelling: characters may be known
            return
        for ids, name in zip(np.split(flat, lengths.cumsum()[:-1]), names, strict=True):
            if (ids == UNKNOWN).all():
                warnings.warn(
                    f"{name}: none of its tokens is in the vocabulary", Note, stacklevel=2
                )

    def feed(self) -> Feed:
        """Encoder of the steps of one stream.

        Raises:
            InputError: these inputs cannot be encoded step by step.
        """
        return lambda value, where: self.read([self.step(value, where)], [where])[0]

    def step(self, value: Any, where: str) -> Any:
        """Convert a step of a stream to an input of one step.

        Raises:
            InputError: the step is invalid.
        """
        return [value]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Readable tokens of ids; empty for numbers."""
        return [] if self.tokenizer is None else [*map(self.tokenizer.piece, ids)]

    def joined(self, pieces: Sequence[str]) -> str:
        """The text of readable tokens; empty for numbers."""
        return "" if self.tokenizer is None else self.tokenizer.separator.join(pieces)

    def originals(
        self, items: Iterable[Any], flat: np.ndarray, first: int = 0
    ) -> Mapping[int, str]:
        """Step -> the token as the source has it, at tokens that the network reads as the unknown
        one or in lower case.

        Args:
            items: of a source's frame.
            flat: as `encode` gives them.
            first: number of the first step.
        """
        return {}

    def stored(self) -> dict[str, Any]:
        """Fields of `prepared.json` for `load`."""
        if self.tokenizer is not None:
            return {"vocabulary": self.tokenizer.vocabulary}
        scaler = None if self.scaler is None else self.scaler.to_json()
        return {"features": self.features, "scaler": scaler}

    def files(self) -> dict[str, str]:
        """Further files: name -> content."""
        return {} if self.tokenizer is None else {TOKENIZER: self.tokenizer.to_json()}

    # ------------------------------------------------------------------ user input

    def shown_step(self, value: Any, where: str) -> dict[str, Any]:
        """As `shown`, of a step of a stream."""
        return {}

    def shown(self, value: Any) -> dict[str, Any]:
        """What an answer repeats of a user's input."""
        return {}

    def of_line(self, line: str) -> Any:
        """Parse a line of text as an input."""
        return line

    def keys(self, source: Source) -> list[str]:
        """Keys of a JSON object that may hold an input, as named in the source."""
        columns = ("text", "tokens", "source", "audio")
        return [*(getattr(source, key, key) for key in columns), "frames", "vector", "window"]

    def of_json(self, value: Any, where: str, source: Source) -> Any:
        """Input of a JSON value: the value itself, or the value of a key of an object.

        Raises:
            InputError: an object without such a key.
        """
        if not isinstance(value, Mapping):
            return value
        keys = self.keys(source)
        for key in keys:
            if key in value:
                return value[key]
        raise InputError(
            f"{where}: an object must have its input under one of {', '.join(keys)}, but its keys "
            f"are {', '.join(value)}; rename one"
        )

    def of_prompt(self, prompt: str) -> Any:
        """Parse a command-line input: JSON, or the text itself."""
        if self.is_text:
            return prompt
        try:
            return json.loads(prompt)
        except (ValueError, RecursionError):
            raise InputError(
                f"the prompt: must be a vector, a JSON list of its numbers, got {prompt[:40]!r}"
            ) from None
