"""Baselines of forecasting."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import Metrics
from rnnkit.tasks.forecasting.examples import rows_of

CHUNK = 4_096  # windows forecast at once


def last_value(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The last value of the window, for every step of the horizon."""
    return _forecasts(task, split, lambda past, steps: past(-torch.ones_like(steps)))


def seasonal_naive(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The value one season before, or as many seasons as it takes to reach the window."""
    season = task.params.season
    return _forecasts(task, split, lambda past, steps: past(steps % season - season))


def drift(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The line through the first and the last value of the window, continued."""
    window = int(split.input_length[0])

    def forecast(past: "Past", steps: Tensor) -> Tensor:
        last, first = past(torch.tensor([-1])), past(torch.tensor([-window]))
        slope = (last - first) / max(1, window - 1)
        return last + (steps + 1)[:, None] * slope

    return _forecasts(task, split, forecast)


def training_mean(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The mean of the training split, of each series its own."""
    stretches = rows_of(prepared.splits["train"], task.scaler)
    means = torch.stack([rows.double().mean(dim=0) for rows in stretches])[:, None]
    return _forecasts(
        task, split, lambda past, steps: means[past.series].expand(-1, len(steps), -1)
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
    task: Any, part: EncodedSplit, forecast: Callable[[Past, Tensor], Tensor]
) -> Metrics:
    meter = task.meter()
    steps = torch.arange(task.params.horizon)
    for first in part.target_start.split(CHUNK):
        past = Past(part.targets, first, task.scaler)
        rows = first[:, None] + steps
        measured = None if part.measured is None else part.measured[rows]
        meter.update(forecast(past, steps), part.targets[rows], first, measured)
    metrics: Metrics = meter.compute()
    return metrics
