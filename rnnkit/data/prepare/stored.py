"""Typed access to the files of prepared data or of a model, except tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.runtime.files import read_json

RECORD, TOKENIZER, TARGET = "prepared.json", "tokenizer.json", "target.json"


class Stored:
    """Typed fields of `prepared.json` and the tokenizer files.

    Args:
        folder: of prepared data, or of a model.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.record: Mapping[str, Any] = read_json(folder / RECORD)
        self.facts: Mapping[str, Any] = self.record["facts"]
        self.labels = tuple(self.record.get("labels") or ())
        self.unseen_labels = tuple(self.record.get("unseen_labels") or ())
        characters, scaler = self.record.get("letters"), self.record.get("scaler")
        self.characters = None if characters is None else tuple(characters)
        self.scaler = None if scaler is None else Scaler.from_json(scaler)
        self.has_tokens = self.record.get("vocabulary") is not None

    @property
    def tokenizer(self) -> FittedTokenizer:
        """Tokenizer of the inputs."""
        return self._tokenizer(TOKENIZER, "vocabulary")

    @property
    def target(self) -> FittedTokenizer:
        """Tokenizer of target texts."""
        return self._tokenizer(TARGET, "target_vocabulary")

    def _tokenizer(self, file: str, vocabulary: str) -> FittedTokenizer:
        import tokenizers

        model = tokenizers.Tokenizer.from_file(str(self._folder / file))
        return FittedTokenizer(model, tuple(self.record[vocabulary]))
