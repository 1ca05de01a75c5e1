"""Baselines of language modelling."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics, TokenMeter
from rnnkit.tasks.steps import inputs_of, targets_of


def unigram(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """P(w) = count(w) / N over the training targets.

    Where a scored token never stands in training, one is added to every count.
    """
    counts = _unigram_counts(task, prepared, part)
    nats = -(counts / counts.sum()).log()
    truth = targets_of(part)
    meter = TokenMeter()
    meter.update(nats[truth], truth == counts.argmax())
    return meter.compute()


def bigram(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """P(w | v) = (count(v, w) + k·P(w)) / (count(v) + k), with the k best on the valid part.

    MacKay and Peto (1995).
    """
    train = prepared.parts["train"]
    size = task.outputs
    counts = _unigram_counts(task, prepared, part)
    prior = counts / counts.sum()
    pairs, times = torch.unique(inputs_of(train) * size + targets_of(train), return_counts=True)
    before = torch.bincount(inputs_of(train), minlength=size).double()

    def probabilities(scored: Part, k: float) -> Tensor:
        previous, truth = inputs_of(scored), targets_of(scored)
        keys = previous * size + truth
        place = torch.searchsorted(pairs, keys).clamp(max=len(pairs) - 1)
        together = torch.where(pairs[place] == keys, times[place], 0).double()
        return (together + k * prior[truth]) / (before[previous] + k)

    tuning = prepared.parts["valid"]
    # a token of the valid part that training lacks costs the same whatever k is
    strengths = [1.0, 10.0, 100.0, 1_000.0]
    costs = [-float(probabilities(tuning, k).clamp(min=1e-12).log().mean()) for k in strengths]
    best = strengths[int(np.argmin(costs))]
    follower = _favourite_follower(pairs, times, size, int(prior.argmax()))
    meter = TokenMeter()
    meter.update(-probabilities(part, best).log(), follower[inputs_of(part)] == targets_of(part))
    return meter.compute()


def _unigram_counts(task: Any, prepared: Prepared, part: Part) -> Tensor:
    counts = torch.bincount(targets_of(prepared.parts["train"]), minlength=task.outputs).double()
    return counts if bool((counts[targets_of(part)] > 0).all()) else counts + 1


def _favourite_follower(pairs: Tensor, times: Tensor, size: int, otherwise: int) -> Tensor:
    """[size] the token that most often follows each token."""
    follower = torch.full((size,), otherwise)
    order = times.argsort()  # the most frequent pair of each token is written last
    previous, following = pairs[order] // size, pairs[order] % size
    for v, w in zip(previous.tolist(), following.tolist(), strict=True):
        follower[v] = w
    return follower
