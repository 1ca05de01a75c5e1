"""Forecasting: the next values of a series from a window of its past.

All steps of the horizon are read out at once from the state after the window (direct multi-step
forecasting); with a horizon of 1 that is the many-to-one network of the notes.
"""

from typing import Any

import torch
from torch import Tensor

from rnnkit.batches import Batch
from rnnkit.losses import ERRORS
from rnnkit.metrics import ForecastMeter
from rnnkit.prepare.prepared import Part
from rnnkit.prepare.scale import Scaler
from rnnkit.tasks.interface import Task


class Forecasting(Task):
    """Squared or absolute error on scaled data; outputs are [batch, horizon · targets]."""

    @property
    def scaler(self) -> Scaler:
        """Turns scaled values into the series' units."""
        assert self.prepared.scaler is not None
        return self.prepared.scaler

    @property
    def outputs(self) -> int:
        return int(self.params.horizon) * len(self.scaler.targets)

    def forecast(self, outputs: Tensor) -> Tensor:
        """Network outputs as scaled forecasts [batch, horizon, targets]."""
        return outputs.view(len(outputs), self.params.horizon, len(self.scaler.targets))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return ERRORS[self.params.loss](self.forecast(outputs), batch.targets).mean()

    def weight(self, batch: Batch) -> int:
        return batch.targets.numel()

    def meter(self) -> ForecastMeter:
        return ForecastMeter(self.scaler.inverse, self._naive_error())

    def measure(self, meter: ForecastMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(self.forecast(outputs), batch.targets)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        forecast = self.scaler.inverse(self.forecast(outputs).double())
        truth = self.scaler.inverse(batch.targets.double())
        columns: dict[str, list[Any]] = {
            "row": [row + h for row in batch.item.tolist() for h in range(self.params.horizon)],
            "step": list(range(1, self.params.horizon + 1)) * len(batch.item),
        }
        for k, name in enumerate(self.scaler.targets):
            columns[f"truth {name}"] = truth[:, :, k].flatten().tolist()
            columns[f"forecast {name}"] = forecast[:, :, k].flatten().tolist()
        return columns

    def _naive_error(self) -> Tensor:
        """[targets] mean |y_t - y_{t-season}| over the training part, in units."""
        values = self.scaler.inverse(rows_of(self.prepared.parts["train"]).double())
        season = min(self.params.season, len(values) - 1)
        error = (values[season:] - values[:-season]).abs().mean(dim=0)
        return torch.where(error > 0, error, torch.ones_like(error))


def rows_of(part: Part) -> Tensor:
    """[rows, targets] the stretch of the series that a part's windows forecast, scaled."""
    first = int(part.target_start.min())
    last = int((part.target_start + part.target_length).max())
    return part.targets[first:last]
