"""Baselines of language modelling."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics, TokenMeter
from rnnkit.tasks.predictions import Scored


def unigram(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """P(w) = count(w) / N over the training targets.

    Where a scored token never stands in training, one is added to every count.
    """
    counts = _unigram_counts(task, prepared, split)
    nats = -(counts / counts.sum()).log()
    truth = split.all_targets
    return _tokens(nats[truth], truth == counts.argmax())


def bigram(task: Any, prepared: Prepared, part: EncodedSplit) -> Metrics:
    """P(w | v) = (count(v, w) + k·P(w)) / (count(v) + k), with the k best on the valid split.

    MacKay and Peto (1995).
    """
    train = prepared.splits["train"]
    size = task.outputs
    counts = _unigram_counts(task, prepared, part)
    prior = counts / counts.sum()
    pairs, times = torch.unique(train.all_inputs * size + train.all_targets, return_counts=True)
    before = torch.bincount(train.all_inputs, minlength=size).double()

    def probabilities(scored: EncodedSplit, k: float) -> Tensor:
        previous, truth = scored.all_inputs, scored.all_targets
        keys = previous * size + truth
        place = torch.searchsorted(pairs, keys).clamp(max=len(pairs) - 1)
        together = torch.where(pairs[place] == keys, times[place], 0).double()
        return (together + k * prior[truth]) / (before[previous] + k)

    tuning = prepared.splits["valid"]
    # a token of the valid split that training lacks costs the same whatever k is
    strengths = [1.0, 10.0, 100.0, 1_000.0]
    costs = [-float(probabilities(tuning, k).clamp(min=1e-12).log().mean()) for k in strengths]
    best = strengths[int(np.argmin(costs))]
    follower = _favourite_follower(pairs, times, size, int(prior.argmax()))
    nats = -probabilities(part, best).log()
    return _tokens(nats, follower[part.all_inputs] == part.all_targets)


def _tokens(nats: Tensor, right: Tensor) -> Metrics:
    """Of all targets of a split, one after the other."""
    meter = TokenMeter()
    meter.update(nats, right)
    return Scored(
        meter.compute(),
        lambda: {"log_probability": -nats.double().numpy(), "tokens": np.ones(len(nats))},
    )


def _unigram_counts(task: Any, prepared: Prepared, split: EncodedSplit) -> Tensor:
    counts = torch.bincount(prepared.splits["train"].all_targets, minlength=task.outputs).double()
    return counts if bool((counts[split.all_targets] > 0).all()) else counts + 1


def _favourite_follower(pairs: Tensor, times: Tensor, size: int, otherwise: int) -> Tensor:
    """[size] the token that most often follows each token."""
    follower = torch.full((size,), otherwise)
    order = times.argsort()  # the most frequent pair of each token is written last
    previous, following = pairs[order] // size, pairs[order] % size
    for v, w in zip(previous.tolist(), following.tolist(), strict=True):
        follower[v] = w
    return follower
