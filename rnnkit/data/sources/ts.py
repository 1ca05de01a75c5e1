"""Labelled sequences of frames in the .ts format of the UEA and UCR archives.

After a header of `@name value` lines and `@data`, each line is a case: channels and the label,
separated by `:`; a channel is a list of numbers separated by commas.

Reference: A. Bagnall et al., The UEA multivariate time series classification archive,
arXiv:1811.00075, 2018.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.data.sources import opening
from rnnkit.errors import InputError
from rnnkit.params.source import TS

if TYPE_CHECKING:
    import pandas as pd


def fingerprint(params: TS) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: TS, part: str | None) -> pd.DataFrame:
    """Columns frames (float64 [steps, channels]) and label; `attrs["columns"]` names the channels.

    Args:
        params: the source's block.
        part: must be None: there is no column for the split.

    Raises:
        InputError: an invalid file, cases with time stamps or without labels, channels of unequal
            length, a value that is not finite, no case; a `part`.
    """
    import pandas as pd

    path = params.path
    if part is not None:
        raise InputError(
            f"{path}: the .ts format has no column {part!r}; "
            "use `split: {kind: fractions}` or `split: {kind: files}`"
        )
    frames: list[Any] = []
    labels, inside = [], False
    for number, line in enumerate(opening.read_rows(path, params.encoding), start=1):
        words = line.strip().lower().split()
        if not words or words[0].startswith("#"):
            continue
        if not inside:
            _header(f"{path}, line {number}", words)
            inside = words[0] == "@data"
            continue
        frame, label = _case(f"{path}, line {number}", line)
        if frames and frame.shape[1] != frames[0].shape[1]:
            raise InputError(
                f"{path}, line {number}: every case must have as many channels as the first "
                f"({frames[0].shape[1]}), but it has {frame.shape[1]}; correct the line"
            )
        frames.append(frame)
        labels.append(label)
    if not frames:
        raise InputError(f"{path}: there is no case behind a line @data; is it a .ts file?")
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
