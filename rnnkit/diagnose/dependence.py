"""How far back the data depend on their own past, whatever network reads them.

    tokens    mutual information of the token k steps before a target and the target, in bits
    numbers   autocorrelation of the inputs at lag k, the mean of |r_k| over the features

Targets that are numbers are cut into `BINS` quantiles. Estimates of mutual information from counts
are too high by (X - 1)(Y - 1) / (2 N ln 2), which is subtracted.

Reference: G. A. Miller, Note on the bias of information estimates, 1955.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.runtime import numerics
from rnnkit.tasks import Task

MAX_LAG = 512
"""Largest lag, in steps."""
DENSE_LAGS = 32
"""Lags up to here are all measured."""
GROWTH = 1.15
"""Ratio of neighbouring lags beyond."""
MAX_PAIRS = 50_000
"""Pairs of a step and a target at each lag."""
FREQUENT = 32
"""Symbols that are distinguished; rarer ones count as one."""
BINS = 8
MATTERS = 0.05
"""Fraction of the largest mutual information below which a lag does not matter."""
CORRELATED = 0.1
"""Least autocorrelation that matters."""
DEVIATIONS = 4.0
"""Standard deviations, of independent data, that a value must lie above its mean to matter."""
INFORMATION, AUTOCORRELATION = "mutual information", "autocorrelation"


@dataclass(frozen=True)
class Dependence:
    """Dependence of data on their past.

    Args:
        measure: `INFORMATION` or `AUTOCORRELATION`.
        lags: steps, rising.
        values: bits, or mean absolute correlations.
        reach: the largest lag that matters; None: none does.
    """

    measure: str
    lags: tuple[int, ...]
    values: tuple[float, ...]
    reach: int | None


def dependence(split: EncodedSplit, task: Task, seed: int) -> Dependence | None:
    """Measure a split; None: its loss is at no known place, its targets are sequences of their own,
    or its items have one step."""
    longest = int(split.input_length.max())
    if task.loss_at is None or split.is_sequence_to_sequence or longest < 2:
        return None
    lags = [*spread_lags(min(MAX_LAG, longest - 1))]
    order = torch.randperm(len(split), generator=numerics.generator(seed, "dependence"))
    if split.inputs.is_floating_point():
        return _autocorrelation(split, order, lags)
    return _information(split, order, lags, at_steps=task.loss_at == "steps")


def spread_lags(longest: int) -> Iterator[int]:
    """All lags up to `DENSE_LAGS`, and then ever fewer, up to `longest`."""
    lag = 0
    while lag <= longest:
        yield lag
        lag = lag + 1 if lag < DENSE_LAGS else int(lag * GROWTH) + 1


def _information(
    split: EncodedSplit, order: torch.Tensor, lags: list[int], at_steps: bool
) -> Dependence:
    tokens = split.inputs if split.inputs.ndim == 1 else split.inputs[:, 0]
    read = _symbols(tokens.numpy())
    targets = _symbols(_binned(split.targets.numpy()))
    start, length, begin = (
        values[order].numpy()
        for values in (split.input_start, split.input_length, split.target_start)
    )
    if at_steps:  # a pair for each step
        count = int(np.searchsorted(length.cumsum(), MAX_PAIRS)) + 1
        start, length, begin = start[:count], length[:count], begin[:count]
        within = np.arange(length.sum()) - np.repeat(length.cumsum() - length, length)
        step, target = np.repeat(start, length) + within, np.repeat(begin, length) + within
    else:
        within, step, target = length - 1, start + length - 1, begin
        within, step, target = within[:MAX_PAIRS], step[:MAX_PAIRS], target[:MAX_PAIRS]
    kept, values, matters = [], [], []
    for lag in lags:
        there = within >= lag
        if there.sum() < 2:
            continue
        bits, deviation = _bits(read[step[there] - lag], targets[target[there]])
        kept.append(lag)
        values.append(bits)
        matters.append(bits > DEVIATIONS * deviation)
    limit = MATTERS * max(values)
    far = [lag for lag, bits, m in zip(kept, values, matters, strict=True) if m and bits > limit]
    return Dependence(INFORMATION, tuple(kept), tuple(values), max(far, default=None))


def _symbols(values: np.ndarray) -> np.ndarray:
    """Numbers below `FREQUENT` + 1 for values, one number for all rare ones."""
    different, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(different), dtype=np.int64)
    rank[(-counts).argsort(kind="stable")] = np.arange(len(different))
    return np.minimum(rank[numbers], FREQUENT)


def _binned(targets: np.ndarray) -> np.ndarray:
    """Labels as they are; the first column of numbers as quantiles."""
    if targets.dtype.kind != "f":
        return targets if targets.ndim == 1 else targets[:, 0]
    first = targets if targets.ndim == 1 else targets[:, 0]
    inner = np.quantile(first, np.arange(1, BINS) / BINS)
    return np.searchsorted(inner, first)


def _bits(read: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Mutual information without its bias, and its standard deviation for independent symbols.

    2 N ln 2 times the estimate is then distributed as χ² with (X - 1)(Y - 1) degrees of freedom.
    """
    joint = np.zeros((FREQUENT + 1, FREQUENT + 1))
    np.add.at(joint, (read, targets), 1.0)
    count = joint.sum()
    rows, columns = joint.sum(1), joint.sum(0)
    expected = np.outer(rows, columns) / count
    there = joint > 0
    bits = float((joint[there] * np.log2(joint[there] / expected[there])).sum() / count)
    freedom = ((rows > 0).sum() - 1) * ((columns > 0).sum() - 1)
    unit = 1 / (2 * count * np.log(2))
    return bits - float(freedom * unit), float((2 * freedom) ** 0.5 * unit)


def _autocorrelation(split: EncodedSplit, order: torch.Tensor, lags: list[int]) -> Dependence:
    length = split.input_length[order]
    count = int(torch.searchsorted(length.cumsum(0), MAX_PAIRS)) + 1
    items = [
        split.inputs[start : start + steps].double()
        for start, steps in zip(
            split.input_start[order][:count].tolist(), length[:count].tolist(), strict=True
        )
    ]
    mean = torch.cat(items).mean(0)
    items = [item - mean for item in items]
    kept, values, far = [], [], []
    for lag in lags:
        pairs = [(item[lag:], item[: len(item) - lag]) for item in items if len(item) > lag]
        if (total := sum(len(now) for now, _ in pairs)) < 2:
            continue
        now, then = (torch.cat(side) for side in zip(*pairs, strict=True))
        scale = (now.square().sum(0) * then.square().sum(0)).sqrt()
        varies = scale > 0
        if not bool(varies.any()):
            continue
        value = float(((now * then).sum(0)[varies] / scale[varies]).abs().mean())
        kept.append(lag)
        values.append(value)
        if lag and value > max(CORRELATED, DEVIATIONS / total**0.5):
            far.append(lag)
    return Dependence(AUTOCORRELATION, tuple(kept), tuple(values), max(far, default=None))
