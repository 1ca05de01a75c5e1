"""Forecasting: the next values of a series from a window of its past.

All steps of the horizon are read out at once from the state after the window (direct multi-step
forecasting); with a horizon of 1 that is the many-to-one network of the notes. Where covariates
are known ahead, the recurrence goes on over the horizon and reads them, with zeros for what it
cannot know, and each step of the horizon is read out from its own state.
"""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import Part
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import ForecastMeter
from rnnkit.nn.losses import ERRORS, pinball
from rnnkit.nn.model.network import build
from rnnkit.nn.model.representation import RelativeToLast
from rnnkit.params.model import Model
from rnnkit.tasks.interface import Task


class Forecasting(Task):
    """Squared, absolute or quantile error on scaled data."""

    @property
    def outputs(self) -> int:
        steps = 1 if self.scaler.known else int(self.params.horizon)
        return steps * len(self.scaler.targets) * self.quantiles_per_value

    @property
    def quantiles_per_value(self) -> int:
        """How many numbers are forecast for each value."""
        return len(self.params.quantiles) if self.params.loss == "quantile" else 1

    @property
    def levels(self) -> Tensor:
        """[quantiles] which quantiles are forecast."""
        return torch.tensor(self.params.quantiles)

    def network(self, model: Model, generator: torch.Generator) -> nn.Module:
        """Many-to-one; synced where covariates are known ahead."""
        features, known = self.prepared.features, self.scaler.known
        assert features is not None
        topology = "synced" if known else "many_to_one"
        network = build(model, topology, self.sizes, self.outputs, generator)
        if self.params.relative_to != "zero":
            # behind what is known ahead stands the feature that tells window from horizon
            left, ahead = (known + 1, int(self.params.horizon)) if known else (0, 0)
            network.representation = RelativeToLast(features, left, ahead)
        return network

    def forecast(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Network outputs as scaled forecasts [batch, horizon, targets]; of quantiles the median.

        Args:
            outputs: [batch, horizon · targets · quantiles], or where covariates are known ahead
                [batch, window + horizon, targets · quantiles].
            inputs: [batch, window, features], or [batch, window + horizon, features], scaled: what
                the forecast may be relative to.
        """
        values = self.quantiles(outputs, inputs)
        if self.params.loss != "quantile":
            return values[..., 0]
        return values[..., self.params.quantiles.index(0.5)]

    def quantiles(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """The same as [batch, horizon, targets, quantiles], which never cross: they are sorted.

        Reference: V. Chernozhukov, I. Fernández-Val, A. Galichon, Quantile and probability curves
        without crossing, Econometrica 78(3), 2010.
        """
        return self._values(outputs, inputs).sort(dim=-1).values

    def _values(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """As `quantiles`, as the network gives them."""
        horizon = int(self.params.horizon)
        if self.scaler.known:
            outputs = outputs[:, -horizon:]
        targets = len(self.scaler.targets)
        steps = outputs.reshape(len(outputs), horizon, targets, self.quantiles_per_value)
        base = self._base(inputs)
        return steps if base is None else steps + base[..., None]

    def _base(self, inputs: Tensor) -> Tensor | None:
        """[batch, horizon, targets] what `relative_to` names, of the window's own values."""
        if self.params.relative_to == "zero":
            return None
        horizon = int(self.params.horizon)
        window = inputs.shape[1] - (horizon if self.scaler.known else 0)
        seen = inputs[:, :window, list(self.scaler.target_columns)]
        if self.params.relative_to == "last":
            return seen[:, -1:].expand(-1, horizon, -1)
        ahead = torch.arange(horizon) % self.params.season
        return seen[:, window - self.params.season + ahead]

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        values = self._values(outputs, batch.inputs)
        if self.params.loss == "quantile":
            return pinball(values, batch.targets, self.levels.to(values.dtype)).mean()
        return ERRORS[self.params.loss](values[..., 0], batch.targets).mean()

    def weight(self, batch: Batch) -> int:
        return batch.targets.numel()

    def meter(self) -> ForecastMeter:
        return ForecastMeter(self.scaler.inverse, self._naive_error)

    def measure(self, meter: ForecastMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(self.forecast(outputs, batch.inputs), batch.targets, batch.item)
        if self.params.loss == "quantile":
            values = self.quantiles(outputs, batch.inputs)
            meter.update_quantiles(values, batch.targets, batch.item, self.levels)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        scaler, horizon = self.scaler, int(self.params.horizon)
        forecast = scaler.inverse(self.forecast(outputs, batch.inputs), batch.item)
        truth = scaler.inverse(batch.targets, batch.item)
        columns: dict[str, list[Any]] = {
            "row": [row + h for row in batch.item.tolist() for h in range(horizon)],
            "step": list(range(1, horizon + 1)) * len(batch.item),
        }
        if scaler.series != ("",):
            which = scaler.which(batch.item).tolist()
            columns["series"] = [scaler.series[k] for k in which for _ in range(horizon)]
        for k, name in enumerate(scaler.targets):
            columns[f"truth {name}"] = truth[:, :, k].flatten().tolist()
            columns[f"forecast {name}"] = forecast[:, :, k].flatten().tolist()
        if self.params.loss == "quantile":
            values = self.quantiles(outputs, batch.inputs)
            for q, level in enumerate(self.params.quantiles):
                own = scaler.inverse(values[..., q], batch.item)
                for k, name in enumerate(scaler.targets):
                    columns[f"quantile {level:g} {name}"] = own[:, :, k].flatten().tolist()
        return columns

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """In the units of the first series; `Predictor` knows which one is meant."""
        return self.answer_of(outputs, inputs, self.scaler.begin[0])

    def answer_of(self, outputs: Tensor, inputs: Tensor, row: int) -> dict[str, Any]:
        """Forecasts [horizon, targets] in the units of the series that a row belongs to."""
        rows = torch.tensor([row])
        told = self.scaler.inverse(self.forecast(outputs[None], inputs[None]), rows)[0]
        found: dict[str, Any] = {"forecast": told.tolist()}
        if self.params.loss == "quantile":
            each = self.quantiles(outputs[None], inputs[None]).unbind(-1)
            found["quantiles"] = {
                f"{level:g}": self.scaler.inverse(values, rows)[0].tolist()
                for level, values in zip(self.params.quantiles, each, strict=True)
            }
        return found

    def _naive_error(self, rows: Tensor) -> Tensor:
        """[batch, targets] mean |y_t - y_{t-season}| over the training part of each row's series,
        in units."""
        return self._naive_errors[self.scaler.which(rows)]

    @cached_property
    def _naive_errors(self) -> Tensor:
        """[series, targets]."""
        found = []
        for k, values in enumerate(rows_of(self.prepared.parts["train"], self.scaler)):
            begin = torch.full((len(values),), self.scaler.begin[k])
            values = self.scaler.inverse(values, begin)
            season = min(self.params.season, len(values) - 1)
            error = (values[season:] - values[: len(values) - season]).abs().mean(dim=0)
            found.append(torch.where(error > 0, error, torch.ones_like(error)))
        return torch.stack(found)


def rows_of(part: Part, scaler: Scaler) -> list[Tensor]:
    """By series: [rows, targets] the stretch that the part's windows forecast, scaled.

    A series of which the part has no window has a stretch of no rows.
    """
    which, stretches = scaler.which(part.target_start), []
    for k in range(len(scaler.series)):
        first = part.target_start[which == k]
        if not len(first):
            stretches.append(part.targets[:0])
            continue
        length = int(part.target_length[0])
        stretches.append(part.targets[int(first.min()) : int(first.max()) + length])
    return stretches
