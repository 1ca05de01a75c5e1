"""Synced examples of music: which notes sound in the next frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.prepare.built import Built, begin, cut, tensor, token_facts
from rnnkit.data.prepare.prepared import Part
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.params.data import Data
from rnnkit.params.source import PianoRolls
from rnnkit.params.task import Music

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
    parts, truncated = {}, {}
    for part, found in rows.items():
        pieces = frame["frames"].iloc[found].tolist()
        parts[part], truncated[part] = pieces_part(pieces, found, source, data.max_length)
    sounding = {part: float(own.inputs.sum(dim=1).mean()) for part, own in parts.items()}
    facts = token_facts(parts, None, truncated) | {
        "duplicates": duplicates(frame, "piano_rolls", rows),
        "notes per frame": sounding,
        "lowest": source.lowest,
    }
    return Built(parts, None, None, None, parts["train"].inputs.shape[1], facts)


def piano_roll(frames: Sequence[Sequence[int]], source: PianoRolls) -> np.ndarray:
    """[frames, keys] 1 where a note sounds."""
    roll = np.zeros((len(frames), source.highest - source.lowest + 1), dtype=np.float32)
    for step, notes in enumerate(frames):
        roll[step, [note - source.lowest for note in notes]] = 1
    return roll


def pieces_part(
    pieces: Sequence[Sequence[Sequence[int]]],
    rows: np.ndarray,
    source: PianoRolls,
    longest: int | None,
) -> tuple[Part, int]:
    """Pieces as a part, and how many of them were cut.

    Args:
        rows: [pieces] of the source's frame.
        longest: predicted frames of a piece at the most.
    """
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    roll = tensor(np.concatenate([piano_roll(piece, source) for piece in pieces]))
    start = tensor(begin(lengths))
    steps, truncated = cut(lengths - 1, longest)
    predicted = tensor(steps)
    part = Part(
        inputs=roll,
        input_start=start,
        input_length=predicted,
        targets=roll,
        target_start=start + 1,
        target_length=predicted,
        item=tensor(rows),
        synced=True,
    )
    return part, truncated
