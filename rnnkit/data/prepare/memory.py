"""Sequences of a memory problem: drawn, part by part, and numbered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rnnkit.data.prepare import problems
from rnnkit.data.prepare.built import Built, begin, index_labels, numbered, tensor, token_facts
from rnnkit.data.prepare.prepared import PARTS, Part
from rnnkit.data.prepare.tokenize import FittedTokenizer, fit_tokens
from rnnkit.params.data import Data, Words
from rnnkit.params.source import Generated
from rnnkit.params.task import Memory
from rnnkit.runtime import numerics

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Memory) -> Built:
    """Draw every part with a seed of its own; the alphabet is the training part's.

    Args:
        frame: part, a row for each sequence.
    """
    assert isinstance(data.source, Generated)
    drawn = {}
    for part in PARTS:
        count = int((frame["part"] == part).sum())
        seed = numerics.seed_of(data.source.seed, task.problem, task.length, part)
        count = count if data.limit is None else min(count, data.limit)
        drawn[part] = getattr(problems, task.problem)(
            count, task.length, np.random.default_rng(seed)
        )
    if task.numbers:
        parts = {part: _marked(*found) for part, found in drawn.items()}
        return Built(parts, None, None, None, 2, token_facts(parts, None, dict.fromkeys(PARTS, 0)))
    tokenizer = fit_tokens(Words(), drawn["train"][0])
    synced = task.topology == "synced"
    names = {
        part: list(chain.from_iterable(targets)) if synced else list(targets)
        for part, (_, targets) in drawn.items()
    }
    labels = index_labels(names, "answer")
    parts = {
        part: _symbols(sequences, names[part], labels, tokenizer, synced)
        for part, (sequences, _) in drawn.items()
    }
    facts = token_facts(parts, tokenizer, dict.fromkeys(PARTS, 0))
    return Built(parts, tokenizer, labels, None, None, facts)


def _marked(sequences: list[np.ndarray], sums: np.ndarray) -> Part:
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    return _one_answer(
        np.concatenate(sequences).astype(np.float32), lengths, sums[:, None].astype(np.float32)
    )


def _symbols(
    sequences: Sequence[Any],
    names: list[str],
    labels: tuple[str, ...],
    tokenizer: FittedTokenizer,
    synced: bool,
) -> Part:
    flat, lengths = tokenizer.encode_tokens(sequences)
    targets = numbered(names, labels)
    if not synced:
        return _one_answer(flat, lengths, targets)
    start, length = tensor(begin(lengths)), tensor(lengths)
    item = tensor(np.arange(len(lengths)))
    return Part(tensor(flat), start, length, tensor(targets), start, length, item, synced=True)


def _one_answer(flat: np.ndarray, lengths: np.ndarray, targets: np.ndarray) -> Part:
    each = tensor(np.arange(len(lengths)))
    return Part(
        inputs=tensor(flat),
        input_start=tensor(begin(lengths)),
        input_length=tensor(lengths),
        targets=tensor(targets),
        target_start=each,
        target_length=torch.ones_like(each),
        item=each,
        synced=False,
    )
