"""Baselines of tasks whose targets are texts."""

from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.params.block import FrozenDict
from rnnkit.tasks.classification.baselines import token_counts
from rnnkit.tasks.language_modeling.baselines import bigram, unigram
from rnnkit.tasks.sequence_to_sequence.examples import slices
from rnnkit.tasks.sequence_to_sequence.task import TextTask

KNOWN = 20_000
"""Training items among which the nearest one is sought, the first ones."""
TOGETHER = 512
"""Items that are compared with them at once."""


def copied_source(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The source itself, as if it needed no translation."""
    return task.text_metrics(split, [prepared.sources[row] for row in split.item.tolist()])


def constant_text(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the most frequent text of the training split."""
    counts = Counter(map(tuple, slices(prepared.splits["train"], "target")))
    text = task.target.decode(counts.most_common(1)[0][0])
    return task.text_metrics(split, [text] * len(split))


def nearest_source(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The target of the training source with the highest cosine of tf-idf vectors."""
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = token_counts(prepared.splits["train"], prepared)[:KNOWN]
    weigh = TfidfTransformer().fit(counts)
    known = weigh.transform(counts).T.tocsc()
    asked = weigh.transform(token_counts(split, prepared)).tocsr()
    nearest = [
        np.asarray((asked[begin : begin + TOGETHER] @ known).argmax(axis=1)).ravel()
        for begin in range(0, len(split), TOGETHER)
    ]
    return _targets_scored(task, prepared, split, np.concatenate(nearest))


def nearest_vector(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The text of the training split's nearest vector."""
    known, asked = (p.inputs[p.input_start].numpy() for p in (prepared.splits["train"], split))
    return _nearest(task, prepared, split, known[:KNOWN], asked)


def nearest_recording(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The transcript of the training recording whose features have the nearest means and
    standard deviations, and whose length is similar."""
    known, asked = _summary(prepared.splits["train"])[:KNOWN], _summary(split)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-6
    return _nearest(task, prepared, split, (known - mean) / deviation, (asked - mean) / deviation)


def unigram_text(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Each token with its frequency in the training split, whatever came before."""
    return unigram(task, _as_text(prepared), _next_tokens(split))


def bigram_text(task: TextTask, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Each token given the one before it, as the bigram of language modelling."""
    return bigram(task, _as_text(prepared), _next_tokens(split))


def _as_text(prepared: Prepared) -> Prepared:
    splits = {name: _next_tokens(split) for name, split in prepared.splits.items()}
    return replace(prepared, splits=FrozenDict(splits))


def _next_tokens(split: EncodedSplit) -> EncodedSplit:
    """The targets, each predicted from the one before it."""
    wanted, length = split.all_targets, split.target_length
    begins = length.cumsum(0) - length
    before = wanted.roll(1)
    before[begins] = END
    return EncodedSplit(before, begins, length, wanted, begins, length, split.item, synced=True)


def _summary(split: EncodedSplit) -> np.ndarray:
    """[items, 2 · features + 1] mean, standard deviation and the logarithm of the length."""
    rows = []
    for start, length in zip(split.input_start.tolist(), split.input_length.tolist(), strict=True):
        own = split.inputs[start : start + length].double()
        size = torch.tensor([float(length)]).log()
        rows.append(torch.cat([own.mean(dim=0), own.std(dim=0, unbiased=False), size]))
    summary: np.ndarray = torch.stack(rows).numpy()
    return summary


def _nearest(
    task: TextTask, prepared: Prepared, split: EncodedSplit, known: np.ndarray, asked: np.ndarray
) -> Metrics:
    """The targets of the nearest training items, by Euclidean distance."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=1).fit(known)
    nearest = neighbours.kneighbors(asked, return_distance=False)[:, 0]
    return _targets_scored(task, prepared, split, nearest)


def _targets_scored(
    task: TextTask, prepared: Prepared, split: EncodedSplit, rows: np.ndarray
) -> Metrics:
    """The metrics of the targets of training items."""
    ids = slices(prepared.splits["train"], "target")
    return task.text_metrics(split, [task.target.decode(ids[row]) for row in rows.tolist()])
