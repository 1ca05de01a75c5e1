"""Baselines of regression: they see the same scaled inputs as the network."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.nn.losses import ERRORS
from rnnkit.tasks import frame_baselines
from rnnkit.tasks.classification.baselines import token_counts
from rnnkit.tasks.numbers import number_columns
from rnnkit.tasks.predictions import Scored


def training_mean(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The mean of the training targets."""
    truth = split.all_truth
    return _scored(task, prepared.splits["train"].all_truth.mean(dim=0).expand_as(truth), truth)


def best_constant(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The median of the validation targets, which of all constants has the least MAE there."""
    if "valid" not in prepared.splits:
        return {}
    truth = split.all_truth
    median = prepared.splits["valid"].all_truth.quantile(0.5, dim=0)
    return _scored(task, median.expand_as(truth), truth)


def nearest_neighbour(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The target of the training sequence whose frames have the nearest mean, standard deviation
    and last frame."""
    train = prepared.splits["train"]
    predicted = frame_baselines.nearest_neighbour(
        frame_baselines.summaries(train), train.all_truth, frame_baselines.summaries(split)
    )
    return _scored(task, predicted, split.all_truth)


def linear_regression(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Ridge regression (scikit-learn, its own default strength): of a sequence of numbers on the
    means, standard deviations and last values of its features, of a text on its tokens' fractions,
    of a frame on its own features."""
    from sklearn.linear_model import Ridge

    train, truth = prepared.splits["train"], split.all_truth
    model = Ridge().fit(_features(task, train, prepared), train.all_targets.double().numpy())
    predicted = np.reshape(model.predict(_features(task, split, prepared)), tuple(truth.shape))
    return _scored(task, task.scaler.inverse(torch.from_numpy(predicted)), truth)


def last_value(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The true targets of the frame before; of a first frame the training mean."""
    truth = split.all_truth
    predicted = torch.cat([truth[:1], truth[:-1]])
    first = split.target_length.cumsum(0) - split.target_length
    predicted[first] = prepared.splits["train"].all_truth.mean(dim=0)
    return _scored(task, predicted, truth)


def _features(task: Any, part: EncodedSplit, prepared: Prepared) -> Any:
    """[items or frames, features] what is regressed on."""
    if prepared.fitted.inputs.vocabulary is not None:
        lengths = part.input_length.numpy()[:, None]
        return token_counts(part, prepared).multiply(1 / lengths).tocsr()
    return (part.all_inputs.double() if task.synced else frame_baselines.summaries(part)).numpy()


def _scored(task: Any, predicted: Tensor, truth: Tensor) -> Metrics:
    """Of numbers in units; the loss is that of scaled ones."""
    scale = task.scaler.target_scale()
    loss = float(ERRORS[task.params.loss](predicted / scale, truth / scale).mean())
    return scored_numbers(task, predicted, truth, loss)


def scored_numbers(task: Any, predicted: Tensor, truth: Tensor, loss: float) -> Metrics:
    """Of numbers in units, of items or of frames, one after the other."""
    meter = task.meter()
    meter.update(predicted, truth)
    return Scored(
        {**meter.compute(), "loss": loss},
        lambda: number_columns(task.scaler.targets, truth, predicted, "predicted"),
    )
