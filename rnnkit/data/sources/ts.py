"""Sequences of frames in the .ts format of the UEA, UCR and Monash archives, as sktime and aeon
write it.

After a header of `@name value` lines and `@data`, each line is a case: channels and the label,
separated by `:`; a channel is a list of numbers separated by commas. Lines that begin with `#` or
`%` are comments.

Reference: A. Bagnall et al., The UEA multivariate time series classification archive,
arXiv:1811.00075, 2018.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rnnkit.data.sources.limits import MAX_NUMBER
from rnnkit.data.sources.opening import numbered_rows
from rnnkit.errors import InputError, closest
from rnnkit.params.source import TS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COMMENTS = ("#", "%")


class Tag(NamedTuple):
    """A line of the header: where it is, and its values."""

    where: str
    values: list[str]

    @property
    def is_true(self) -> bool:
        return self.values[:1] != [] and self.values[0].lower() == "true"

    def number(self) -> int:
        """The value as a whole number above 0."""
        text = " ".join(self.values)
        if not re.fullmatch(r"0*[1-9]\d{0,17}", text, re.ASCII):
            raise InputError(
                f"{self.where}: a whole number above 0 is needed, but it is {text[:40]!r}; correct "
                "it"
            )
        return int(text)


Header = Mapping[str, Tag]
"""By name, in lower case: `classlabel`."""


def read(params: TS) -> pd.DataFrame:
    """Columns frames (float64 [steps, channels]) and label.

    `attrs["columns"]` names the channels; with `@targetlabel`, `attrs["numbers"]` says where the
    file declares that labels are numbers.
    """
    import pandas as pd

    frames: list[np.ndarray] = []
    labels, header, inside = [], dict[str, Tag](), False
    for where, line in numbered_rows(params.path, params.encoding):
        words = line.split()
        if not words or words[0].startswith(COMMENTS):
            continue
        if inside:
            frame, label = _case(where, line)
            _refuse_misfit(where, frame, frames[0] if frames else frame, header)
            frames.append(frame)
            labels.append(_label(where, label, header))
            continue
        if not words[0].startswith("@"):
            raise InputError(
                f"{where}: before @data there are lines of `@name value`, but this begins with "
                f"{words[0][:40]!r}; is it a .ts file?"
            )
        header[words[0][1:].lower()] = Tag(where, words[1:])
        inside = "data" in header
        if inside:
            _refuse_unread(header)
    if not frames:
        raise InputError(f"{params.path}: there is no case behind a line @data; is it a .ts file?")
    table = pd.DataFrame({"frames": frames, "label": labels})
    table.attrs["columns"] = tuple(f"channel {k + 1}" for k in range(frames[0].shape[1]))
    if _declares(header, "targetlabel"):
        table.attrs["numbers"] = f"{header['targetlabel'].where}: @targetlabel true"
    return table


def _declares(header: Header, name: str) -> bool:
    return name in header and header[name].is_true


def _refuse_unread(header: Header) -> None:
    """Raise InputError for a header whose cases cannot be read."""
    if _declares(header, "timestamps"):
        raise InputError(
            f"{header['timestamps'].where}: cases with time stamps are not read; write the values "
            "alone, or a table for `source: {kind: frames}`"
        )
    labelled = _declares(header, "classlabel") or _declares(header, "targetlabel")
    for name, written in (("classlabel", "@classLabel"), ("targetlabel", "@targetlabel")):
        if name in header and not labelled:
            raise InputError(
                f"{header[name].where}: every case needs a label, but the file has none, as "
                f"{written} {' '.join(header[name].values)} says; name another"
            )


def _refuse_misfit(where: str, frame: np.ndarray, first: np.ndarray, header: Header) -> None:
    """Raise InputError for a case with other channels or steps than the header or the first has."""
    steps, channels = frame.shape
    needed, source = first.shape[1], "the first"
    if _declares(header, "univariate"):
        needed, source = 1, "@univariate true says"
    for name in ("dimension", "dimensions"):
        if name in header:
            needed, source = header[name].number(), f"@{name} says"
    if channels != needed:
        raise InputError(
            f"{where}: every case must have as many channels as {source} ({needed}), but it has "
            f"{channels}; correct the line{' or the header' if source != 'the first' else ''}"
        )
    if _declares(header, "equallength"):
        length, source = first.shape[0], "the first"
        if "serieslength" in header:
            length, source = header["serieslength"].number(), "@seriesLength says"
        if steps != length:
            raise InputError(
                f"{where}: with @equalLength true every case must have as many steps as {source} "
                f"({length}), but it has {steps}; correct the line or the header"
            )


def _label(where: str, label: str, header: Header) -> str:
    """The label of a case.

    Raises:
        InputError: it is no number with `@targetlabel`, or not one of `@classLabel`.
    """
    if _declares(header, "targetlabel"):
        try:
            finite = abs(float(label)) <= MAX_NUMBER
        except ValueError:
            finite = False
        if not finite:
            raise InputError(
                f"{where}: with @targetlabel true every case ends with a finite number, but it is "
                f"{label[:40]!r}; correct it or leave the line out"
            )
    names = header["classlabel"].values[1:] if _declares(header, "classlabel") else []
    if names and label not in names:
        raise InputError(
            f"{where}: the label {label[:40]!r} is not one of @classLabel ({', '.join(names)})"
            f"{closest(label, names)}; correct it, or add it to the header"
        )
    return label


def _case(where: str, line: str) -> tuple[np.ndarray, str]:
    """One sequence [steps, channels] and its label, without the blanks around it."""
    import numpy as np

    *channels, label = (part.strip() for part in line.split(":"))
    if not channels or not label:
        raise InputError(f"{where}: a case is `numbers:…:label`, but it is {line[:40]!r}")
    try:
        rows = [np.array(channel.split(","), dtype=np.float64) for channel in channels]
    except ValueError as error:
        raise InputError(
            f"{where}: channels must hold numbers with commas between, but {str(error)[:80]}; "
            "fill missing values in"
        ) from None
    if len({len(row) for row in rows}) > 1:
        raise InputError(
            f"{where}: the channels of a case must be equally long, but they have "
            f"{', '.join(str(len(row)) for row in rows)} values; correct the line"
        )
    values = np.stack(rows, axis=1)
    if not (np.abs(values) <= MAX_NUMBER).all():  # also for NaN
        raise InputError(
            f"{where}: every value must be a finite number, up to {MAX_NUMBER:.2g}; fill missing "
            "values in, or give the others another unit"
        )
    return values, label
