"""Synced examples of music: which notes sound in the next frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnkit.params.data import Data, PianoRolls
from rnnkit.params.task import Music
from rnnkit.prepare.built import Built, begin, cut, tensor, token_facts
from rnnkit.prepare.prepared import Part
from rnnkit.prepare.split import duplicates, split_items

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Music) -> Built:
    """Split, and lay out as piano rolls. The first frame of a piece is given, not predicted.

    Args:
        frame: frames, lists of lists of MIDI numbers; pieces have at least two.

    Raises:
        InputError: too little data.
    """
    source = data.source
    assert isinstance(source, PianoRolls)
    rows = split_items(frame, "piano_rolls", data)
    keys = source.highest - source.lowest + 1
    parts, truncated = {}, {}
    for part, found in rows.items():
        pieces = frame["frames"].iloc[found].tolist()
        lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
        roll = np.zeros((int(lengths.sum()), keys), dtype=np.float32)
        for step, notes in enumerate(notes for piece in pieces for notes in piece):
            roll[step, [note - source.lowest for note in notes]] = 1
        start, whole = tensor(begin(lengths)), tensor(roll)
        steps, truncated[part] = cut(lengths - 1, data.max_length)
        predicted = tensor(steps)
        parts[part] = Part(
            inputs=whole,
            input_start=start,
            input_length=predicted,
            targets=whole,
            target_start=start + 1,
            target_length=predicted,
            item=tensor(found),
            synced=True,
        )
    sounding = {part: float(own.inputs.sum(dim=1).mean()) for part, own in parts.items()}
    facts = token_facts(parts, None, truncated) | {
        "duplicates": duplicates(frame, "piano_rolls", rows),
        "notes per frame": sounding,
    }
    return Built(parts, None, None, None, keys, facts)
