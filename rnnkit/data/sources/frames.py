"""Sequences of frames from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.grid import gaps
from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.source import Frames

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def read_frames(params: Frames, split: str | None) -> pd.DataFrame:
    """One row per sequence, in order of their first frames.

    Columns: frames (float64 [steps, features]); label, or tags (a list of str) for labels per
    frame, tuples for several label columns; optional group and part; time of a single sequence;
    gaps (an array of int), with times: the frames before which some are missing.
    `attrs["columns"]` names the features, `attrs["targets"]` the label columns.
    """
    import pandas as pd

    file = TableFile(params, "csv")
    targets = (params.label,) if isinstance(params.label, str) else params.label
    columns = file.chosen(split, "sequence", "time", "group")
    taken = {*targets, *file.named("sequence", "time", "group"), split}
    numbers = file.numbers(params.columns, taken)
    features = numbers.to_numpy()
    texts = [
        file.labels(file.column(name, "data.source.label"), "every frame needs a label")
        for name in targets
    ]
    labels = texts[0] if len(texts) == 1 else pd.Series(zip(*texts, strict=True))
    rows = pd.DataFrame({"sequence": columns.get("sequence", pd.Series(0, index=numbers.index))})
    if "time" in columns:
        rows["time"] = file.times(columns["time"], columns.get("sequence"))
        file.refuse_equal_times(rows, " in a sequence", "of each")
        rows = rows.sort_values("time", kind="stable")
    sequences = [
        (name, block.index.to_numpy())
        for name, block in rows.groupby("sequence", sort=False, dropna=False)
    ]
    sequences.sort(key=lambda sequence: int(sequence[1].min()))
    content: dict[str, list[Any]] = {"frames": [features[index] for _, index in sequences]}
    if params.labels == "per_frame":
        content["tags"] = [labels[index].tolist() for _, index in sequences]
    else:
        columns["label"] = labels
    for field in ("label", "group", "part"):
        if field in columns:
            entries = columns[field].to_numpy(dtype=object)
            content[field] = [only(entries[i], params.path, n, field) for n, i in sequences]
    if "time" in columns:
        content["gaps"] = [gaps(rows["time"][index]) for _, index in sequences]
        file.notes += _gap_notes(content["gaps"], params)
    if params.sequence is None and "time" in columns:
        content["time"] = [rows["time"].reset_index(drop=True)]
    frame = pd.DataFrame(content)
    frame.attrs |= {"columns": tuple(numbers), "targets": targets, "notes": file.notes}
    return frame


def _gap_notes(gaps: list[np.ndarray], params: Frames) -> list[str]:
    count, sequences = sum(map(len, gaps)), sum(len(places) > 0 for places in gaps)
    if not count:
        return []
    if params.labels == "per_frame":
        return [f"gaps in the times of frames: {count:,}; no item crosses one"]
    return [
        f"gaps in the times of frames: {count:,}, in {sequences:,} sequences; a sequence has one "
        "label, so its frames are read as they follow"
    ]


def only(values: Any, path: str, sequence: Any, field: str) -> Any:
    """The value shared by all frames of a sequence."""
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        fix = "set data.source.labels: per_frame" if field == "label" else "correct the rows"
        raise InputError(
            f"{path}: every sequence must have one {field}, but {str(sequence)!r} has "
            f"{len(different)}, {str(different[0])!r} and {str(different[1])!r} among them; {fix}"
        )
    return different[0]
