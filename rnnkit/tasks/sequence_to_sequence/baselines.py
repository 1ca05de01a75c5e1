"""Baselines of tasks whose targets are texts."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.ids import END
from rnnkit.data.prepare.part import Part, positions
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.params.block import FrozenDict
from rnnkit.tasks.classification.baselines import token_counts
from rnnkit.tasks.language_modeling.baselines import bigram, unigram

KNOWN = 20_000
"""Training items among which the nearest one is sought, the first ones."""
TOGETHER = 512
"""Items that are held against them at once."""


def copied_source(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """The source itself, as if it needed no translation."""
    return _scored(task, part, [prepared.sources[row] for row in part.item.tolist()])


def constant_text(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Always the most frequent text of the training part."""
    counts = Counter(tuple(ids) for ids in slices(prepared.parts["train"], "target"))
    text = task.target.decode(counts.most_common(1)[0][0])
    return _scored(task, part, [text] * len(part))


def nearest_source(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """The target of the training source that shares most tokens with it, rare ones counting more
    (tf-idf and the cosine)."""
    from sklearn.feature_extraction.text import TfidfTransformer

    train = _first(prepared.parts["train"])
    weigh = TfidfTransformer().fit(token_counts(train, prepared))
    known = weigh.transform(token_counts(train, prepared)).T.tocsc()
    asked = weigh.transform(token_counts(part, prepared)).tocsr()
    nearest = [
        np.asarray((asked[begin : begin + TOGETHER] @ known).argmax(axis=1)).ravel()
        for begin in range(0, len(part), TOGETHER)
    ]
    return _scored_nearest(task, train, part, np.concatenate(nearest))


def nearest_vector(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """The text of the training part's nearest vector."""
    train = _first(prepared.parts["train"])
    known, asked = (own.inputs[own.input_start].numpy() for own in (train, part))
    return _scored_nearest(task, train, part, _nearest(known, asked))


def nearest_recording(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """The transcript of the training recording whose features have the nearest means and
    deviations, and which is about as long."""
    train = _first(prepared.parts["train"])
    known, asked = _summary(train), _summary(part)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-6
    return _scored_nearest(
        task, train, part, _nearest((known - mean) / deviation, (asked - mean) / deviation)
    )


def unigram_text(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Each token as often as in the training part, whatever came before."""
    return unigram(task, _as_text(prepared), _next_tokens(part))


def bigram_text(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Each token given the one before it alone, as the bigram of language modelling."""
    return bigram(task, _as_text(prepared), _next_tokens(part))


def _as_text(prepared: Prepared) -> Prepared:
    parts = {name: _next_tokens(part) for name, part in prepared.parts.items()}
    return replace(prepared, parts=FrozenDict(parts))


def _next_tokens(part: Part) -> Part:
    """The targets, each predicted from the one before it."""
    wanted = part.targets[positions(part.target_start, part.target_length)]
    begins = part.target_length.cumsum(0) - part.target_length
    before = torch.cat([wanted.new_tensor([END]), wanted[:-1]])
    before[begins] = END
    length = part.target_length
    return Part(before, begins, length, wanted, begins, length, part.item, synced=True)


def _summary(part: Part) -> np.ndarray:
    """[items, 2 · features + 1] mean, deviation and the logarithm of the length."""
    rows = []
    for start, length in zip(part.input_start.tolist(), part.input_length.tolist(), strict=True):
        own = part.inputs[start : start + length].double()
        size = torch.tensor([float(length)]).log()
        rows.append(torch.cat([own.mean(dim=0), own.std(dim=0, unbiased=False), size]))
    summary: np.ndarray = torch.stack(rows).numpy()
    return summary


def _nearest(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=1).fit(known)
    nearest: np.ndarray = neighbours.kneighbors(asked, return_distance=False)[:, 0]
    return nearest


def _scored_nearest(task: Any, train: Part, part: Part, nearest: np.ndarray) -> Metrics:
    texts = [task.target.decode(ids) for ids in slices(train, "target")]
    return _scored(task, part, [texts[k] for k in nearest.tolist()])


def _scored(task: Any, part: Part, texts: list[str]) -> Metrics:
    """The metrics of texts, one for each item."""
    references = [task.prepared.references[row] for row in part.item.tolist()]
    metrics: Metrics = task.text_metrics(part, texts, references)
    return metrics


def slices(part: Part, which: str) -> list[list[int]]:
    """The ids of each item."""
    flat: Tensor = part.inputs if which == "input" else part.targets
    starts, lengths = (getattr(part, f"{which}_{what}").tolist() for what in ("start", "length"))
    return [flat[s : s + n].tolist() for s, n in zip(starts, lengths, strict=True)]


def _first(part: Part) -> Part:
    return replace(
        part,
        **{
            name: getattr(part, name)[:KNOWN]
            for name in ("input_start", "input_length", "target_start", "target_length", "item")
        },
    )
