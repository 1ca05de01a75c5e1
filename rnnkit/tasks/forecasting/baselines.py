"""Baselines of forecasting."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit, in_units
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import Metrics
from rnnkit.tasks.predictions import Scored

CHUNK = 4_096  # windows forecast at once


def last_value(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The last value of the window, for every step of the horizon."""
    return _forecasts(task, split, lambda past, steps: past(-torch.ones_like(steps)))


def seasonal_naive(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The value one season before, or as many seasons as it takes to reach the window."""
    season = task.params.season
    return _forecasts(task, split, lambda past, steps: past(steps % season - season))


def drift(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The last value of the window and the mean change per row over all training rows,
    (y_T - y_1) / (T - 1), of each series its own; y_1 and y_T are the first and the last that are
    not missing."""
    stretches = task.fitted.training_rows(prepared.splits["train"])
    slopes = torch.stack([_slope(y) for y in stretches])[:, None]

    def forecast(past: "Past", steps: Tensor) -> Tensor:
        return past(torch.tensor([-1])) + (steps + 1)[:, None] * slopes[past.series]

    return _forecasts(task, split, forecast)


def training_mean(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """The mean of all training rows, of each series its own."""
    stretches = task.fitted.training_rows(prepared.splits["train"])
    means = torch.stack([rows.nanmean(dim=0) for rows in stretches])[:, None]
    return _forecasts(
        task, split, lambda past, steps: means[past.series].expand(-1, len(steps), -1)
    )


def _slope(values: Tensor) -> Tensor:
    """[targets] the mean change per row of values [rows, targets], some of them NaN."""
    there = (~values.isnan()).int()
    first, last = there.argmax(dim=0), len(there) - 1 - there.flip(0).argmax(dim=0)
    ends = values.gather(0, torch.stack([first, last]))
    change: Tensor = (ends[1] - ends[0]) / (last - first).clamp(min=1)
    return change


class Past:
    """The values before each window's forecast: `past(tensor([-1]))` is the last one.

    Args:
        values: [rows, targets] in units.
        first: [windows] the row at which each forecast begins.
        scaler: knows where each series begins.
    """

    def __init__(self, values: Tensor, first: Tensor, scaler: Scaler) -> None:
        self._values, self._first = values, first
        self.series = scaler.which(first)
        self._begin = torch.tensor(scaler.begin)[self.series]

    def __call__(self, offsets: Tensor) -> Tensor:
        """[windows, offsets, targets] in units; before the series begins, its first value."""
        rows = torch.maximum(self._first[:, None] + offsets, self._begin[:, None])
        return self._values[rows]


def _forecasts(
    task: Any, part: EncodedSplit, forecast: Callable[[Past, Tensor], Tensor]
) -> Metrics:
    meter, values, forecasts = task.meter(), in_units(part.units), []
    steps = torch.arange(task.params.horizon)
    for first in part.target_start.split(CHUNK):
        past = Past(values, first, task.scaler)
        rows = first[:, None] + steps
        measured = None if part.measured is None else part.measured[rows]
        forecasts.append(forecast(past, steps))
        meter.update(forecasts[-1], values[rows], first, measured)

    def columns() -> dict[str, Any]:
        begin = part.target_start
        rows = begin[:, None] + steps
        measured = None if part.measured is None else part.measured[rows]
        return dict(task.columns(begin, values[rows], torch.cat(forecasts), measured))

    return Scored(meter.compute(), columns)
