"""Baselines of language modelling. Texts are read in parts, because they may not fit in memory."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics, TokenMeter
from rnnkit.tasks.predictions import Scored, summed

WAITING_PAIRS = 2**22
"""Pairs that are counted at once."""


def unigram(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """P(w) = count(w) / N over the training targets.

    Where a scored token never stands in training, one is added to every count.
    """
    counts = _unigram_counts(task, prepared, split)
    nats = -(counts / counts.sum()).log()

    def scored(part: EncodedSplit) -> tuple[Tensor, Tensor]:
        truth = part.all_targets
        return nats[truth], truth == counts.argmax()

    return _tokens(split, scored)


def bigram(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """P(w | v) = (count(v, w) + k·P(w)) / (count(v) + k), with the k best on the valid split.

    MacKay and Peto (1995).
    """
    train = prepared.splits["train"]
    size = task.outputs
    counts = _unigram_counts(task, prepared, split)
    prior = counts / counts.sum()
    pairs, times = _pair_counts(p.all_inputs * size + p.all_targets for p in train.parts())
    before = _counted((part.all_inputs for part in train.parts()), size).double()

    def probabilities(part: EncodedSplit, k: float) -> Tensor:
        previous, truth = part.all_inputs, part.all_targets
        keys = previous * size + truth
        place = torch.searchsorted(pairs, keys).clamp(max=len(pairs) - 1)
        together = torch.where(pairs[place] == keys, times[place], 0).double()
        return (together + k * prior[truth]) / (before[previous] + k)

    tuning = prepared.splits["valid"]
    # a token of the valid split that training lacks costs the same whatever k is
    strengths = [1.0, 10.0, 100.0, 1_000.0]
    costs = [
        -sum(float(probabilities(p, k).clamp(min=1e-12).log().sum()) for p in tuning.parts())
        for k in strengths
    ]
    best = strengths[int(np.argmin(costs))]
    follower = _favourite_follower(pairs, times, size, int(prior.argmax()))

    def scored(part: EncodedSplit) -> tuple[Tensor, Tensor]:
        return -probabilities(part, best).log(), follower[part.all_inputs] == part.all_targets

    return _tokens(split, scored)


def _tokens(
    split: EncodedSplit, scored: Callable[[EncodedSplit], tuple[Tensor, Tensor]]
) -> Metrics:
    """Of all targets of a split.

    Args:
        scored: a part of the split -> nats of its targets, and whether each is predicted.
    """
    meter, sums = TokenMeter(), []
    for part in split.parts():
        nats, right = scored(part)
        meter.update(nats, right)
        item = part.item.repeat_interleave(part.target_length).numpy()
        sums.append(summed(item, -nats.double().numpy(), np.ones(len(nats))))

    def columns() -> dict[str, Any]:
        """Of each item; of one in two parts there are two rows."""
        items = pandas.concat(sums).reset_index(names="item")
        columns = {"item": "item", "total": "log_probability", "weight": "tokens"}
        return {name: items[column].to_numpy() for column, name in columns.items()}

    return Scored(meter.compute(), columns)


def _counted(ids: Iterable[Tensor], size: int) -> Tensor:
    """[size] how often each id occurs."""
    return sum((torch.bincount(part, minlength=size) for part in ids), torch.zeros(size).long())


def _unigram_counts(task: Any, prepared: Prepared, split: EncodedSplit) -> Tensor:
    learned, scored = (
        _counted((part.all_targets for part in whole.parts()), task.outputs)
        for whole in (prepared.splits["train"], split)
    )
    counts = learned.double()
    return counts + 1 if bool(((scored > 0) & (learned == 0)).any()) else counts


def _pair_counts(keys: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Different keys, ascending, and how often each occurs."""
    pairs, times = torch.zeros(0).long(), torch.zeros(0).long()
    waiting: list[tuple[Tensor, Tensor]] = []

    def merged() -> tuple[Tensor, Tensor]:
        keys, counts = (
            torch.cat(tensors) for tensors in zip((pairs, times), *waiting, strict=True)
        )
        different, place = torch.unique(keys, return_inverse=True)
        return different, torch.zeros_like(different).index_add_(0, place, counts)

    for part in keys:
        waiting.append(torch.unique(part, return_counts=True))
        # As many as are counted already: then each pair is merged a few times only
        if sum(len(keys) for keys, _ in waiting) > max(WAITING_PAIRS, len(pairs)):
            pairs, times = merged()
            waiting.clear()
    return merged()


def _favourite_follower(pairs: Tensor, times: Tensor, size: int, otherwise: int) -> Tensor:
    """[size] the token that most often follows each token."""
    order = times.argsort()
    previous, following = pairs[order] // size, pairs[order] % size
    grouped = previous.argsort(stable=True)  # the most frequent pair of each token is the last
    previous, following = previous[grouped], following[grouped]
    last = torch.ones_like(previous, dtype=torch.bool)
    last[:-1] = previous[1:] != previous[:-1]
    follower = torch.full((size,), otherwise)
    follower[previous[last]] = following[last]
    return follower
