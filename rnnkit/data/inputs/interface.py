"""What inputs are: how an item becomes token ids or numbers, and what a person writes for one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rnnkit.data.prepare.part import Flat
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import InputError
from rnnkit.params.source import Source

Feed = Callable[[Any, str], np.ndarray]
"""(a step as it comes, what messages call it) -> the new steps that a network reads: [steps] token
ids or [steps, features], of which there may be none or several."""


class Inputs(ABC):
    """One form of inputs, fitted on the training split.

    `column` names the column of a source's frame that holds the items.
    """

    column: ClassVar[str]
    is_text: ClassVar[bool] = False
    """Whether a person can write an item as a line of text; else a line is a JSON value."""
    step_is_text: ClassVar[bool] = False
    """The same of one step of a stream."""
    file_ending: ClassVar[str | None] = None
    """Of files that hold one input each."""
    example: ClassVar[str] = ""
    """What a JSON value looks like, for messages."""
    counted: ClassVar[str | None] = None
    """What the steps of a stream are called in its answers, where a network's steps are not the
    steps that come."""

    @property
    def vocabulary(self) -> tuple[str, ...] | None:
        """The token of each id; None for numbers."""
        return None

    @property
    def characters(self) -> tuple[str, ...] | None:
        """The character of each id, where words come with their spelling."""
        return None

    @property
    def features(self) -> int | None:
        """Numbers per step; None for tokens."""
        return None

    @property
    def scaler(self) -> Scaler | None:
        """What scales numbers; None where nothing does."""
        return None

    @property
    def tokenizer(self) -> FittedTokenizer | None:
        """What turns text into ids; None for numbers."""
        return None

    @abstractmethod
    def item(self, value: Any, where: str) -> Any:
        """A user's input as `encode` takes it.

        Args:
            value: as `Predictor` documents it.
            where: what messages call it.

        Raises:
            InputError: it is not what the network reads.
        """

    @abstractmethod
    def encode(self, items: Sequence[Any]) -> Flat:
        """Items, as the source's frame has them, as ids or scaled numbers."""

    def read(self, values: Sequence[Any], names: Sequence[str]) -> Flat:
        """A user's inputs, checked one by one, as ids or scaled numbers.

        Raises:
            InputError: one is not what the network reads, or has no steps.
        """
        flat, lengths = self.encode([*map(self.item, values, names)])
        if (lengths == 0).any():
            raise InputError(
                f"{names[int(lengths.argmin())]}: must have at least one token or step"
            )
        return flat, lengths

    def warn_unknown(self, flat: np.ndarray, lengths: np.ndarray, names: Sequence[str]) -> None:
        """Warns of inputs of which the network knows no token; numbers have none."""
        return

    def feed(self) -> Feed:
        """What takes the steps of one stream.

        Raises:
            InputError: such inputs cannot be read step by step.
        """
        return lambda value, where: self.read([[value]], [where])[0]

    def text(self, ids: Sequence[int]) -> str:
        """What was read, as text; empty for numbers."""
        return ""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The tokens of what was read, as a person reads them; none for numbers."""
        return []

    @abstractmethod
    def stored(self) -> dict[str, Any]:
        """Fields of `prepared.json`, from which it is loaded."""

    def files(self) -> dict[str, str]:
        """Further files beside it, by their names."""
        return {}

    # ------------------------------------------------------------------ what a person writes

    def of_line(self, line: str) -> Any:
        """An input that stands in a line of text."""
        return line

    def keys(self, source: Source) -> list[str]:
        """The keys under which a JSON object may have an input: the source's own names."""
        own = ("text", "tokens", "source", "audio")
        return [*(getattr(source, key, key) for key in own), "frames", "vector", "window"]

    def of_json(self, value: Any, where: str, source: Source) -> Any:
        """An input that comes as a JSON value: itself, or an object that has it under a key.

        Raises:
            InputError: an object without the key.
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
        """An input that stands on a command line: as of a JSON line, or the text itself."""
        if self.is_text:
            return prompt
        try:
            return json.loads(prompt)
        except (ValueError, RecursionError):
            raise InputError(
                f"the prompt: must be a vector, a JSON list of its numbers, got {prompt[:40]!r}"
            ) from None
