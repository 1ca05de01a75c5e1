"""Baselines of tagging."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.tasks import frame_baselines
from rnnkit.tasks.classification.baselines import constant_of_valid


def most_frequent_tag(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Every token or frame gets the most frequent tag of the training split."""
    counts = torch.bincount(prepared.splits["train"].all_targets, minlength=task.outputs)
    return _tags(task, split, torch.full_like(split.all_targets, int(counts.argmax())))


def best_constant(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The most frequent tag of the validation split; nothing where it is training's."""
    constant = constant_of_valid(prepared)
    truth = split.all_targets
    return {} if constant is None else _tags(task, split, torch.full_like(truth, constant))


def previous_tag(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The true tag of the frame before; of a first frame the most frequent tag of training."""
    predicted = split.all_targets.roll(1)
    first = split.target_length.cumsum(0) - split.target_length
    predicted[first] = prepared.splits["train"].all_targets.bincount().argmax()
    return _tags(task, split, predicted)


def logistic_regression(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Logistic regression on each frame by itself."""
    train = prepared.splits["train"]
    predicted = frame_baselines.logistic_regression(
        train.all_inputs, train.all_targets, split.all_inputs
    )
    return _tags(task, split, predicted)


def most_frequent_tag_per_token(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Each token gets the tag it had most often in training; unseen ones the overall favourite."""
    train = prepared.splits["train"]
    vocabulary = len(prepared.fitted.inputs.vocabulary or ())
    pairs = _tokens(train) * task.outputs + train.all_targets
    counts = torch.bincount(pairs, minlength=vocabulary * task.outputs)
    table = counts.view(vocabulary, task.outputs)
    favourite = table.argmax(dim=1)
    favourite[table.sum(dim=1) == 0] = int(table.sum(dim=0).argmax())
    return _tags(task, split, favourite[_tokens(split)])


def _tokens(split: EncodedSplit) -> Tensor:
    """[steps] ids, of words with spelling without the letters."""
    inputs = split.all_inputs
    return inputs if inputs.ndim == 1 else inputs[:, 0]


def _tags(task: Any, split: EncodedSplit, predicted: Tensor) -> Metrics:
    """Items are scored in groups of equal length, so that nothing needs padding.

    Args:
        predicted: [steps] of all items, one after the other.
    """
    meter: Any = task.meter()
    truth = split.all_targets
    begins = split.input_length.cumsum(0) - split.input_length
    for length in split.input_length.unique().tolist():
        steps = begins[split.input_length == length, None] + torch.arange(length)
        meter.update(predicted[steps], truth[steps])
    metrics: Metrics = meter.compute()
    return metrics
