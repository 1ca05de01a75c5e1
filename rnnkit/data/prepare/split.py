"""Which row of a frame is in which part: by hash, by time, by file or by column.

A hash decides by an item's content (or its group), so an item never changes side when data are
added, and equal items are never on two sides.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnkit.data.prepare.part import PARTS
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Data, FileNames, Files, Fractions, Given, Time
from rnnkit.params.source import Form

if TYPE_CHECKING:
    import pandas as pd

CONTENT: Mapping[Form, str] = {  # the column that says what an item is
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
Rows = dict[str, np.ndarray]  # part -> row numbers


def position(content: Any) -> float:
    """Where a content lies on [0, 1), by its hash: evenly spread, the same for ever.

    >>> 0 <= position("a") < 1 and position("a") == position("a") != position("b")
    True
    """
    if isinstance(content, np.ndarray):
        raw = content.tobytes()
    elif isinstance(content, list):
        raw = "\0".join(map(str, content)).encode()
    else:
        raw = str(content).encode()
    return int.from_bytes(blake2b(raw, digest_size=8).digest()[:6], "big") / 2**48


def positions(contents: Sequence[Any]) -> np.ndarray:
    """[items] the position of each content."""
    return np.fromiter((position(content) for content in contents), float, len(contents))


def split_items(frame: pd.DataFrame, form: Form, data: Data) -> Rows:
    """The rows of each part in ascending order, at most `data.limit` of each.

    With a limit: the first in order of appearance for text, the first by hash for other items.

    Args:
        frame: any form but a series.

    Raises:
        InputError: a part is empty, the shares leave nothing for training, the part's name is
            unknown, or the split needs a time column.
    """
    contents = frame[CONTENT[form]].tolist()
    by_content = positions(contents)
    by_group = positions(frame["group"].tolist()) if "group" in frame else by_content
    split = data.split
    if isinstance(split, Time):
        raise InputError(
            "data.split: a split by time needs a series, and this source has no time; "
            "use `split: {kind: fractions}`"
        )
    if isinstance(split, Fractions):
        sides = _by_hash(by_group, split.valid, split.test)
    elif isinstance(split, FileNames):
        sides = _by_name([Path(name).name for name in frame["name"]], by_content, split)
    else:
        sides = named(frame, split)
        if isinstance(split, Files) and not isinstance(split.valid, str):
            train = sides == "train"
            sides[train] = _by_hash(by_group[train], split.valid, 0.0)
    rows = {part: np.flatnonzero(sides == part) for part in PARTS}
    by_hash = isinstance(split, Fractions | Files)
    groups = frame["group"].nunique() if by_hash and "group" in frame else None
    refuse_empty(rows, len(frame), groups, "name" if isinstance(split, FileNames) else "share")
    if data.limit is not None:
        for part, found in rows.items():
            if form != "text":
                found = found[np.argsort(by_content[found], kind="stable")]
            rows[part] = np.sort(found[: data.limit])
    return rows


def keep_by_hash(rows: Rows, contents: Sequence[Any], limit: int | None) -> Rows:
    """At most so many rows of each part: the first by their contents' hash."""
    if limit is None:
        return rows
    where = positions(contents)
    return {
        part: np.sort(found[np.argsort(where[found], kind="stable")][:limit])
        for part, found in rows.items()
    }


def _by_hash(where: np.ndarray, valid: float, test: float) -> np.ndarray:
    """[items] part names: the first share is test, the next valid, the rest train."""
    if valid + test >= 1:
        raise InputError(
            f"data.split: valid and test must leave something for training, but {valid} and {test} "
            "make 1 or more; give smaller shares"
        )
    sides = np.where(where < test, "test", np.where(where < test + valid, "valid", "train"))
    return sides.astype("<U5")


def _by_name(names: list[str], where: np.ndarray, split: FileNames) -> np.ndarray:
    """[items] part names: by the patterns, and by hash where valid is a share."""
    for part, pattern in (("test", split.test), ("valid", split.valid)):
        if isinstance(pattern, str) and not fnmatch.filter(names, pattern):
            raise InputError(
                f"data.split.{part}: no recording's name is like {pattern!r}; they are like "
                f"{names[0]!r}"
            )
    test = np.array([fnmatch.fnmatchcase(name, split.test) for name in names])
    sides = np.where(test, "test", "train").astype("<U5")
    if isinstance(split.valid, str):
        valid = np.array([fnmatch.fnmatchcase(name, split.valid) for name in names])
        both = valid & test
        if both.any():
            raise InputError(
                f"data.split: a recording is in one part, but {names[int(both.argmax())]!r} fits "
                f"the patterns of valid, {split.valid!r}, and of test, {split.test!r}"
            )
        sides[valid] = "valid"
    else:
        sides[~test] = _by_hash(where[~test], split.valid, 0.0)
    return sides


def named(frame: pd.DataFrame, split: Files | Column | Given) -> np.ndarray:
    """[items] part names, as the frame's column `part` has them.

    Raises:
        InputError: another name than train, valid or test.
    """
    names = frame["part"].astype(str).to_numpy(dtype=str)
    wrong = ~np.isin(names, PARTS)
    if wrong.any():
        row = int(wrong.argmax())
        key = split.name if isinstance(split, Column) else "part"
        raise InputError(
            f"data.split: column {key!r} must say train, valid or test, but {int(wrong.sum())} "
            f"rows say something else, the first is row {row + 1} ({str(names[row])!r}); "
            "rename them"
        )
    return names.astype("<U5")


def refuse_empty(
    rows: Mapping[str, np.ndarray], count: int, groups: int | None = None, by: str = "share"
) -> None:
    """Raise InputError for a part without items.

    Args:
        count: how many there are over all parts.
        groups: how many groups they are in, each of which lies in one part; None: in none.
        by: what says which part an item is in: a share, or patterns of names.
    """
    among = "" if groups is None else f" in {groups} groups, each of which lies in one part"
    more = "give it a larger share" if by == "share" else "let the patterns leave it some"
    for part in PARTS:
        if not len(rows[part]):
            raise InputError(
                f"data.split: every part needs at least one item, but {part} has none of the "
                f"{count}{among}; {more}, or give more data"
            )


def duplicates(frame: pd.DataFrame, form: Form, rows: Rows) -> dict[str, int]:
    """How many items of valid and of test have the content of an item in an earlier part."""
    contents = frame[CONTENT[form]].tolist()
    seen: set[float] = set()
    counts = {}
    for part in PARTS:
        found = [position(contents[row]) for row in rows[part]]
        if part != "train":
            counts[part] = sum(where in seen for where in found)
        seen.update(found)
    return counts
