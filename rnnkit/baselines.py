"""What a network must beat: simple predictors, fitted on the training part, scored alike.

One function per baseline, one table per task. Each is measured with the task's own meter.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from torch import Tensor

from rnnkit.metrics import AnswerMeter, LabelMeter, Metrics, NoteMeter, NumberMeter, TokenMeter
from rnnkit.prepare.prepared import Part, Prepared, positions
from rnnkit.prepare.scale import Scaler
from rnnkit.tasks import Task
from rnnkit.tasks.forecasting import Forecasting, rows_of
from rnnkit.tasks.memory import NEAR, Memory
from rnnkit.tasks.vector import Vector

CHUNK = 4_096  # windows forecast at once

Baseline = Callable[[Any, Prepared, Part], Metrics]


def score(task: Task, prepared: Prepared, part: Part) -> dict[str, Metrics]:
    """The metrics of every baseline of a task on a part, by the baseline's name."""
    table = BASELINES[task.params.kind]
    if prepared.vocabulary is None:
        table = {name: baseline for name, baseline in table.items() if baseline not in OF_TOKENS}
    return {name: baseline(task, prepared, part) for name, baseline in table.items()}


# --- labels ---


def majority_class(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Always the most frequent class of the training part."""
    counts = torch.bincount(targets_of(prepared.parts["train"]), minlength=task.outputs)
    truth = targets_of(part)
    return _labels(task, torch.full_like(truth, int(counts.argmax())), truth)


def naive_bayes(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Multinomial naive Bayes on token counts, with add-one smoothing."""
    from sklearn.naive_bayes import MultinomialNB

    train = prepared.parts["train"]
    model = MultinomialNB().fit(_counts(train, prepared), targets_of(train).numpy())
    predicted = torch.from_numpy(model.predict(_counts(part, prepared)))
    return _labels(task, predicted, targets_of(part))


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


def _labels(task: Task, predicted: Tensor, truth: Tensor) -> Metrics:
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


def _counts(part: Part, prepared: Prepared) -> csr_matrix:
    """[items, vocabulary] how often each token stands in each item, as a sparse matrix."""
    items = torch.repeat_interleave(torch.arange(len(part)), part.input_length)
    shape = (len(part), len(prepared.vocabulary or ()))
    ones = np.ones(len(items))
    return coo_matrix((ones, (items.numpy(), inputs_of(part).numpy())), shape=shape).tocsr()


# --- next tokens ---


def unigram(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """P(w) = count(w) / N over the training targets.

    Where a scored token never stands in training, one is added to every count.
    """
    counts = _unigram_counts(task, prepared, part)
    nats = -(counts / counts.sum()).log()
    truth = targets_of(part)
    meter = TokenMeter()
    meter.update(nats[truth], truth == counts.argmax())
    return meter.compute()


def bigram(task: Task, prepared: Prepared, part: Part) -> Metrics:
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


def _unigram_counts(task: Task, prepared: Prepared, part: Part) -> Tensor:
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


# --- forecasts ---


def last_value(task: Forecasting, prepared: Prepared, part: Part) -> Metrics:
    """The last value seen, for every step of the horizon."""
    return _forecasts(task, part, lambda past, steps: past(-torch.ones_like(steps)))


def seasonal_naive(task: Forecasting, prepared: Prepared, part: Part) -> Metrics:
    """The value one season before, or as many seasons before as lie behind."""
    season = task.params.season
    return _forecasts(task, part, lambda past, steps: past(steps % season - season))


def drift(task: Forecasting, prepared: Prepared, part: Part) -> Metrics:
    """The line through the first and the last value of the window, continued."""
    window = int(part.input_length[0])

    def forecast(past: "Past", steps: Tensor) -> Tensor:
        last, first = past(torch.tensor([-1])), past(torch.tensor([-window]))
        slope = (last - first) / max(1, window - 1)
        return last + (steps + 1)[:, None] * slope

    return _forecasts(task, part, forecast)


def training_mean(task: Forecasting, prepared: Prepared, part: Part) -> Metrics:
    """The mean of the training part, of each series its own."""
    stretches = rows_of(prepared.parts["train"], task.scaler)
    means = torch.stack([rows.double().mean(dim=0) for rows in stretches])
    return _forecasts(
        task, part, lambda past, steps: means[past.series][:, None].expand(-1, len(steps), -1)
    )


class Past:
    """The values before each window's forecast: `past(tensor([-1]))` is the last one.

    Args:
        values: [rows, targets] scaled.
        first: [windows] the row at which each forecast begins.
        scaler: knows where each series begins.
    """

    def __init__(self, values: Tensor, first: Tensor, scaler: Scaler) -> None:
        self._values, self._first = values, first
        self.series = scaler.which(first)
        self._begin = torch.tensor(scaler.begin)[self.series]

    def __call__(self, offsets: Tensor) -> Tensor:
        """[windows, offsets, targets] scaled; before the series begins, its first value."""
        rows = torch.maximum(self._first[:, None] + offsets, self._begin[:, None])
        return self._values[rows].double()


def _forecasts(
    task: Forecasting, part: Part, forecast: Callable[[Past, Tensor], Tensor]
) -> Metrics:
    meter = task.meter()
    steps = torch.arange(task.params.horizon)
    for first in part.target_start.split(CHUNK):
        past = Past(part.targets, first, task.scaler)
        meter.update(forecast(past, steps), part.targets[first[:, None] + steps], first)
    return meter.compute()


# --- what a memory problem asks ---


def constant_answer(task: Memory, prepared: Prepared, part: Part) -> Metrics:
    """Always the same answer: the most frequent one of the training part, or its mean.

    The loss is that of one number, of one distribution over classes, or, where there is an answer
    at every step, of the next symbol given the last one alone: what can be had without a memory.
    """
    train = prepared.parts["train"]
    known, asked = task.answers(train), task.answers(part)
    meter = AnswerMeter()
    if task.params.numbers:
        mean = known.double().mean()
        meter.update((asked - mean).abs() < NEAR)
        return {**meter.compute(), "loss": float((asked - mean).square().mean())}
    meter.update(asked == torch.bincount(known, minlength=task.outputs).argmax())
    counts = torch.ones(len(prepared.vocabulary or ()), task.outputs, dtype=torch.float64)
    synced = train.synced
    before = inputs_of(train) if synced else torch.zeros_like(known)
    ones = torch.ones(len(before), dtype=torch.float64)
    counts.index_put_((before, targets_of(train)), ones, accumulate=True)
    nats = -(counts / counts.sum(dim=1, keepdim=True)).log()
    scored = inputs_of(part) if synced else torch.zeros_like(asked)
    return {**meter.compute(), "loss": float(nats[scored, targets_of(part)].mean())}


# --- notes ---


def independent_keys(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Each key sounds as often as in the training part, whatever came before."""
    heard = _frames(prepared.parts["train"], "target")
    shares = (heard.sum(dim=0) + 1) / (len(heard) + 2)
    truth = _frames(part, "target")
    return _notes(shares.expand_as(truth), truth)


def each_key_by_itself(task: Task, prepared: Prepared, part: Part) -> Metrics:
    """Each key sounds as often as in the training part after a frame in which it did, or did not.

    Counts begin at one.
    """
    train = prepared.parts["train"]
    before, heard = _frames(train, "input"), _frames(train, "target")
    on = ((before * heard).sum(dim=0) + 1) / (before.sum(dim=0) + 2)
    off = (((1 - before) * heard).sum(dim=0) + 1) / ((1 - before).sum(dim=0) + 2)
    shares = torch.where(_frames(part, "input") > 0, on, off)
    return _notes(shares, _frames(part, "target"))


def _frames(part: Part, which: str) -> Tensor:
    """[frames, keys] all input or target frames of a part's pieces, one piece after the other."""
    if which == "input":
        return part.inputs[positions(part.input_start, part.input_length)].double()
    return part.targets[positions(part.target_start, part.target_length)].double()


def _notes(shares: Tensor, truth: Tensor) -> Metrics:
    meter = NoteMeter()
    meter.update(shares > 0.5, truth)
    loss = -float(torch.where(truth > 0, shares, 1 - shares).log().sum(dim=1).mean())
    return {**meter.compute(), "loss": loss}


# --- vectors ---


def nearest_neighbour(task: Vector, prepared: Prepared, part: Part) -> Metrics:
    """The target of the training part's nearest vector."""
    from sklearn.neighbors import NearestNeighbors

    train = prepared.parts["train"]
    known, asked = (own.inputs[own.input_start].numpy() for own in (train, part))
    found = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(asked, return_distance=False)
    return _told(task, train.targets[train.target_start][found[:, 0]], part)


def constant_target(task: Vector, prepared: Prepared, part: Part) -> Metrics:
    """Always the most frequent class of the training part, or its mean."""
    train = prepared.parts["train"]
    told = train.targets[train.target_start]
    best = told.mean(dim=0) if told.is_floating_point() else told.bincount().argmax()
    return _told(task, best.expand(len(part), *told.shape[1:]), part)


def _told(task: Vector, predicted: Tensor, part: Part) -> Metrics:
    truth = part.targets[part.target_start]
    if not truth.is_floating_point():
        return _labels(task, predicted, truth)
    meter = NumberMeter()
    meter.update(task.scaler.inverse(predicted), task.scaler.inverse(truth))
    return {**meter.compute(), "loss": float((predicted - truth).square().mean())}


# --- the flat tensors of a part, item after item ---


def inputs_of(part: Part) -> Tensor:
    """[steps] all input tokens of a part's items, one item after the other."""
    inputs = part.inputs if part.inputs.ndim == 1 else part.inputs[:, 0]  # without the letters
    return inputs[positions(part.input_start, part.input_length)].long()


def targets_of(part: Part) -> Tensor:
    """[targets] all labels, tags or tokens of a part's items, one item after the other."""
    return part.targets[positions(part.target_start, part.target_length)].long()


OF_TOKENS = (naive_bayes, most_frequent_tag_per_token)
"""Baselines that count tokens, which numbers have none of."""

BASELINES: Mapping[str, Mapping[str, Baseline]] = {
    "classification": {"majority class": majority_class, "naive Bayes": naive_bayes},
    "tagging": {
        "most frequent tag": most_frequent_tag,
        "most frequent tag per token": most_frequent_tag_per_token,
    },
    "language_modeling": {"unigram": unigram, "bigram": bigram},
    "forecasting": {
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "drift": drift,
        "training mean": training_mean,
    },
    "memory": {"constant answer": constant_answer},
    "music": {"independent keys": independent_keys, "each key by itself": each_key_by_itself},
    "vector": {"constant target": constant_target, "nearest neighbour": nearest_neighbour},
}
