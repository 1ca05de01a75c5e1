"""Baselines of vectors."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.tasks.classification.baselines import constant_of_valid, label_metrics
from rnnkit.tasks.regression.baselines import scored_numbers


def nearest_neighbour(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The target of the training split's nearest vector."""
    from sklearn.neighbors import NearestNeighbors

    train = prepared.splits["train"]
    known, asked = (own.inputs[own.input_start].numpy() for own in (train, split))
    nearest = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(asked, return_distance=False)
    return _scored(task, _truth(train)[nearest[:, 0]], split)


def constant_target(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the most frequent class of the training split, or its mean."""
    targets = _truth(prepared.splits["train"])
    best = targets.mean(dim=0) if targets.is_floating_point() else targets.bincount().argmax()
    return _scored(task, best.expand(len(split), *targets.shape[1:]), split)


def best_constant(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the most frequent class of the validation split, and nothing where it is training's;
    of numbers their median."""
    if split.targets.is_floating_point():
        if "valid" not in prepared.splits:
            return {}
        best = prepared.splits["valid"].all_truth.quantile(0.5, dim=0)
        return _scored(task, best.expand_as(split.all_truth), split)
    constant = constant_of_valid(prepared)
    truth = split.all_targets
    return {} if constant is None else _scored(task, torch.full_like(truth, constant), split)


def _scored(task: Any, predicted: Tensor, split: EncodedSplit) -> Metrics:
    truth = _truth(split)
    if not truth.is_floating_point():
        return label_metrics(task, predicted, truth)
    errors = (predicted - truth) / task.scaler.target_scale()
    return scored_numbers(task, predicted, truth, float(errors.square().mean()))


def _truth(split: EncodedSplit) -> Tensor:
    """Labels, or numbers in units."""
    return split.all_truth if split.targets.is_floating_point() else split.all_targets
