"""Sequences of frames with a target per frame: split, then cut into stretches.

A sequence lies in one split. One long sequence is split by time or by files, not by hash, which
would separate neighbouring frames. Then sequences are cut into stretches, which are the items: at
gaps in the times of frames, and where they are longer than `data.max_length`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from rnnkit.data.prepare.encoded_split import SPLITS, begin
from rnnkit.data.prepare.split import Rows, keep_by_hash, positions, refuse_empty, split_items
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.params.data import Data, Files, Time

Slice = tuple[int, int, int]  # row of the frame, first step, and the step after the last


def split_stretches(frame: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, Rows]:
    """All stretches (frames, tags, number of the first frame), and the rows of each split."""
    cuts = [
        (split, cut) for split, whole in _sides(frame, data) for cut in _cut(frame, whole, data)
    ]
    offsets = begin(frame["frames"].map(len).to_numpy())
    stretches = _table(frame, [cut for _, cut in cuts])
    stretches["first"] = [int(offsets[row]) + first for _, (row, first, _) in cuts]
    stretches.attrs = frame.attrs
    sides = np.array([split for split, _ in cuts])
    rows = {split: np.flatnonzero(sides == split) for split in SPLITS}
    refuse_empty(rows, len(cuts))
    return stretches, keep_by_hash(rows, positions(stretches["frames"].tolist()), data.limit)


def _sides(frame: pd.DataFrame, data: Data) -> Iterator[tuple[str, Slice]]:
    """(split, slice) of all sequences, or of the splits of one long sequence."""
    lengths = frame["frames"].map(len).tolist()
    split = data.split
    if isinstance(split, Time):
        times = frame["time"].iloc[0] if "time" in frame else pd.Series(range(lengths[0]))
        for part, (first, stop) in split_rows(pd.DataFrame({"time": times}), split).items():
            yield part, (0, first, stop)
    elif isinstance(split, Files) and getattr(data.source, "sequence", None) is None:
        for row, part in enumerate(frame["part"].tolist()):
            stop = lengths[row]
            if part == "train" and not isinstance(split.valid, str):
                stop -= round(stop * split.valid)  # the latest fraction
                yield "valid", (row, stop, lengths[row])
            yield part, (row, 0, stop)
    else:
        unlimited = data.model_copy(update={"limit": None})  # the limit counts stretches
        for part, rows in split_items(frame, "tagged_frames", unlimited).items():
            for row in rows.tolist():
                yield part, (row, 0, lengths[row])


def _cut(frame: pd.DataFrame, whole: Slice, data: Data) -> Iterator[Slice]:
    row, first, stop = whole
    longest = data.max_length or max(1, stop - first)
    gaps = frame["gaps"].iloc[row].tolist() if "gaps" in frame else []
    for low, high in pairwise([first, *(gap for gap in gaps if first < gap < stop), stop]):
        for start in range(low, high, longest):
            yield row, start, min(high, start + longest)


def _table(frame: pd.DataFrame, cuts: Sequence[Slice]) -> pd.DataFrame:
    """One stretch per row: frames and tags."""
    return pd.DataFrame(
        {
            name: [frame[name].iloc[row][first:stop] for row, first, stop in cuts]
            for name in ("frames", "tags")
        }
    )


def cut_stretches(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Cut every sequence at its gaps and at `data.max_length`; one stretch per row: frames and
    tags."""
    lengths = frame["frames"].map(len).tolist()
    wholes = ((row, 0, length) for row, length in enumerate(lengths))
    return _table(frame, [stretch for whole in wholes for stretch in _cut(frame, whole, data)])
