"""Sequences of frames with a target per frame: split, then cut into stretches.

A sequence lies in one split. One long sequence is split by time or by files, not by hash, which
would separate neighbouring frames. Then sequences longer than `data.max_length` are cut into
stretches, which are the items.
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

Slice = tuple[int, int, int]  # row of the frame, first step, and the step after the last


def split_stretches(frame: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """All stretches (frames, tags, number of the first frame), and the rows of each split."""
    import pandas as pd

    cuts = [(part, cut) for part, whole in _sides(frame, data) for cut in _cut(whole, data)]
    offsets = begin(frame["frames"].map(len).to_numpy())
    stretches = pd.DataFrame(
        {
            "frames": [frame["frames"].iloc[row][first:stop] for _, (row, first, stop) in cuts],
            "tags": [frame["tags"].iloc[row][first:stop] for _, (row, first, stop) in cuts],
            "first": [int(offsets[row]) + first for _, (row, first, _) in cuts],
        }
    )
    stretches.attrs = frame.attrs
    sides = np.array([part for part, _ in cuts])
    rows = {part: np.flatnonzero(sides == part) for part in ("train", "valid", "test")}
    refuse_empty(rows, len(cuts))
    return stretches, keep_by_hash(rows, stretches["frames"].tolist(), data.limit)


def _sides(frame: pd.DataFrame, data: Data) -> Iterator[tuple[str, Slice]]:
    """(split, slice) of all sequences, or of the splits of one long sequence."""
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
                stop -= round(stop * split.valid)  # the latest fraction
                yield "valid", (row, stop, lengths[row])
            yield part, (row, 0, stop)
    else:
        unlimited = data.model_copy(update={"limit": None})  # the limit counts stretches
        for part, rows in split_items(frame, "tagged_frames", unlimited).items():
            for row in rows.tolist():
                yield part, (row, 0, lengths[row])


def _cut(whole: Slice, data: Data) -> Iterator[Slice]:
    row, first, stop = whole
    longest = data.max_length or max(1, stop - first)
    for start in range(first, stop, longest):
        yield row, start, min(stop, start + longest)


def cut_stretches(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Cut every sequence at `data.max_length`; one stretch per row: frames and tags."""
    import pandas as pd

    cuts = [
        stretch
        for row, length in enumerate(frame["frames"].map(len).tolist())
        for stretch in _cut((row, 0, length), data)
    ]
    return pd.DataFrame(
        {
            name: [frame[name].iloc[row][first:stop] for row, first, stop in cuts]
            for name in ("frames", "tags")
        }
    )
