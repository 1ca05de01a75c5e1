"""Forecasting: the next values of a series from a window of its past.

All steps of the horizon are read out at once from the state after the window (direct multi-step
forecasting); with a horizon of 1 that is the many-to-one network of the notes. Where covariates
are known ahead, the recurrence goes on over the horizon and reads them, with zeros for what it
cannot know, and each step of the horizon is read out from its own state. A step is a row, or a
segment of `data.segment` rows, all of which are read out at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError
from rnnkit.metrics import ForecastMeter
from rnnkit.nn.losses import ERRORS, masked_mean, pinball
from rnnkit.nn.model.channels import Channels
from rnnkit.nn.model.representation import Level, Sizes
from rnnkit.params.model import Model
from rnnkit.tasks.forecasting import examples
from rnnkit.tasks.forecasting.ahead import DatedWindow
from rnnkit.tasks.forecasting.baselines import drift, last_value, seasonal_naive, training_mean
from rnnkit.tasks.forecasting.intervals import Calibration, Windows, calibrate, described
from rnnkit.tasks.forecasting.rows import rows_ahead, rows_before
from rnnkit.tasks.interface import Baseline, Evaluated, Figures, Task
from rnnkit.tasks.numbers import Forecasts, number_columns
from rnnkit.tasks.predictions import Predictions

if TYPE_CHECKING:
    from rnnkit.figures import Figure

Outputs = Float[Tensor, "batch *out"]
Read = Float[Tensor, "batch time features"]
Values = Float[Tensor, "batch horizon targets quantiles"]
Forecast = Float[Tensor, "batch horizon targets"]

MAX_SERIES = 8
"""Number of series with a figure, the first ones."""


class Forecasting(Task[examples.ForecastingFitted]):
    """Squared, absolute or quantile error on scaled data."""

    fitted_type = examples.ForecastingFitted
    fit = staticmethod(examples.fit)
    table_type = Forecasts
    read_at_once = "a whole window"
    loss_at = "end"
    baselines: Mapping[str, Baseline] = {
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "drift": drift,
        "training mean": training_mean,
    }

    @property
    def scaler(self) -> Scaler:
        """Of all columns."""
        return self.fitted.inputs.scaler

    @property
    def topology(self) -> str:
        """Many-to-one; synced where covariates are known ahead."""
        return "synced" if self.scaler.known else "many_to_one"

    @property
    def steps_ahead(self) -> int:
        return int(self.params.horizon) if self.scaler.known else 0

    @property
    def sizes(self) -> Sizes:
        """With `relative_to`, networks read windows less their last row."""
        # behind what is known ahead stands the feature that tells window from horizon
        known, horizon = self.scaler.known, int(self.params.horizon)
        level = Level(known + 1, horizon) if known else Level(0, 0)
        own = tuple(self.scaler.target_columns)
        shared = tuple(k for k in range(self.fitted.inputs.features) if k not in own)
        return replace(
            super().sizes,
            level=None if self.params.relative_to == "zero" else level,
            segment=self.fitted.data.segment,
            channels=Channels(own, shared, self._rows),
        )

    @property
    def outputs(self) -> int:
        return self._rows * len(self.scaler.targets) * len(self.levels)

    @property
    def _rows(self) -> int:
        """Rows of the horizon in one read-out."""
        return self.fitted.data.segment if self.scaler.known else int(self.params.horizon)

    def network(self, model: Model, generator: torch.Generator) -> nn.Module:
        if model.channels == "independent" and len(self.scaler.targets) == 1:
            raise InputError(
                "model.channels: independent forecasts each target by itself, and there is one, "
                f"{self.scaler.targets[0]}; leave it out"
            )
        return super().network(model, generator)

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantiles that are forecast; the median alone stands for the forecast of other losses."""
        quantiles: tuple[float, ...] = self.params.quantiles
        return quantiles if self.params.loss == "quantile" else (0.5,)

    def forecast(self, outputs: Outputs, inputs: Read) -> Forecast:
        """Network outputs as scaled forecasts; of quantiles the median.

        Args:
            outputs: [batch, horizon · targets · quantiles], or where covariates are known ahead
                [batch, segments, rows of a segment · targets · quantiles].
            inputs: the window, and with such covariates the horizon, scaled: what the forecast may
                be relative to.
        """
        return self.quantiles(outputs, inputs)[..., self.levels.index(0.5)]

    def quantiles(self, outputs: Outputs, inputs: Read) -> Values:
        """All quantiles; arguments as in `forecast`. They never cross: they are sorted.

        Reference: V. Chernozhukov, I. Fernández-Val, A. Galichon, Quantile and probability curves
        without crossing, Econometrica 78(3), 2010.
        """
        return self._values(outputs, inputs).sort(dim=-1).values

    def _values(self, outputs: Outputs, inputs: Read) -> Values:
        """As `quantiles`, as the network gives them."""
        horizon, window, targets = self.params.horizon, inputs.shape[1], self.scaler.target_columns
        if self.scaler.known:
            window -= horizon
            outputs = outputs[:, window // self._rows :]
        values = outputs.reshape(len(outputs), -1, len(targets), len(self.levels))[:, :horizon]
        if self.params.relative_to == "zero":
            return values
        season = self.params.season if self.params.relative_to == "season" else 1
        rows = window - season + torch.arange(horizon) % season
        return values + inputs[:, rows][..., targets, None]

    def loss(self, outputs: Outputs, batch: Batch) -> Float[Tensor, ""]:
        values = self._values(outputs, batch.inputs)
        if self.params.loss == "quantile":
            levels = torch.tensor(self.levels, dtype=values.dtype)
            losses = pinball(values, batch.targets, levels)
            each = None if batch.measured is None else batch.measured[..., None].expand_as(losses)
            return masked_mean(losses, each)
        return masked_mean(ERRORS[self.params.loss](values[..., 0], batch.targets), batch.measured)

    def weight(self, batch: Batch) -> int:
        return batch.targets.numel() if batch.measured is None else int(batch.measured.sum())

    def meter(self) -> ForecastMeter:
        return ForecastMeter(
            self.scaler.target_scale,
            lambda rows: self._naive_errors[self.scaler.which(rows)],
            self.scaler.in_target_logs,
            described(self.params.levels, self.calibration),
        )

    def measure(self, meter: ForecastMeter, outputs: Outputs, batch: Batch) -> None:
        forecast, quantiles = self.units(outputs, batch)
        meter.update(forecast, batch.truth, batch.item, batch.measured)
        if quantiles:
            values = torch.stack([*quantiles.values()], dim=-1)
            levels = torch.tensor(self.params.levels)
            meter.update_quantiles(values, batch.truth, levels, batch.measured)

    def calibrate(self, valid: Evaluated, test: Evaluated) -> None:
        valid_windows, test_windows = self._windows(valid), self._windows(test)
        series = len(self.scaler.series)
        self.calibration = calibrate(self.params.levels, valid_windows, test_windows, series)

    def _windows(self, evaluated: Evaluated) -> Windows:
        pieces = []
        for batch, outputs in evaluated:
            there = batch.measured
            pieces.append(
                (
                    self.quantiles(outputs, batch.inputs),
                    batch.targets,
                    torch.ones_like(batch.targets).bool() if there is None else there,
                    batch.item,
                    self.scaler.which(batch.item),
                )
            )
        return Windows(*map(torch.cat, zip(*pieces, strict=True)))

    def load_calibration(self, stored: Mapping[str, Any]) -> None:
        self.calibration = Calibration.from_json(stored)

    def other_future(self, batch: Batch) -> tuple[Batch, slice] | None:
        """Of covariates known ahead: a forecast does not depend on those of later segments."""
        horizon, rows = int(self.params.horizon), self._rows
        segments = -(-horizon // rows)
        if not self.synced or segments < 2:
            return None
        first = (batch.inputs.shape[1] - horizon) // rows
        half = first + segments // 2
        inputs = batch.inputs.clone()
        inputs[:, half * rows :] += 1.5
        return replace(batch, inputs=inputs), slice(first, half)

    def real(self, batch: Batch) -> Bool[Tensor, " batch"]:
        """All: windows are equally long."""
        return torch.ones(len(batch.inputs), dtype=torch.bool)

    def units(self, outputs: Outputs, batch: Batch) -> tuple[Forecast, dict[str, Forecast]]:
        """Forecasts in units, and quantiles by level (empty: none), calibrated and in bounds."""
        unbounded = self.params.lower is None and self.params.upper is None
        scaled, levels = self.quantiles(outputs, batch.inputs), self.levels
        if self.calibration is not None:
            series = self.scaler.which(batch.item)
            scaled, levels = self.calibration(scaled, batch.item, series), self.params.levels
        values = {}
        for level, own in zip(levels, scaled.unbind(-1), strict=True):
            units = self.scaler.inverse(own, batch.item)
            bounded = units if unbounded else units.clamp(self.params.lower, self.params.upper)
            values[f"{level:g}"] = bounded
        return values["0.5"], values if len(values) > 1 else {}

    def predictions(self, outputs: Outputs, batch: Batch) -> dict[str, list[Any]]:
        forecast, quantiles = self.units(outputs, batch)
        columns = self.columns(batch.item, batch.truth, forecast, batch.measured, batch.time)
        for level, values in quantiles.items():
            for k, name in enumerate(self.scaler.targets):
                columns[f"quantile {level} {name}"] = values[..., k].flatten().tolist()
        return columns

    def columns(
        self,
        rows: Int[Tensor, " batch"],
        truth: Forecast,
        forecast: Forecast,
        measured: Tensor | None,
        time: Int[Tensor, "batch horizon"] | None = None,
    ) -> dict[str, list[Any]]:
        """Columns of the table of forecasts, in units, that begin at these rows; `measured` as in
        `number_columns`, `time` as in `Batch`."""
        scaler, horizon = self.scaler, int(self.params.horizon)
        columns: dict[str, list[Any]] = {
            "row": [row + h for row in rows.tolist() for h in range(horizon)],
            "step": list(range(1, horizon + 1)) * len(rows),
        }
        if time is not None:
            columns["time"] = time.flatten().tolist()
        if scaler.series != ("",):
            which = scaler.which(rows).tolist()
            columns["series"] = [scaler.series[k] for k in which for _ in range(horizon)]
        return columns | number_columns(scaler.targets, truth, forecast, "forecast", measured)

    def whole(self, predictions: pandas.DataFrame) -> pandas.DataFrame:
        """With times in the zone of the table."""
        if "time" not in predictions:  # data that an older version prepared
            return predictions
        times = pandas.to_datetime(predictions["time"], unit="us")
        if (zone := self.prepared.facts.get("timezone")) is not None:
            times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
        return predictions.assign(time=times)

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        table, targets = predictions.table, self.scaler.targets
        if "series" not in table:
            yield "forecasts", figures.forecasts(table, targets)
            return
        for number, (name, rows) in enumerate(table.groupby("series", sort=False), start=1):
            if number <= MAX_SERIES:
                yield f"forecasts_{number}", figures.forecasts(rows, targets, str(name))

    def rows_ahead(
        self, items: Sequence[DatedWindow], answers: Sequence[Mapping[str, Any]]
    ) -> pandas.DataFrame:
        return rows_ahead(items, answers)

    def figure_ahead(
        self, items: Sequence[DatedWindow], answers: Sequence[Mapping[str, Any]]
    ) -> "Figure":
        from rnnkit import figures

        return figures.rows_ahead(rows_ahead(items, answers), rows_before(items))

    def answers(self, network: nn.Module, batch: Batch) -> list[dict[str, Any]]:
        forecast, quantiles = self.units(network(batch.inputs, None), batch)
        return [
            self.answer((own, {level: values[i] for level, values in quantiles.items()}), inputs)
            for i, (own, inputs) in enumerate(zip(forecast, batch.inputs, strict=True))
        ]

    def answer(self, outputs: tuple[Tensor, dict[str, Tensor]], inputs: Tensor) -> dict[str, Any]:
        """Of a window's forecast and quantiles in units, as in `units`."""
        forecast, quantiles = outputs
        answer: dict[str, Any] = {"forecast": forecast.tolist()}
        if quantiles:
            answer["quantiles"] = {level: own.tolist() for level, own in quantiles.items()}
        return answer

    @cached_property
    def _naive_errors(self) -> Float[Tensor, "series targets"]:
        return self.fitted.naive_errors(self.prepared.splits["train"])
