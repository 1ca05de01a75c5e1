"""Piano-roll inputs: frames of notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from rnnkit.data.inputs.interface import Inputs
from rnnkit.data.prepare.encoded_split import Flat
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import PianoRolls as Source

Notes = Sequence[int]
"""MIDI numbers of the notes in a frame."""


@dataclass(frozen=True, eq=False)
class PianoRolls(Inputs):
    """Items are lists of frames, each a list of notes.

    Args:
        source: sets the range of notes.
    """

    column: ClassVar[str] = "frames"

    tokenizer = None
    scaler = None
    source: Source

    @property
    def features(self) -> int:
        return self.source.highest - self.source.lowest + 1

    def item(self, value: Any, where: str) -> list[Notes]:
        frames = [*value] if isinstance(value, list | tuple) else [value]
        if not all(isinstance(notes, list | tuple) for notes in frames):
            raise InputError(f"{where}: must be a list of frames, each a list of its notes")
        low, high = self.source.lowest, self.source.highest
        if not all(type(n) is int and low <= n <= high for n in chain.from_iterable(frames)):
            raise InputError(f"{where}: notes must be whole numbers from {low} to {high}")
        return frames

    def encode(self, items: Sequence[Sequence[Notes]]) -> Flat:
        lengths = np.array([len(piece) for piece in items], dtype=np.int64)
        return np.concatenate([self.roll(piece) for piece in items]), lengths

    def roll(self, frames: Sequence[Notes]) -> np.ndarray:
        """[frames, notes] 1 for each note in a frame."""
        roll = np.zeros((len(frames), self.features), dtype=np.float32)
        for step, notes in enumerate(frames):
            roll[step, [note - self.source.lowest for note in notes]] = 1
        return roll

    def step(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where}: must be a list of a frame's notes, got {str(value)[:40]}")
        return [value]

    def stored(self) -> dict[str, Any]:
        return {"features": self.features}

    @classmethod
    def load(cls, stored: Stored, data: Data) -> PianoRolls:
        assert isinstance(data.source, Source)
        return cls(data.source)
