"""Typed access to the files of prepared data or of a model, except tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.runtime.files import read_json

RECORD, TOKENIZER, TARGET = "prepared.json", "tokenizer.json", "target.json"


@dataclass(frozen=True)
class Stored:
    """Typed fields of `prepared.json` and the tokenizer files.

    Args:
        folder: of prepared data, or of a model.
    """

    folder: Path

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """Contents of `prepared.json`."""
        record: Mapping[str, Any] = read_json(self.folder / RECORD)
        return record

    @property
    def facts(self) -> Mapping[str, Any]:
        """Facts about the data."""
        facts: Mapping[str, Any] = self.record["facts"]
        return facts

    @property
    def has_tokens(self) -> bool:
        """Whether inputs are tokens."""
        return self.record.get("vocabulary") is not None

    @property
    def tokenizer(self) -> FittedTokenizer:
        """Tokenizer of the inputs."""
        return self._tokenizer(TOKENIZER, "vocabulary")

    @property
    def target(self) -> FittedTokenizer:
        """Tokenizer of target texts."""
        return self._tokenizer(TARGET, "target_vocabulary")

    @property
    def letters(self) -> tuple[str, ...] | None:
        """The character of each id, for words with spelling."""
        letters = self.record.get("letters")
        return None if letters is None else tuple(letters)

    @property
    def features(self) -> int:
        """Numbers per step."""
        return int(self.record["features"])

    @property
    def scaler(self) -> Scaler | None:
        """Scaler of numbers."""
        scaler = self.record.get("scaler")
        return None if scaler is None else Scaler.from_json(scaler)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of classes or tags, by index."""
        return tuple(self.record["labels"])

    def _tokenizer(self, file: str, vocabulary: str) -> FittedTokenizer:
        import tokenizers

        model = tokenizers.Tokenizer.from_file(str(self.folder / file))
        return FittedTokenizer(model, tuple(self.record[vocabulary]))
