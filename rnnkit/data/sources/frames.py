"""Sequences of frames: a table, or the .ts format of the UEA and UCR archives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.opening import numbered_rows
from rnnkit.data.sources.tabular import TableFile
from rnnkit.errors import InputError
from rnnkit.params.source import TS, Frames

if TYPE_CHECKING:
    import pandas as pd


def read_frames(params: Frames, split: str | None) -> pd.DataFrame:
    """One row per sequence, in order of their first frames.

    Columns: frames (float64 [steps, features]); label, or tags (a list of str) for labels per
    frame, tuples for several label columns; optional group and part; time of a single sequence.
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
        rows["time"] = file.times(columns["time"])
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
    if params.sequence is None and "time" in columns:
        content["time"] = [rows["time"].reset_index(drop=True)]
    frame = pd.DataFrame(content)
    frame.attrs |= {"columns": tuple(numbers), "targets": targets, "notes": file.notes}
    return frame


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


def read_ts(params: TS) -> pd.DataFrame:
    """Columns frames (float64 [steps, channels]) and label; `attrs["columns"]` names the channels.

    After a header of `@name value` lines and `@data`, each line is a case: channels and the label,
    separated by `:`; a channel is a list of numbers separated by commas.

    Reference: A. Bagnall et al., The UEA multivariate time series classification archive,
    arXiv:1811.00075, 2018.
    """
    import pandas as pd

    frames: list[Any] = []
    labels, inside = [], False
    for where, line in numbered_rows(params.path, params.encoding):
        words = line.strip().lower().split()
        if not words or words[0].startswith("#"):
            continue
        if not inside:
            _header(where, words)
            inside = words[0] == "@data"
            continue
        frame, label = _case(where, line)
        if frames and frame.shape[1] != frames[0].shape[1]:
            raise InputError(
                f"{where}: every case must have as many channels as the first "
                f"({frames[0].shape[1]}), but it has {frame.shape[1]}; correct the line"
            )
        frames.append(frame)
        labels.append(label)
    if not frames:
        raise InputError(f"{params.path}: there is no case behind a line @data; is it a .ts file?")
    table = pd.DataFrame({"frames": frames, "label": labels})
    table.attrs["columns"] = tuple(f"channel {k + 1}" for k in range(frames[0].shape[1]))
    return table


def _header(where: str, words: list[str]) -> None:
    if not words[0].startswith("@"):
        raise InputError(
            f"{where}: before @data there are lines of `@name value`, but this begins with "
            f"{words[0][:40]!r}; is it a .ts file?"
        )
    if words[0] == "@timestamps" and words[1:] == ["true"]:
        raise InputError(
            f"{where}: cases with time stamps are not read; write the values alone, or a table "
            "for `source: {kind: frames}`"
        )
    if words[0] == "@classlabel" and words[1:2] != ["true"]:
        raise InputError(f"{where}: every case needs a class label, but the file has none")


def _case(where: str, line: str) -> tuple[Any, str]:
    """One sequence [steps, channels] and its label."""
    import numpy as np

    *channels, label = line.strip().split(":")
    if not channels or not label:
        raise InputError(f"{where}: a case is `numbers:…:label`, but it is {line[:40]!r}")
    try:
        rows = [np.array(channel.split(","), dtype=np.float64) for channel in channels]
    except ValueError as error:
        raise InputError(
            f"{where}: channels must hold numbers with commas between, but {error}; "
            "fill missing values in"
        ) from None
    if len({len(row) for row in rows}) > 1:
        raise InputError(
            f"{where}: the channels of a case must be equally long, but they have "
            f"{', '.join(str(len(row)) for row in rows)} values; correct the line"
        )
    values = np.stack(rows, axis=1)
    if not np.isfinite(values).all():
        raise InputError(f"{where}: every value must be a finite number; fill missing values in")
    return values, label
