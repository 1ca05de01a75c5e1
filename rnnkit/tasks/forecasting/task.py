"""Forecasting: the next values of a series from a window of its past.

All steps of the horizon are read out at once from the state after the window (direct multi-step
forecasting); with a horizon of 1 that is the many-to-one network of the notes. Where covariates
are known ahead, the recurrence goes on over the horizon and reads them, with zeros for what it
cannot know, and each step of the horizon is read out from its own state.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import ForecastMeter
from rnnkit.nn.losses import ERRORS, pinball
from rnnkit.nn.model.representation import Level, Sizes
from rnnkit.tasks.forecasting import examples
from rnnkit.tasks.forecasting.baselines import drift, last_value, seasonal_naive, training_mean
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.numbers import Forecasts, number_columns
from rnnkit.tasks.predictions import Predictions


class Forecasting(Task[examples.ForecastingFitted]):
    """Squared, absolute or quantile error on scaled data."""

    fitted_type = examples.ForecastingFitted
    fit = staticmethod(examples.fit)
    table_type = Forecasts
    read_at_once = "a whole window"
    baselines: Mapping[str, Baseline] = {
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "drift": drift,
        "training mean": training_mean,
    }

    @property
    def scaler(self) -> Scaler:
        """Of all columns."""
        return self.fitted.scaler

    @property
    def topology(self) -> str:
        """Many-to-one; synced where covariates are known ahead."""
        return "synced" if self.scaler.known else "many_to_one"

    @property
    def sizes(self) -> Sizes:
        """With `relative_to`, networks read windows less their last row."""
        if self.params.relative_to == "zero":
            return super().sizes
        # behind what is known ahead stands the feature that tells window from horizon
        known, horizon = self.scaler.known, int(self.params.horizon)
        level = Level(known + 1, horizon) if known else Level(0, 0)
        return replace(super().sizes, level=level)

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

    def other_future(self, batch: Batch) -> tuple[Batch, slice] | None:
        """Of covariates known ahead: a forecast does not depend on those of later steps."""
        steps, horizon = batch.inputs.shape[1], int(self.params.horizon)
        if not self.synced or horizon < 2:
            return None
        half = steps - horizon + horizon // 2
        inputs = batch.inputs.clone()
        inputs[:, half:] += 1.5
        return replace(batch, inputs=inputs), slice(steps - horizon, half)

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
        columns |= number_columns(scaler.targets, truth, forecast, "forecast")
        if self.params.loss == "quantile":
            values = self.quantiles(outputs, batch.inputs)
            for q, level in enumerate(self.params.quantiles):
                own = scaler.inverse(values[..., q], batch.item)
                for k, name in enumerate(scaler.targets):
                    columns[f"quantile {level:g} {name}"] = own[:, :, k].flatten().tolist()
        return columns

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "forecasts", figures.forecasts(predictions.table, self.scaler.targets)

    def answers(self, network: nn.Module, batch: Batch) -> list[dict[str, Any]]:
        outputs = network(batch.inputs, None)
        each = zip(outputs, batch.inputs, batch.item.tolist(), strict=True)
        return [self.answer_of(*window) for window in each]

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """In the units of the first series."""
        return self.answer_of(outputs, inputs, self.scaler.begin[0])

    def answer_of(self, outputs: Tensor, inputs: Tensor, row: int) -> dict[str, Any]:
        """Forecasts [horizon, targets] in the units of the series that a row belongs to."""
        rows = torch.tensor([row])
        forecast = self.scaler.inverse(self.forecast(outputs[None], inputs[None]), rows)[0]
        answer: dict[str, Any] = {"forecast": forecast.tolist()}
        if self.params.loss == "quantile":
            each = self.quantiles(outputs[None], inputs[None]).unbind(-1)
            answer["quantiles"] = {
                f"{level:g}": self.scaler.inverse(values, rows)[0].tolist()
                for level, values in zip(self.params.quantiles, each, strict=True)
            }
        return answer

    def _naive_error(self, rows: Tensor) -> Tensor:
        """[batch, targets] mean |y_t - y_{t-season}| over the training part of each row's series,
        in units."""
        return self._naive_errors[self.scaler.which(rows)]

    @cached_property
    def _naive_errors(self) -> Tensor:
        """[series, targets]."""
        errors = []
        for k, values in enumerate(examples.rows_of(self.prepared.parts["train"], self.scaler)):
            begin = torch.full((len(values),), self.scaler.begin[k])
            values = self.scaler.inverse(values, begin)
            season = min(self.params.season, len(values) - 1)
            error = (values[season:] - values[: len(values) - season]).abs().mean(dim=0)
            errors.append(torch.where(error > 0, error, torch.ones_like(error)))
        return torch.stack(errors)
