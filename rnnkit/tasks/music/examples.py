"""Examples of music: which notes sound in the next frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.inputs.piano_rolls import PianoRolls
from rnnkit.data.prepare.encoded_split import EncodedSplit, begin
from rnnkit.data.prepare.facts import counted
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.stored import Stored
from rnnkit.params.data import Data
from rnnkit.params.source import PianoRolls as Source
from rnnkit.params.task import Music

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class MusicFitted(Fitted):
    """How pieces become piano rolls."""

    task: Music
    inputs: PianoRolls

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        """The first frame of a piece is given, not predicted."""
        roll, lengths = self.encode_inputs(frame, rows, split)
        longest = self.data.max_length
        steps = lengths - 1 if longest is None else np.minimum(lengths - 1, longest)
        return EncodedSplit.next_steps(roll, begin(lengths), steps, rows)

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Music) -> MusicFitted:
        return cls(task, data, PianoRolls.load(stored, data))


def fit(frame: pd.DataFrame, data: Data, task: Music) -> Prepared[MusicFitted]:
    """Splits, and lays out as piano rolls.

    Args:
        frame: frames, lists of lists of MIDI numbers; pieces have at least two.

    Raises:
        InputError: too little data.
    """
    source = data.source
    assert isinstance(source, Source)
    rows = split_items(frame, "piano_rolls", data)
    fitted = MusicFitted(task, data, PianoRolls(source))
    splits = {split: fitted.encode(frame, own, split) for split, own in rows.items()}
    facts = counted(fitted, splits)
    facts |= {
        "duplicates": duplicates(frame, "piano_rolls", rows),
        "notes per frame": {
            split: float(part.inputs.sum(dim=1).mean()) for split, part in splits.items()
        },
        "lowest": source.lowest,
    }
    return Prepared("", splits, fitted, facts)
