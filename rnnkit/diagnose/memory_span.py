"""Memory span: the loss of a trained network as a function of how much of the past is kept.

The inputs older than lag k are replaced by those of another item, and the loss is compared with
that of the unchanged inputs:

    e_k = L(x'_{<t-k}, x_{t-k}, …, x_t) - L(x_1, …, x_t)

The span is the smallest k from which on e stays below `MATTERS` of its maximum, below `LEAST` of
the loss, or within `DEVIATIONS` standard errors of zero. A network that gives x_{t-k} has span k.

At losses of every step, one forward pass with the first s steps replaced gives e_{t-s} at each step
t ≥ s. At a loss after the last step each lag needs a pass of its own.

Reference: U. Khandelwal et al., Sharp nearby, fuzzy far away: how neural language models use
context, ACL 2018 (shuffled and replaced contexts).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch, gather
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import streams
from rnnkit.params import Experiment
from rnnkit.runtime import numerics
from rnnkit.tasks import Task

MATTERS = 0.05
"""Fraction of the largest excess loss below which a lag does not matter."""
LEAST = 1e-3
"""Fraction of the loss below which no excess loss matters, as of a network that has not learned."""
DEVIATIONS = 3.0
"""Standard errors above zero that an excess loss must have to matter."""
MIN_BATCHES = 4
"""Batches with a loss at a lag that its standard error needs."""
BATCHES, ITEMS = 8, 16
"""Number of probe batches, and items of each."""
LEAST_ITEMS = 32
"""Probe items that even a short training gets."""
SHARE = 0.006
"""Most probe items, as a fraction of the items that all epochs train on: a lag needs a forward pass
of each, a training step about three, and there are about 25 lags."""
STARTS = 2
"""Places in each batch before which the past is replaced."""
MAX_STEPS = 512
"""Steps of a probe item where there is a loss at every step."""
MAX_NUMBERS = 8_000_000
"""Outputs of a probe batch; fewer items or steps where the vocabulary is large."""
STREAMS, MIN_STEPS = 8, 16
"""Rows and least steps of a probe batch of a text with carried state."""
GROWTH = 1.5
"""Ratio of neighbouring lags that are measured first."""


@dataclass(frozen=True)
class MemorySpan:
    """How far back the inputs lie that a network uses.

    Args:
        lags: steps, rising.
        excess: e_k of each lag, in the unit of the loss.
        error: standard error of each e_k.
        loss: of the unchanged inputs.
        span: the smallest lag from which on nothing matters; the largest lag where all matter.
        is_bounded: whether the span was reached; otherwise it is at least `span`.
        items: number of probe items.
    """

    lags: tuple[int, ...]
    excess: tuple[float, ...]
    error: tuple[float, ...]
    loss: float
    span: int
    is_bounded: bool
    items: int

    @property
    def worth(self) -> float:
        """The largest excess loss: what the past is worth to the network."""
        return max(self.excess)


@torch.no_grad()
def memory_span(
    network: nn.Module, task: Task, prepared: Prepared, experiment: Experiment
) -> MemorySpan | None:
    """Measure the memory span on the validation split, or on the test split where there is none.

    The network's mode is restored, and no global random numbers are drawn. None: the loss is at no
    known place of the inputs, items have one step, or there are too few of them.
    """
    split = prepared.splits.get("valid", prepared.splits["test"])
    steps = int(split.input_length.max())
    if task.loss_at is None or steps < 2:
        return None
    was_training = network.training
    network.eval()
    trained = len(prepared.splits["train"]) * experiment.train.epochs
    batches = [*_probes(split, task, experiment, int(SHARE * trained))]
    measure = _at_steps if task.loss_at == "steps" else _at_end
    measured = measure(network, task, batches, experiment.seed)
    network.train(was_training)
    return measured


def _probes(
    split: EncodedSplit, task: Task, experiment: Experiment, most_items: int
) -> Iterator[Batch]:
    """Batches of at least two items; of a text with carried state, stretches of it.

    Args:
        most_items: of all batches, where `LEAST_ITEMS` are not more.
    """
    if experiment.task.carries_state:
        tokens = int(split.input_length.sum())
        most = min(MAX_NUMBERS // (STREAMS * task.outputs), tokens // (2 * BATCHES))
        steps = min(MAX_STEPS, max(MIN_STEPS, most))
        count = min(STREAMS, max(2, tokens // (BATCHES * steps)))
        for number, window in enumerate(streams(split, count, steps)):
            if number < BATCHES and window.batch.inputs.shape[1] > 1:
                yield window.batch
        return
    longest = min(MAX_STEPS, int(split.input_length.max()))
    size = min(ITEMS, max(2, MAX_NUMBERS // (longest * task.outputs)))
    draw = numerics.generator(experiment.seed, "memory span")
    count = min(BATCHES * ITEMS, max(LEAST_ITEMS, most_items))
    chosen = torch.randperm(len(split), generator=draw)[:count]
    for items in torch.split(chosen, max(2, min(size, -(-len(chosen) // BATCHES)))):
        yield gather(split, items, "post", torch.float32)


def _past_replaced(batch: Batch, steps: Tensor) -> Batch:
    """The batch with the first steps of each item replaced by those of another item, which is
    repeated where it is shorter; of a single item, by its own in reverse.

    Args:
        steps: [batch] how many.
    """
    inputs, time = batch.inputs, torch.arange(batch.inputs.shape[1])
    length = torch.full((len(inputs),), len(time)) if batch.mask is None else batch.mask.sum(1)
    source = time % length.clamp(min=1).roll(1)[:, None]
    others = inputs.roll(1, 0) if len(inputs) > 1 else inputs.flip(1)
    others = others[torch.arange(len(inputs))[:, None], source]
    old = time < steps[:, None]
    return replace(
        batch, inputs=torch.where(old if inputs.ndim == 2 else old[..., None], others, inputs)
    )


def _at_steps(network: nn.Module, task: Task, batches: list[Batch], seed: int) -> MemorySpan | None:
    """Where each step has a loss."""
    draw = numerics.generator(seed, "memory span starts")
    rows, whole, weights = [], 0.0, 0.0
    for batch in batches:
        time = min(MAX_STEPS, batch.inputs.shape[1])
        if time < 2:
            continue
        batch = _steps(batch, slice(0, time))
        before = _step_losses(task, task.forward(network, batch), batch)
        whole += float(np.nansum(before[0] * before[1]))
        weights += float(before[1].sum())
        for start in torch.randint(1, time, (STARTS,), generator=draw).tolist():
            changed = _past_replaced(batch, torch.full((len(batch.inputs),), start))
            after = _step_losses(task, task.forward(network, changed), batch)
            rows.append((after[0][start:] - before[0][start:], before[1][start:]))
    if not rows or not weights:
        return None
    longest = max(len(excess) for excess, _ in rows)
    table = np.zeros((2, len(rows), longest))
    for row, (excess, weight) in enumerate(rows):
        table[0, row, : len(excess)] = np.nan_to_num(excess)
        table[1, row, : len(weight)] = weight
    curve = {lag: table[:, :, lag] for lag in range(longest)}
    items = sum(len(batch.inputs) for batch in batches)
    return _spanned(curve, whole / weights, items)


def _at_end(network: nn.Module, task: Task, batches: list[Batch], seed: int) -> MemorySpan | None:
    """Where the loss follows the last step; the lags around the span are measured one by one."""
    weight = np.array([float(task.weight(batch)) for batch in batches])
    before = np.array([float(task.loss(task.forward(network, b), b)) for b in batches])
    longest = max(b.inputs.shape[1] for b in batches) - task.steps_ahead

    def excess_at(lag: int) -> np.ndarray:
        after = [_loss_without(network, task, batch, lag) for batch in batches]
        return np.stack([np.array(after) - before, weight])

    curve: dict[int, np.ndarray] = {}
    lag = 0
    while lag < longest - 1:
        curve[lag] = excess_at(lag)
        lag = max(lag + 1, int(lag * GROWTH))
    curve[longest - 1] = excess_at(longest - 1)  # nothing is replaced: 0
    items = sum(len(batch.inputs) for batch in batches)
    loss = float((before * weight).sum() / weight.sum())
    while (spanned := _spanned(curve, loss, items)) is not None and spanned.is_bounded:
        below = max((lag for lag in curve if lag < spanned.span), default=None)
        if below is None or spanned.span - below == 1:
            break
        middle = (below + spanned.span) // 2
        curve[middle] = excess_at(middle)
    return spanned


def _loss_without(network: nn.Module, task: Task, batch: Batch, lag: int) -> float:
    """The loss with all replaced that is older than `lag` steps before the last."""
    time = batch.inputs.shape[1]
    length = torch.full((len(batch.inputs),), time) if batch.mask is None else batch.mask.sum(1)
    old = (length - task.steps_ahead - 1 - lag).clamp(min=0)
    return float(task.loss(task.forward(network, _past_replaced(batch, old)), batch))


def _step_losses(task: Task, outputs: Tensor, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """[time] mean losses and their weights; nan where no item has a target."""
    losses, weights = [], []
    for t in range(outputs.shape[1]):
        step = _steps(batch, slice(t, t + 1))
        weights.append(float(task.weight(step)))
        at_step = task.loss(outputs[:, t : t + 1], step) if weights[-1] else torch.nan
        losses.append(float(at_step))
    return np.array(losses), np.array(weights)


def _steps(batch: Batch, span: slice) -> Batch:
    """Some steps of a batch with a target for each."""

    def cut(values: Tensor | None) -> Tensor | None:
        return None if values is None else values[:, span]

    return replace(
        batch,
        inputs=batch.inputs[:, span],
        targets=batch.targets[:, span],
        mask=cut(batch.mask),
        measured=cut(batch.measured),
        units=cut(batch.units),
        time=cut(batch.time),
    )


def _spanned(curve: dict[int, np.ndarray], loss: float, items: int) -> MemorySpan | None:
    """The span of a curve.

    Args:
        curve: lag -> [2, batches] excess losses and their weights.
    """
    lags, means, errors = [], [], []
    for lag in sorted(curve):
        excess, weight = curve[lag]
        if (count := int((weight > 0).sum())) < MIN_BATCHES:
            continue
        mean = float((excess * weight).sum() / weight.sum())
        spread = float(np.square(weight * (excess - mean)).sum()) * count / (count - 1)
        lags.append(lag)
        means.append(mean)
        errors.append(spread**0.5 / float(weight.sum()))
    if not lags:
        return None
    limit = max(MATTERS * max(means), LEAST * abs(loss))
    matters = [m > limit and m > DEVIATIONS * e for m, e in zip(means, errors, strict=True)]
    last = max((i for i, does in enumerate(matters) if does), default=-1)
    is_bounded = last < len(lags) - 1
    return MemorySpan(
        lags=tuple(lags),
        excess=tuple(means),
        error=tuple(errors),
        loss=loss,
        span=lags[last + 1] if is_bounded else lags[-1],
        is_bounded=is_bounded,
        items=items,
    )
