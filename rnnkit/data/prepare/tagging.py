"""Synced examples: a tag for every token of an item."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rnnkit.data.prepare import tagged_frames
from rnnkit.data.prepare.built import (
    Built,
    begin,
    counts,
    cut,
    index_labels,
    numbered,
    tensor,
    token_facts,
)
from rnnkit.data.prepare.prepared import UNKNOWN, Part
from rnnkit.data.prepare.spelling import alphabet, with_letters
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.tokenize import fit_tokens
from rnnkit.errors import InputError
from rnnkit.params.data import Characters, Data
from rnnkit.params.task import Tagging

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Tagging) -> Built:
    """Number the tokens, which are units already, and the tags; split.

    Args:
        frame: tokens and tags, lists of equal length; or frames and tags.

    Raises:
        InputError: too little data, or characters were asked for and the tokens are longer.
    """
    if data.source.form == "tagged_frames":
        return tagged_frames.build(frame, data, task)
    rows = split_items(frame, "tagged", data)
    if isinstance(data.tokenizer, Characters):
        _characters(frame["tokens"].tolist())
    tokens = {part: frame["tokens"].iloc[found].tolist() for part, found in rows.items()}
    tags = {part: frame["tags"].iloc[found].tolist() for part, found in rows.items()}
    names = {part: list(chain.from_iterable(found)) for part, found in tags.items()}
    labels = index_labels(names, "tag")
    tokenizer = fit_tokens(data.tokenizer, tokens["train"])
    most: int | None = getattr(data.tokenizer, "spelling", None)
    letters = None if most is None else alphabet(tokens["train"])
    parts, truncated, unknown = {}, {}, {}
    for part, found in rows.items():
        flat, lengths = tokenizer.encode_tokens(tokens[part])
        kept, truncated[part] = cut(lengths, data.max_length)
        unknown[part] = float((flat == UNKNOWN).mean())
        start, length = tensor(begin(lengths)), tensor(kept)
        ids = (
            flat
            if most is None or letters is None
            else with_letters(flat, tokens[part], letters, most)
        )
        parts[part] = Part(
            inputs=tensor(ids),
            input_start=start,
            input_length=length,
            targets=tensor(numbered(names[part], labels)),
            target_start=start,
            target_length=length,
            item=tensor(found),
            synced=True,
        )
    facts = token_facts(parts, tokenizer, truncated) | {
        "unknown": unknown,
        "duplicates": duplicates(frame, "tagged", rows),
        "labels": counts(names, labels),
    }
    return Built(parts, tokenizer, labels, None, None, facts, letters)


def _characters(items: list[list[str]]) -> None:
    for row, tokens in enumerate(items):
        for token in tokens:
            if len(token) != 1:
                raise InputError(
                    f"data.tokenizer: characters need tokens of one character, but row {row + 1} "
                    f"has {token[:40]!r}; use `tokenizer: {{kind: words}}`"
                )
