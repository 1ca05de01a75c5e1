"""Examples whose target is a sequence of its own: translation and captioning.

What is written ends with the end token, which also stands before its first token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.prepare.built import (
    Built,
    begin,
    refuse_no_tokens,
    refuse_unseen,
    tensor,
    token_facts,
)
from rnnkit.data.prepare.prepared import END, UNKNOWN, Part
from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.prepare.scale import fit as fit_scaler
from rnnkit.data.prepare.split import Rows, duplicates, split_items
from rnnkit.data.prepare.tokenize import FittedTokenizer, fit, fit_tokens
from rnnkit.data.prepare.vector import stacked
from rnnkit.errors import InputError
from rnnkit.params.data import Data, Words
from rnnkit.params.task import Captioning, Translation

if TYPE_CHECKING:
    import pandas as pd

Flat = tuple[np.ndarray, np.ndarray]  # all items one after the other, and how long each is


def build_translation(frame: pd.DataFrame, data: Data, task: Translation) -> Built:
    """Split, learn both vocabularies from the training part, number the tokens.

    Args:
        frame: source and target.

    Raises:
        InputError: too little data, a side without tokens, nothing short enough to train on.
    """
    rows = split_items(frame, "pairs", data)
    train = frame.iloc[rows["train"]]
    sources, targets = train["source"].tolist(), train["target"].tolist()
    if data.joint:
        tokenizer = target = fit(data.tokenizer, sources + targets, end=True)
    else:
        tokenizer = fit(data.tokenizer, sources, end=False)
        target = fit(data.target_tokenizer or data.tokenizer, targets, end=True)
    read = {part: tokenizer.encode(frame["source"].iloc[r].tolist()) for part, r in rows.items()}
    return _built(frame, rows, read, tokenizer, target, data, None, None)


def build_captioning(frame: pd.DataFrame, data: Data, task: Captioning) -> Built:
    """Split, scale the vectors or number the categories, learn what is written.

    Args:
        frame: vector and target; or label, the category, and text.

    Raises:
        InputError: too little data, vectors of different sizes, a category that training has not
            seen, a text without tokens, nothing short enough to train on.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    if form == "labelled_text":
        frame = frame.assign(target=frame["text"])
        labels = [[label] for label in frame["label"]]
        refuse_unseen({part: frame["label"].iloc[r].tolist() for part, r in rows.items()}, "label")
        tokenizer = fit_tokens(Words(), [labels[row] for row in rows["train"]])
        read = {part: tokenizer.encode_tokens([labels[r] for r in r]) for part, r in rows.items()}
        scaler = width = None
    else:
        frame = frame.assign(target=frame["target"].map(lambda row: row[0]))
        vectors = stacked(frame["vector"].tolist())
        scaler = fit_scaler(data.scaling, vectors[rows["train"]], frame.attrs["columns"], ())
        read = {part: _steps(vectors[r], scaler) for part, r in rows.items()}
        tokenizer, width = None, vectors.shape[1]
    target = fit(data.tokenizer, frame["target"].iloc[rows["train"]].tolist(), end=True)
    return _built(frame, rows, read, tokenizer, target, data, scaler, width)


def _steps(vectors: np.ndarray, scaler: Scaler) -> Flat:
    """Each vector as a sequence of one step."""
    return scaler.transform(vectors).astype(np.float32), np.ones(len(vectors), np.int64)


def _built(
    frame: pd.DataFrame,
    rows: Rows,
    read: Mapping[str, Flat],
    tokenizer: FittedTokenizer | None,
    target: FittedTokenizer,
    data: Data,
    scaler: Scaler | None,
    width: int | None,
) -> Built:
    parts, unknown, left_out = {}, {}, 0
    for part, found in rows.items():
        wanted = target.encode(frame["target"].iloc[found].tolist())
        unknown[part] = float((wanted[0] == UNKNOWN).mean())
        for side in (read[part], wanted):
            refuse_no_tokens(part, side[1], found)
        parts[part] = written_part(read[part], wanted, found)
        if part == "train" and data.max_length is not None:
            parts[part], left_out = short(parts[part], data.max_length)
    counted = {part: int(examples.target_length.sum()) for part, examples in parts.items()}
    longest = {part: int(examples.target_length.max()) for part, examples in parts.items()}
    facts = token_facts(parts, tokenizer, dict.fromkeys(parts, 0)) | {
        "unknown": unknown,
        "duplicates": duplicates(frame, data.source.form, rows),
        "targets": counted,
        "longest_target": longest,
        "target_vocabulary": len(target.vocabulary) - 1,
        "left_out": left_out,
    }
    held_out = [*rows["valid"].tolist(), *rows["test"].tolist()]
    return Built(
        parts,
        tokenizer,
        None,
        scaler,
        width,
        facts,
        target=target,
        references=as_text(frame["target"], held_out, target),
        sources=as_text(frame["source"], held_out, target) if "source" in frame else {},
    )


def written_part(read: Flat, wanted: Flat, rows: np.ndarray) -> Part:
    """Items that read one thing and are to write another, with an end behind it.

    Args:
        read: what is read: tokens, or [steps, features].
        wanted: the tokens to write.
        rows: [items] of the source's frame.
    """
    (inputs, lengths), (tokens, counts) = read, wanted
    tokens = np.insert(tokens, np.cumsum(counts), END)
    return Part(
        inputs=tensor(inputs),
        input_start=tensor(begin(lengths)),
        input_length=tensor(lengths),
        targets=tensor(tokens),
        target_start=tensor(begin(counts + 1)),
        target_length=tensor(counts + 1),
        item=tensor(rows),
        synced=False,
        unaligned=True,
    )


def as_text(column: pd.Series, rows: list[int], target: FittedTokenizer) -> dict[int, str]:
    """By their rows, the texts of a column, cut as what is written will be."""
    texts = column.iloc[rows].tolist()
    return {row: target.normal(text) for row, text in zip(rows, texts, strict=True)}


def short(part: Part, longest: int) -> tuple[Part, int]:
    """The items of which neither side is too long, and how many are left out."""
    kept = (part.input_length <= longest) & (part.target_length <= longest + 1)
    if not bool(kept.any()):
        raise InputError(
            f"data.max_length: every item of the training part is longer than {longest}, and "
            "nothing is left to train on; raise it"
        )
    short = Part(
        inputs=part.inputs,
        input_start=part.input_start[kept],
        input_length=part.input_length[kept],
        targets=part.targets,
        target_start=part.target_start[kept],
        target_length=part.target_length[kept],
        item=part.item[kept],
        synced=False,
        unaligned=True,
    )
    return short, int((~kept).sum())
