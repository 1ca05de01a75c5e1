"""Forecasting: the next values of a series from a window of its past.

All steps of the horizon are read out at once from the state after the window (direct multi-step
forecasting); with a horizon of 1 that is the many-to-one network of the notes.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.batches import Batch
from rnnkit.losses import ERRORS
from rnnkit.metrics import ForecastMeter
from rnnkit.model.representation import RelativeToLast
from rnnkit.params.model import Model
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

    def network(self, model: Model, generator: torch.Generator) -> nn.Module:
        network = super().network(model, generator)
        if self.params.relative_to != "zero":
            assert self.prepared.features is not None
            network.representation = RelativeToLast(self.prepared.features)
        return network

    def forecast(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Network outputs as scaled forecasts [batch, horizon, targets].

        Args:
            outputs: [batch, horizon · targets].
            inputs: [batch, window, features], scaled: what the forecast may be relative to.
        """
        steps = outputs.view(len(outputs), self.params.horizon, len(self.scaler.targets))
        base = self._base(inputs)
        return steps if base is None else steps + base

    def _base(self, inputs: Tensor) -> Tensor | None:
        """[batch, horizon, targets] what `relative_to` names, of the window's own values."""
        if self.params.relative_to == "zero":
            return None
        seen = inputs[:, :, list(self.scaler.target_columns)]
        if self.params.relative_to == "last":
            return seen[:, -1:].expand(-1, self.params.horizon, -1)
        ahead = torch.arange(self.params.horizon) % self.params.season
        return seen[:, seen.shape[1] - self.params.season + ahead]

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return ERRORS[self.params.loss](self.forecast(outputs, batch.inputs), batch.targets).mean()

    def weight(self, batch: Batch) -> int:
        return batch.targets.numel()

    def meter(self) -> ForecastMeter:
        return ForecastMeter(self.scaler.inverse, self._naive_error())

    def measure(self, meter: ForecastMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(self.forecast(outputs, batch.inputs), batch.targets)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        forecast = self.scaler.inverse(self.forecast(outputs, batch.inputs).double())
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
