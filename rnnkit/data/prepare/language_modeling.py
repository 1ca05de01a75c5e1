"""Synced examples: the next token at every step of a stream.

A part is one stream, `<eos>` and then each item followed by `<eos>`. Inputs are the stream without
its last token, targets the stream without its first: every token of every item and every item's
end is predicted exactly once. The stream is cut into windows that follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.prepare.built import Built, refuse_no_tokens, tensor, token_facts
from rnnkit.data.prepare.prepared import END, UNKNOWN, Part
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.tokenize import fit
from rnnkit.data.prepare.windows import stream_windows
from rnnkit.params.data import Data
from rnnkit.params.task import LanguageModeling

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: LanguageModeling) -> Built:
    """Tokenise, join, cut into windows of `data.max_length`, or one for each item where it is null.

    Args:
        frame: text, in the order of appearance.

    Raises:
        InputError: too little data.
    """
    rows = split_items(frame, "text", data)
    texts = {part: frame["text"].iloc[found].tolist() for part, found in rows.items()}
    tokenizer = fit(data.tokenizer, texts["train"], end=True)
    parts, unknown = {}, {}
    for part, found in rows.items():
        flat, lengths = tokenizer.encode(texts[part])
        refuse_no_tokens(part, lengths, found)
        unknown[part] = float((flat == UNKNOWN).mean())
        parts[part] = stream_part(flat, lengths, found, data.max_length)
    facts = token_facts(parts, tokenizer, dict.fromkeys(parts, 0)) | {
        "unknown": unknown,
        "duplicates": duplicates(frame, "text", rows),
        "texts": {part: len(found) for part, found in rows.items()},
    }
    return Built(parts, tokenizer, None, None, None, facts)


def stream_part(
    flat: np.ndarray, lengths: np.ndarray, rows: np.ndarray, window: int | None
) -> Part:
    """A part's stream in windows.

    Args:
        flat: [tokens] of all items, one after the other.
        lengths: [items]
        rows: [items] of the source's frame.
        window: steps; None: one window for each item.
    """
    stream = tensor(np.concatenate([[END], np.insert(flat, np.cumsum(lengths), END)]))
    start, length = stream_windows(lengths + 1, window)
    owner = np.searchsorted(np.cumsum(lengths + 1), start, side="right")
    steps = tensor(length)
    return Part(
        inputs=stream,
        input_start=tensor(start),
        input_length=steps,
        targets=stream,
        target_start=tensor(start + 1),
        target_length=steps,
        item=tensor(rows[owner]),
        synced=True,
    )
