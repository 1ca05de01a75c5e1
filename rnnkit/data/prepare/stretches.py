"""Sequences of frames with something to predict at every frame, cut into stretches.

Sequences go to one part whole. One long sequence is parted by time (or comes in a file for each
part), never by hash, which would put neighbours on both sides. Only then is what is longer than
`data.max_length` cut into stretches, each an item.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.prepare.part import begin
from rnnkit.data.prepare.split import keep_by_hash, refuse_empty, split_items
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.params.data import Data, Files, Time

if TYPE_CHECKING:
    import pandas as pd

Slice = tuple[int, int, int]  # row of the frame, first step, and the step behind the last


def split_stretches(frame: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Every stretch (frames, tags, and the number of its first frame), and which are in a part."""
    import pandas as pd

    found = [(part, cut) for part, whole in _sides(frame, data) for cut in _cut(whole, data)]
    before = begin(frame["frames"].map(len).to_numpy())
    stretches = pd.DataFrame(
        {
            "frames": [frame["frames"].iloc[row][first:stop] for _, (row, first, stop) in found],
            "tags": [frame["tags"].iloc[row][first:stop] for _, (row, first, stop) in found],
            "first": [int(before[row]) + first for _, (row, first, _) in found],
        }
    )
    stretches.attrs = frame.attrs
    sides = np.array([part for part, _ in found])
    rows = {part: np.flatnonzero(sides == part) for part in ("train", "valid", "test")}
    refuse_empty(rows, len(found))
    return stretches, keep_by_hash(rows, stretches["frames"].tolist(), data.limit)


def _sides(frame: pd.DataFrame, data: Data) -> Iterator[tuple[str, Slice]]:
    """(part, slice) of all sequences, or of the parts of a long one."""
    import pandas as pd

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
                stop -= round(stop * split.valid)  # the latest share: no stretch has two sides
                yield "valid", (row, stop, lengths[row])
            yield part, (row, 0, stop)
    else:
        whole = data.model_copy(update={"limit": None})  # which counts stretches, not sequences
        for part, rows in split_items(frame, "tagged_frames", whole).items():
            for row in rows.tolist():
                yield part, (row, 0, lengths[row])


def _cut(whole: Slice, data: Data) -> Iterator[Slice]:
    row, first, stop = whole
    longest = data.max_length or max(1, stop - first)
    for begins in range(first, stop, longest):
        yield row, begins, min(stop, begins + longest)


def cut_stretches(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Every sequence cut as `data.max_length` says, a stretch in a row: frames and tags."""
    import pandas as pd

    cuts = [
        piece
        for row, length in enumerate(frame["frames"].map(len).tolist())
        for piece in _cut((row, 0, length), data)
    ]
    return pd.DataFrame(
        {
            name: [frame[name].iloc[row][first:stop] for row, first, stop in cuts]
            for name in ("frames", "tags")
        }
    )
