"""What a task's builder gives to the store, and the array work that builders share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.prepared import Part
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.errors import InputError
from rnnkit.params.block import FrozenDict


@dataclass(frozen=True, eq=False)
class Built:
    """Everything of `Prepared` but its hash, and the tokenizer."""

    parts: Mapping[str, Part]
    tokenizer: FittedTokenizer | None
    labels: tuple[str, ...] | None
    scaler: Scaler | None
    features: int | None
    facts: Mapping[str, Any]
    letters: tuple[str, ...] | None = None
    target: FittedTokenizer | None = None
    references: Mapping[int, str] = FrozenDict()
    sources: Mapping[int, str] = FrozenDict()


def tensor(array: np.ndarray) -> Tensor:
    """An array as a tensor of its own memory."""
    return torch.from_numpy(np.ascontiguousarray(array))


def begin(lengths: np.ndarray) -> np.ndarray:
    """Where items begin that lie one behind the other.

    >>> begin(np.array([3, 1, 2])).tolist()
    [0, 3, 4]
    """
    starts: np.ndarray = np.cumsum(lengths) - lengths
    return starts


def cut(lengths: np.ndarray, longest: int | None) -> tuple[np.ndarray, int]:
    """The lengths, cut to `longest`, and how many items that shortened."""
    if longest is None:
        return lengths, 0
    return np.minimum(lengths, longest), int((lengths > longest).sum())


def refuse_no_tokens(part: str, lengths: np.ndarray, rows: np.ndarray) -> None:
    """Raise InputError for items that the tokenizer leaves nothing of."""
    if (lengths == 0).any():
        raise InputError(
            f"data.source: every item needs at least one token, but {int((lengths == 0).sum())} of "
            f"the {part} part have none, the first is row {int(rows[lengths.argmin()]) + 1}; "
            "leave them out or choose another tokenizer"
        )


def index_labels(names: Mapping[str, list[str]], what: str) -> tuple[str, ...]:
    """The sorted labels of the training part.

    Args:
        names: part -> every label in it.
        what: `label` or `tag`, for the message.

    Raises:
        InputError: one label only, or one that the training part lacks.
    """
    known = sorted(set(names["train"]))
    if len(known) < 2:
        raise InputError(
            f"data.source: at least two different {what}s are needed in the training part, but all "
            f"are {known[0]!r}; check `data.source` and `data.split`"
        )
    refuse_unseen(names, what)
    return tuple(known)


def refuse_unseen(names: Mapping[str, list[str]], what: str) -> None:
    """Raise InputError for a label that the training part lacks.

    Args:
        names, what: as of `index_labels`.
    """
    known = set(names["train"])
    for part in ("valid", "test"):
        unseen = sorted(set(names[part]) - known)
        if unseen:
            raise InputError(
                f"data.split: every {what} must occur in the training part, but {part} has "
                f"{len(unseen)} that do not, the first is {unseen[0]!r}; "
                f"give more data, merge rare {what}s or change the split"
            )


def numbered(names: list[str], labels: tuple[str, ...]) -> np.ndarray:
    """Labels as int64 numbers of the sorted labels."""
    index = {label: number for number, label in enumerate(labels)}
    return np.fromiter((index[name] for name in names), np.int64, len(names))


def counts(names: Mapping[str, list[str]], labels: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """part -> label -> how often it occurs."""
    return {
        part: dict(
            zip(
                labels,
                np.bincount(numbered(found, labels), minlength=len(labels)).tolist(),
                strict=True,
            )
        )
        for part, found in names.items()
    }


def token_facts(
    parts: Mapping[str, Part], tokenizer: FittedTokenizer | None, truncated: Mapping[str, int]
) -> dict[str, Any]:
    """items, tokens, longest, unknown, truncated and vocabulary, as `Prepared` describes them."""
    facts: dict[str, Any] = {
        "items": {part: len(examples) for part, examples in parts.items()},
        "tokens": {part: int(examples.input_length.sum()) for part, examples in parts.items()},
        "longest": {part: int(examples.input_length.max()) for part, examples in parts.items()},
        "truncated": dict(truncated),
    }
    if tokenizer is not None:
        facts["vocabulary"] = len(tokenizer.vocabulary) - 1
    return facts
