"""What is heard of recordings, and the tokens that are said in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rnnkit.data.prepare.audio import heard
from rnnkit.data.prepare.built import Built, begin, refuse_no_tokens, tensor, token_facts
from rnnkit.data.prepare.prepared import UNKNOWN, Part
from rnnkit.data.prepare.scale import fit_frames, scaled
from rnnkit.data.prepare.split import Rows, duplicates, split_items
from rnnkit.data.prepare.tokenize import fit
from rnnkit.data.prepare.writing import Flat, short
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.source import Audio, Join
from rnnkit.params.task import Transcription
from rnnkit.runtime import numerics

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Transcription) -> Built:
    """Split, join where it is asked for, hear, number the tokens.

    Args:
        frame: samples and text.

    Raises:
        InputError: too little data, a transcript without tokens or with more than it has frames.
    """
    rows = split_items(frame, "audio", data)
    twice = duplicates(frame, "audio", rows)
    if isinstance(data.source, Audio) and data.source.join is not None:
        frame, rows = joined(frame, rows, data.source.join)
    seconds = {
        part: float(sum(map(len, frame["samples"].iloc[found])) / frame.attrs["rate"])
        for part, found in rows.items()
    }
    frame = heard(frame, data, rows)
    scaler = None
    if data.features.normalize == "none":
        scaler = fit_frames(data, frame, frame["frames"].iloc[rows["train"]].tolist())
    target = fit(data.tokenizer, frame["text"].iloc[rows["train"]].tolist(), end=False)
    parts, unknown, left_out = {}, {}, 0
    for part, found in rows.items():
        wanted = target.encode(frame["text"].iloc[found].tolist())
        unknown[part] = float((wanted[0] == UNKNOWN).mean())
        refuse_no_tokens(part, wanted[1], found)
        read = scaled(frame["frames"].iloc[found].tolist(), scaler)
        parts[part] = said_part(read, wanted, found, frame["name"].iloc[found].tolist())
        if part == "train" and data.max_length is not None:
            parts[part], left_out = short(parts[part], data.max_length)
    facts = token_facts(parts, None, dict.fromkeys(parts, 0)) | {
        "unknown": unknown,
        "duplicates": twice,
        "targets": {part: int(one.target_length.sum()) for part, one in parts.items()},
        "longest_target": {part: int(one.target_length.max()) for part, one in parts.items()},
        "target_vocabulary": len(target.vocabulary) - 1,
        "left_out": left_out,
        "seconds": seconds,
        "rate": frame.attrs["rate"],
    }
    held_out = [*rows["valid"].tolist(), *rows["test"].tolist()]
    told = {row: target.normal(frame["text"].iloc[row]) for row in held_out}
    width = len(frame.attrs["columns"])
    names = {row: frame["name"].iloc[row] for row in held_out}
    return Built(
        parts, None, None, scaler, width, facts, target=target, references=told, sources=names
    )


def said_part(read: Flat, wanted: Flat, rows: np.ndarray, names: list[str]) -> Part:
    """Recordings and the tokens said in them.

    Args:
        read: [frames, features] of all.
        wanted: the tokens of all.
        rows: [items] of the source's frame.
        names: what recordings are called.

    Raises:
        InputError: more tokens than frames, counting one more between two that are equal: nothing
            could be right.
    """
    (frames, lengths), (tokens, counts) = read, wanted
    start = begin(counts)
    for item, count in enumerate(counts):
        own = tokens[start[item] : start[item] + count]
        needed = int(count + (own[1:] == own[:-1]).sum())
        if needed > lengths[item]:
            raise InputError(
                f"{names[item]}: its transcript needs {needed} frames, one for each of its {count} "
                f"tokens and one between two that are equal, and the recording has "
                f"{lengths[item]}; correct the transcript, leave it out, or lower "
                "data.features.hop"
            )
    return Part(
        inputs=tensor(frames),
        input_start=tensor(begin(lengths)),
        input_length=tensor(lengths),
        targets=tensor(tokens),
        target_start=tensor(start),
        target_length=tensor(counts),
        item=tensor(rows),
        synced=False,
        unaligned=True,
    )


def joined(frame: pd.DataFrame, rows: Rows, join: Join) -> tuple[pd.DataFrame, Rows]:
    """Strings of recordings, drawn for each part from its own, without one twice in a string.

    Args:
        frame: samples, text, name and group.
        rows: of each part.
        join: how many, and how long.

    Raises:
        InputError: a group has fewer recordings in a part than a string needs.
    """
    import pandas as pd

    samples, texts, names, groups = (
        frame[name].tolist() for name in ("samples", "text", "name", "group")
    )
    strings: dict[str, list[object]] = {name: [] for name in ("samples", "text", "name", "group")}
    found, count = {}, 0
    for part in rows:
        draw = numerics.generator(join.seed, "join", part)
        of: dict[object, list[int]] = {}
        for row in rows[part].tolist():
            of.setdefault(groups[row], []).append(row)
        fewest = min(of, key=lambda group: len(of[group]))
        if len(of[fewest]) < join.high:
            raise InputError(
                f"data.source.join.high: {join.high} recordings are joined, and {fewest!r} has "
                f"{len(of[fewest])} in the {part} part; lower it"
            )
        wanted = getattr(join, part)
        for _ in range(wanted):
            group = list(of)[int(torch.randint(len(of), (), generator=draw))]
            size = int(torch.randint(join.low, join.high + 1, (), generator=draw))
            order = torch.randperm(len(of[group]), generator=draw)[:size].tolist()
            chosen = [of[group][k] for k in order]
            strings["samples"].append(np.concatenate([samples[row] for row in chosen]))
            strings["text"].append(" ".join(texts[row] for row in chosen))
            strings["name"].append(" + ".join(names[row] for row in chosen))
            strings["group"].append(group)
        found[part] = np.arange(count, count + wanted)
        count += wanted
    result = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in strings.items()}
    )
    result.attrs = frame.attrs
    return result, found
