"""Split the rows of a frame by hash, file, file name or column.

The hash is of an item's content (or its group): items stay in their split when data are added, and
equal items are in one split.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Data, FileNames, Files, Fractions, Given, Time
from rnnkit.params.source import Form

CONTENT: Mapping[Form, str] = {  # the column with the content of an item
    "labelled_text": "text",
    "tagged": "tokens",
    "text": "text",
    "frames": "frames",
    "tagged_frames": "frames",
    "piano_rolls": "frames",
    "vectors": "vector",
    "pairs": "source",
    "audio": "samples",
}
Rows = dict[str, np.ndarray]  # split -> row numbers


def _position(content: Any) -> float:
    if isinstance(content, np.ndarray):
        raw = content.tobytes()
    elif isinstance(content, list):
        raw = "\0".join(map(str, content)).encode()
    else:
        raw = str(content).encode()
    return int.from_bytes(blake2b(raw, digest_size=8).digest()[:6], "big") / 2**48


def positions(contents: Sequence[Any]) -> np.ndarray:
    """[items] hash of each content in [0, 1): uniform and stable.

    >>> a, again, b = positions(["a", "a", "b"])
    >>> bool(0 <= a < 1 and a == again != b)
    True
    """
    return np.fromiter(map(_position, contents), float, len(contents))


def split_items(frame: pd.DataFrame, form: Form, data: Data) -> Rows:
    """Rows of each split in ascending order, at most `data.limit` of each.

    The limit keeps the first rows for text, and the first by hash for other items.

    Args:
        frame: any form except a series.

    Raises:
        InputError: an empty split, fractions that leave no training data, an unknown name of a
            split, or a split by time without times.
    """
    by_content = positions(frame[CONTENT[form]].tolist())
    by_group = positions(frame["group"].tolist()) if "group" in frame else by_content
    split = data.split
    if isinstance(split, Time):
        raise InputError(
            "data.split: a split by time needs a series, and this source has no time; "
            "use `split: {kind: fractions}`"
        )
    drawn = by_content[:0]
    if isinstance(split, Fractions):
        sides, drawn = _by_hash(by_group, split.valid, split.test), by_group
    else:
        if isinstance(split, FileNames):
            sides, hashes = _by_name(frame["name"], split), by_content
        else:
            sides, hashes = named(frame, split), by_group
        if isinstance(split, Files | FileNames) and not isinstance(split.valid, str):
            train = sides == "train"
            drawn = hashes[train]
            sides[train] = _by_hash(drawn, split.valid, 0.0)
    rows = {part: np.flatnonzero(sides == part) for part in SPLITS}
    by_name = isinstance(split, FileNames)
    remedy = "let the patterns leave it some" if by_name else "give it a larger fraction"
    grouped = "group" in frame and not by_name
    refuse_empty(rows, len(frame), _together(drawn, grouped), remedy, frame.attrs.get("single"))
    if form == "text":
        return {part: members[: data.limit] for part, members in rows.items()}
    return keep_by_hash(rows, by_content, data.limit)


def keep_by_hash(rows: Rows, hashes: np.ndarray, limit: int | None) -> Rows:
    """At most `limit` rows of each split: the first by hash of their contents."""
    return {
        split: np.sort(members[np.argsort(hashes[members], kind="stable")][:limit])
        for split, members in rows.items()
    }


def _by_hash(hashes: np.ndarray, valid: float, test: float) -> np.ndarray:
    """[items] split names: the first fraction is test, the next valid, the rest train."""
    if valid + test >= 1:
        raise InputError(
            f"data.split: valid and test must leave something for training, but {valid} and {test} "
            "make 1 or more; give smaller shares"
        )
    return np.where(hashes < test, "test", np.where(hashes < test + valid, "valid", "train"))


def _by_name(paths: pd.Series, split: FileNames) -> np.ndarray:
    """[items] split names by pattern; all others are train."""
    names = [Path(path).name for path in paths]
    sides = np.full(len(names), "train")
    for part, pattern in (("test", split.test), ("valid", split.valid)):
        if not isinstance(pattern, str):
            continue
        fits = np.array([fnmatch.fnmatchcase(name, pattern) for name in names])
        if not fits.any():
            raise InputError(
                f"data.split.{part}: no recording's name is like {pattern!r}; they are like "
                f"{names[0]!r}"
            )
        both = fits & (sides == "test")
        if both.any():
            raise InputError(
                f"data.split: a recording is in one split, but {names[int(both.argmax())]!r} fits "
                f"the patterns of valid, {split.valid!r}, and of test, {split.test!r}"
            )
        sides[fits] = part
    return sides


def named(frame: pd.DataFrame, split: Files | Column | Given) -> np.ndarray:
    """[items] split names from the frame's column `part`.

    Raises:
        InputError: a name other than train, valid or test.
    """
    names = frame["part"].astype(str).to_numpy(dtype=str)
    wrong = ~np.isin(names, SPLITS)
    if wrong.any():
        row = int(wrong.argmax())
        key = split.name if isinstance(split, Column) else "part"
        raise InputError(
            f"data.split: column {key!r} must say train, valid or test, but {int(wrong.sum())} "
            f"rows say something else, the first is row {row + 1} ({str(names[row])!r}); "
            "rename them"
        )
    return names.astype("<U5")


def _together(hashes: np.ndarray, grouped: bool) -> str:
    """Which of the items that are split by hash lie in one split, for the message."""
    different = len(np.unique(hashes))
    if grouped and len(hashes):
        return f" in {different} groups, each of which lies in one split"
    if different < len(hashes):
        same = "all equal" if different == 1 else f"{different} different ones"
        return f", which are {same}, and equal items lie in one split"
    return ""


def refuse_empty(
    rows: Rows,
    count: int,
    among: str = "",
    remedy: str = "give it a larger fraction",
    single: str | None = None,
) -> None:
    """Raise InputError for a split without items.

    Args:
        count: number of items in all splits.
        among: which of them lie in one split, for the message.
        remedy: for the message.
        single: why the source has only one item, and what to do; None: it has more.
    """
    for part in SPLITS:
        if not len(rows[part]):
            if single is not None:
                raise InputError(f"data.split: every split needs at least one item, but {single}")
            raise InputError(
                f"data.split: every split needs at least one item, but {part} has none of the "
                f"{count}{among}; {remedy}, or give more data"
            )


def duplicates(frame: pd.DataFrame, form: Form, rows: Rows) -> dict[str, int]:
    """Number of items in valid and test whose content occurs in an earlier split."""
    hashes = positions(frame[CONTENT[form]].tolist())
    train, valid, test = (hashes[rows[split]] for split in SPLITS)
    earlier = np.concatenate([train, valid])
    return {"valid": int(np.isin(valid, train).sum()), "test": int(np.isin(test, earlier).sum())}
