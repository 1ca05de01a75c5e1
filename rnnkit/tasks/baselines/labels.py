"""Of labels and tags."""

from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from torch import Tensor

from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.metrics import LabelMeter, Metrics
from rnnkit.tasks import Task
from rnnkit.tasks.baselines.flat import inputs_of, targets_of


def majority_class(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Always the most frequent class of the training part."""
    counts = torch.bincount(targets_of(prepared.parts["train"]), minlength=task.outputs)
    truth = targets_of(part)
    return label_metrics(task, torch.full_like(truth, int(counts.argmax())), truth)


def naive_bayes(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Multinomial naive Bayes on token counts, with add-one smoothing."""
    from sklearn.naive_bayes import MultinomialNB

    train = prepared.parts["train"]
    model = MultinomialNB().fit(token_counts(train, prepared), targets_of(train).numpy())
    predicted = torch.from_numpy(model.predict(token_counts(part, prepared)))
    return label_metrics(task, predicted, targets_of(part))


def most_frequent_tag(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Every token or frame gets the most frequent tag of the training part."""
    counts = torch.bincount(targets_of(prepared.parts["train"]), minlength=task.outputs)
    return _tags(task, part, torch.full_like(targets_of(part), int(counts.argmax())))


def most_frequent_tag_per_token(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Each token gets the tag it had most often in training; unseen ones the overall favourite."""
    train = prepared.parts["train"]
    vocabulary = len(prepared.vocabulary or ())
    pairs = inputs_of(train) * task.outputs + targets_of(train)
    counts = torch.bincount(pairs, minlength=vocabulary * task.outputs)
    table = counts.view(vocabulary, task.outputs)
    favourite = table.argmax(dim=1)
    favourite[table.sum(dim=1) == 0] = int(table.sum(dim=0).argmax())
    return _tags(task, part, favourite[inputs_of(part)])


def label_metrics(task: Task, predicted: Tensor, truth: Tensor) -> Metrics:
    meter = LabelMeter(task.outputs, sequences=False)
    meter.update(predicted, truth)
    return meter.compute()


def _tags(task: Task, part: Part, predicted: Tensor) -> Metrics:
    """Items are scored in groups of equal length, so that nothing needs padding.

    Args:
        predicted: [steps] of all items, one after the other.
    """
    meter: Any = task.meter()
    truth = targets_of(part)
    begins = part.input_length.cumsum(0) - part.input_length
    for length in part.input_length.unique().tolist():
        steps = begins[part.input_length == length, None] + torch.arange(length)
        meter.update(predicted[steps], truth[steps])
    found: Metrics = meter.compute()
    return found


def token_counts(part: Part, prepared: Prepared) -> csr_matrix:
    """[items, vocabulary] how often each token stands in each item, as a sparse matrix."""
    items = torch.repeat_interleave(torch.arange(len(part)), part.input_length)
    shape = (len(part), len(prepared.vocabulary or ()))
    ones = np.ones(len(items))
    return coo_matrix((ones, (items.numpy(), inputs_of(part).numpy())), shape=shape).tocsr()
