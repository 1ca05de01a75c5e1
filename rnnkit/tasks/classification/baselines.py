"""Baselines of classification."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import LabelMeter, Metrics
from rnnkit.tasks import frame_baselines
from rnnkit.tasks.predictions import Scored

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def majority_class(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the most frequent class of the training split."""
    counts = torch.bincount(prepared.splits["train"].all_targets, minlength=len(task.all_labels))
    truth = split.all_targets
    return label_metrics(task, torch.full_like(truth, int(counts.argmax())), truth)


def best_constant(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the most frequent class of the validation split; nothing where it is training's."""
    constant = constant_of_valid(prepared)
    truth = split.all_targets
    return {} if constant is None else label_metrics(task, torch.full_like(truth, constant), truth)


def constant_of_valid(prepared: Prepared) -> int | None:
    """The most frequent label of the validation split; None: it is that of the training split, or
    there is no such split."""
    if "valid" not in prepared.splits:
        return None
    often = [
        int(prepared.splits[name].all_targets.bincount().argmax()) for name in ("train", "valid")
    ]
    return often[1] if often[0] != often[1] else None


def logistic_regression(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Logistic regression on the mean, standard deviation and last of a sequence's frames."""
    train = prepared.splits["train"]
    predicted = frame_baselines.logistic_regression(
        frame_baselines.summaries(train), train.all_targets, frame_baselines.summaries(split)
    )
    return label_metrics(task, predicted, split.all_targets)


def nearest_neighbour(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The label of the training sequence whose frames have the nearest mean, standard deviation
    and last frame."""
    train = prepared.splits["train"]
    predicted = frame_baselines.nearest_neighbour(
        frame_baselines.summaries(train), train.all_targets, frame_baselines.summaries(split)
    )
    return label_metrics(task, predicted, split.all_targets)


def naive_bayes(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Multinomial naive Bayes on token counts, with add-one smoothing."""
    from sklearn.naive_bayes import MultinomialNB

    train = prepared.splits["train"]
    model = MultinomialNB().fit(token_counts(train, prepared), train.all_targets.numpy())
    predicted = torch.from_numpy(model.predict(token_counts(split, prepared)))
    return label_metrics(task, predicted, split.all_targets)


def label_metrics(task: Any, predicted: Tensor, truth: Tensor) -> Metrics:
    meter = LabelMeter(len(task.all_labels), sequences=False)
    meter.update(predicted, truth)
    return Scored(meter.compute(), lambda: {"truth": truth.numpy(), "predicted": predicted.numpy()})


def token_counts(split: EncodedSplit, prepared: Prepared) -> "csr_matrix":
    """[items, vocabulary] how often each token stands in each item, as a sparse matrix."""
    from scipy.sparse import coo_matrix

    items = torch.repeat_interleave(torch.arange(len(split)), split.input_length)
    shape = (len(split), len(prepared.fitted.inputs.vocabulary or ()))
    ones = np.ones(len(items))
    return coo_matrix((ones, (items.numpy(), split.all_inputs.numpy())), shape=shape).tocsr()
