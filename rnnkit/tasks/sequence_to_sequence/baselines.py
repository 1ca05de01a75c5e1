"""Baselines of tasks whose targets are texts."""

from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.part import Part
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


def copied_source(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """The source itself, as if it needed no translation."""
    return task.text_metrics(part, [prepared.sources[row] for row in part.item.tolist()])


def constant_text(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """Always the most frequent text of the training split."""
    counts = Counter(map(tuple, slices(prepared.parts["train"], "target")))
    text = task.target.decode(counts.most_common(1)[0][0])
    return task.text_metrics(part, [text] * len(part))


def nearest_source(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """The target of the training source with the highest cosine of tf-idf vectors."""
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = token_counts(prepared.parts["train"], prepared)[:KNOWN]
    weigh = TfidfTransformer().fit(counts)
    known = weigh.transform(counts).T.tocsc()
    asked = weigh.transform(token_counts(part, prepared)).tocsr()
    nearest = [
        np.asarray((asked[begin : begin + TOGETHER] @ known).argmax(axis=1)).ravel()
        for begin in range(0, len(part), TOGETHER)
    ]
    return _targets_scored(task, prepared, part, np.concatenate(nearest))


def nearest_vector(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """The text of the training split's nearest vector."""
    known, asked = (p.inputs[p.input_start].numpy() for p in (prepared.parts["train"], part))
    return _nearest(task, prepared, part, known[:KNOWN], asked)


def nearest_recording(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """The transcript of the training recording whose features have the nearest means and
    standard deviations, and whose length is similar."""
    known, asked = _summary(prepared.parts["train"])[:KNOWN], _summary(part)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-6
    return _nearest(task, prepared, part, (known - mean) / deviation, (asked - mean) / deviation)


def unigram_text(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """Each token with its frequency in the training split, whatever came before."""
    return unigram(task, _as_text(prepared), _next_tokens(part))


def bigram_text(task: TextTask, prepared: Prepared, part: Part) -> Metrics:
    """Each token given the one before it, as the bigram of language modelling."""
    return bigram(task, _as_text(prepared), _next_tokens(part))


def _as_text(prepared: Prepared) -> Prepared:
    parts = {name: _next_tokens(part) for name, part in prepared.parts.items()}
    return replace(prepared, parts=FrozenDict(parts))


def _next_tokens(part: Part) -> Part:
    """The targets, each predicted from the one before it."""
    wanted, length = part.all_targets, part.target_length
    begins = length.cumsum(0) - length
    before = wanted.roll(1)
    before[begins] = END
    return Part(before, begins, length, wanted, begins, length, part.item, synced=True)


def _summary(part: Part) -> np.ndarray:
    """[items, 2 · features + 1] mean, standard deviation and the logarithm of the length."""
    rows = []
    for start, length in zip(part.input_start.tolist(), part.input_length.tolist(), strict=True):
        own = part.inputs[start : start + length].double()
        size = torch.tensor([float(length)]).log()
        rows.append(torch.cat([own.mean(dim=0), own.std(dim=0, unbiased=False), size]))
    summary: np.ndarray = torch.stack(rows).numpy()
    return summary


def _nearest(
    task: TextTask, prepared: Prepared, part: Part, known: np.ndarray, asked: np.ndarray
) -> Metrics:
    """The targets of the nearest training items, by Euclidean distance."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=1).fit(known)
    nearest = neighbours.kneighbors(asked, return_distance=False)[:, 0]
    return _targets_scored(task, prepared, part, nearest)


def _targets_scored(task: TextTask, prepared: Prepared, part: Part, rows: np.ndarray) -> Metrics:
    """The metrics of the targets of training items."""
    ids = slices(prepared.parts["train"], "target")
    return task.text_metrics(part, [task.target.decode(ids[row]) for row in rows.tolist()])
