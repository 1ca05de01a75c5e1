"""Many-to-one examples: a text's tokens, or frames, and one label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnkit.data.prepare.audio import heard
from rnnkit.data.prepare.built import (
    Built,
    begin,
    counts,
    cut,
    index_labels,
    numbered,
    refuse_no_tokens,
    tensor,
    token_facts,
)
from rnnkit.data.prepare.prepared import UNKNOWN, Part
from rnnkit.data.prepare.scale import fit_frames, scaled
from rnnkit.data.prepare.split import duplicates, split_items
from rnnkit.data.prepare.tokenize import fit
from rnnkit.params.data import Data
from rnnkit.params.task import Classification

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Classification) -> Built:
    """Tokenise (or scale the frames), number the labels, split.

    Args:
        frame: text or frames, and label.

    Raises:
        InputError: too little data.
    """
    form = data.source.form
    rows = split_items(frame, form, data)
    twice = duplicates(frame, form, rows)
    if form == "audio":
        frame = heard(frame, data, rows)
    numbers = form in ("frames", "audio")
    names = {part: frame["label"].iloc[found].tolist() for part, found in rows.items()}
    labels = index_labels(names, "label")
    content = frame["frames" if numbers else "text"]
    tokenizer = scaler = None
    if form == "frames" or (form == "audio" and data.features.normalize == "none"):
        scaler = fit_frames(data, frame, content.iloc[rows["train"]].tolist())
    if not numbers:
        tokenizer = fit(data.tokenizer, content.iloc[rows["train"]].tolist(), end=False)
    parts, truncated, unknown = {}, {}, {}
    for part, found in rows.items():
        items = content.iloc[found].tolist()
        if tokenizer is None:
            flat, lengths = scaled(items, scaler)
        else:
            flat, lengths = tokenizer.encode(items)
            unknown[part] = float((flat == UNKNOWN).mean()) if len(flat) else 0.0
        refuse_no_tokens(part, lengths, found)
        kept, truncated[part] = cut(lengths, data.max_length)
        parts[part] = Part(
            inputs=tensor(flat),
            input_start=tensor(begin(lengths)),
            input_length=tensor(kept),
            targets=tensor(numbered(names[part], labels)),
            target_start=tensor(np.arange(len(found))),
            target_length=tensor(np.ones(len(found), dtype=np.int64)),
            item=tensor(found),
            synced=False,
        )
    facts = token_facts(parts, tokenizer, truncated) | {
        "unknown": unknown,
        "duplicates": twice,
        "labels": counts(names, labels),
    }
    recordings = dict[int, str]()
    if form == "audio":
        facts["rate"] = frame.attrs["rate"]
        held_out = [*rows["valid"].tolist(), *rows["test"].tolist()]
        recordings = {row: frame["name"].iloc[row] for row in held_out}
    features = content.iloc[rows["train"][0]].shape[1] if numbers else None
    return Built(parts, tokenizer, labels, scaler, features, facts, sources=recordings)
