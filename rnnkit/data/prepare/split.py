"""Split the rows of a frame by hash, file, file name or column.

The hash is of an item's content (or its group): items stay in their split when data are added, and
equal items are in one split.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.prepare.column_items import items_of
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
TRAIN, VALID, TEST = range(len(SPLITS))


def _position(content: Any) -> float:
    if isinstance(content, np.ndarray):
        raw = content.tobytes()
    elif isinstance(content, list):
        raw = "\0".join(map(str, content)).encode()
    else:
        raw = str(content).encode()
    return int.from_bytes(blake2b(raw, digest_size=8).digest()[:6], "big") / 2**48


def positions(contents: Iterable[Any]) -> np.ndarray:
    """[items] hash of each content in [0, 1): uniform and stable.

    >>> a, again, b = positions(["a", "a", "b"])
    >>> bool(0 <= a < 1 and a == again != b)
    True
    """
    return np.fromiter(map(_position, contents), float)


def _positions(column: pd.Series) -> np.ndarray:
    """`positions` of a column."""
    return np.fromiter(map(_position, items_of(column)), float, len(column))


def split_items(frame: pd.DataFrame, form: Form, data: Data) -> Rows:
    """Rows of each split in ascending order, at most `data.limit` of each.

    The limit keeps the first rows for text, and the first by hash for other items.

    Args:
        frame: any form except a series.

    Raises:
        InputError: an empty split, fractions that leave no training data, an unknown name of a
            split, or a split by time without times.
    """
    by_content = _positions(frame[CONTENT[form]])
    by_group = _positions(frame["group"]) if "group" in frame else by_content
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
            train = sides == TRAIN
            drawn = hashes[train]
            sides[train] = _by_hash(drawn, split.valid, 0.0)
    rows = {part: np.flatnonzero(sides == number) for number, part in enumerate(SPLITS)}
    by_name = isinstance(split, FileNames)
    remedy = "let the patterns leave it some" if by_name else "give it a larger fraction"
    grouped = "group" in frame and not by_name
    if not all(map(len, rows.values())):
        among = _together(drawn, grouped)
        refuse_empty(rows, len(frame), among, remedy, frame.attrs.get("single"))
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
    """[items] number of the split: the first fraction is test, the next valid, the rest train."""
    if valid + test >= 1:
        raise InputError(
            f"data.split: valid and test must leave something for training, but {valid} and {test} "
            "make 1 or more; give smaller shares"
        )
    sides = np.full(len(hashes), TRAIN, np.int8)
    sides[hashes < test + valid] = VALID
    sides[hashes < test] = TEST
    return sides


def _by_name(paths: pd.Series, split: FileNames) -> np.ndarray:
    """[items] number of the split by pattern; all others are train."""
    names = [Path(path).name for path in paths]
    sides = np.full(len(names), TRAIN, np.int8)
    for part, pattern in ((TEST, split.test), (VALID, split.valid)):
        if not isinstance(pattern, str):
            continue
        fits = np.array([fnmatch.fnmatchcase(name, pattern) for name in names])
        if not fits.any():
            raise InputError(
                f"data.split.{SPLITS[part]}: no recording's name is like {pattern!r}; they are "
                f"like {names[0]!r}"
            )
        both = fits & (sides == TEST)
        if both.any():
            raise InputError(
                f"data.split: a recording is in one split, but {names[int(both.argmax())]!r} fits "
                f"the patterns of valid, {split.valid!r}, and of test, {split.test!r}"
            )
        sides[fits] = part
    return sides


def named(frame: pd.DataFrame, split: Files | Column | Given) -> np.ndarray:
    """[items] number of the split, in the order of `SPLITS`, from the frame's column `part`.

    Raises:
        InputError: a name other than train, valid or test.
    """
    codes, names = pd.factorize(frame["part"].astype(str), use_na_sentinel=False)
    wrong = np.array([name not in SPLITS for name in names])
    if wrong.any():
        row = int(wrong[codes].argmax())
        key = split.name if isinstance(split, Column) else "part"
        raise InputError(
            f"data.split: column {key!r} must say train, valid or test, but "
            f"{int(wrong[codes].sum())} rows say something else, the first is row {row + 1} "
            f"({str(names[codes[row]])!r}); rename them"
        )
    return np.array([SPLITS.index(name) for name in names], np.int8)[codes]


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
    hashes = _positions(frame[CONTENT[form]])
    train, valid, test = (hashes[rows[split]] for split in SPLITS)
    return {
        "valid": _occurring(valid, train),
        "test": _occurring(test, np.concatenate([train, valid])),
    }


def _occurring(hashes: np.ndarray, earlier: np.ndarray) -> int:
    """How many are among earlier ones, which are sorted in place. (np.isin takes five times the
    memory.)"""
    earlier.sort()
    places = np.searchsorted(earlier, hashes).clip(max=len(earlier) - 1)
    return int((earlier[places] == hashes).sum())
