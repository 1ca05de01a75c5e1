"""Meter of forecasts, in the series' units and scaled."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    SymmetricMeanAbsolutePercentageError,
)

from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import pinball


class ForecastMeter:
    """MAE, RMSE, MAPE, sMAPE and MASE in the series' units; MSE and MAE on scaled data.

    MAPE excludes observations of zero and counts them (`mape_excluded`). MASE divides by the mean
    error of the seasonal naive forecast on the training split (Hyndman and Koehler 2006), column
    by column. MAE is also reported per step of the horizon: `mae_step_1` and so on. Quantile
    metrics: the mean pinball loss in units, the fraction of observations between the outermost
    two quantiles (`coverage`), and the mean distance of these in units (`interval_width`).

    Args:
        units: converts scaled values [batch, horizon, targets] of rows [batch] to series units.
        naive: maps rows [batch] to [batch, targets], the mean seasonal naive error of their series
            on the training split, in units.
    """

    def __init__(
        self, units: Callable[[Tensor, Tensor], Tensor], naive: Callable[[Tensor], Tensor]
    ) -> None:
        self._units, self._naive = units, naive
        self._mae, self._mse = MeanAbsoluteError(), MeanSquaredError()
        self._mape, self._smape = (
            MeanAbsolutePercentageError(),
            SymmetricMeanAbsolutePercentageError(),
        )
        self._scaled_mae, self._scaled_mse = MeanAbsoluteError(), MeanSquaredError()
        for metric in self._all():
            metric.set_dtype(torch.float64)
        self._zeros = 0
        self._steps: Tensor | None = None  # [horizon] summed absolute errors
        self._mase, self._rows = 0.0, 0
        self._pinball, self._inside, self._width, self._quantiles = 0.0, 0, 0.0, 0

    def _all(self) -> list[Metric]:
        return [
            self._mae,
            self._mse,
            self._mape,
            self._smape,
            self._scaled_mae,
            self._scaled_mse,
        ]

    def update(
        self,
        forecast: Float[Tensor, "batch horizon targets"],
        truth: Float[Tensor, "batch horizon targets"],
        rows: Int[Tensor, " batch"],
    ) -> None:
        """Add a batch: scaled values, and one row of each series."""
        forecast, truth = forecast.double(), truth.double()
        self._scaled_mae.update(forecast.flatten(), truth.flatten())
        self._scaled_mse.update(forecast.flatten(), truth.flatten())
        forecast, truth = self._units(forecast, rows), self._units(truth, rows)
        self._mae.update(forecast.flatten(), truth.flatten())
        self._mse.update(forecast.flatten(), truth.flatten())
        self._smape.update(forecast.flatten(), truth.flatten())
        real = truth != 0
        self._zeros += int((~real).sum())
        if real.any():
            self._mape.update(forecast[real], truth[real])
        errors = (forecast - truth).abs()
        steps = errors.mean(dim=2).sum(dim=0)
        self._steps = steps if self._steps is None else self._steps + steps
        self._mase += float((errors / self._naive(rows)[:, None]).mean(dim=(1, 2)).sum())
        self._rows += len(errors)

    def update_quantiles(
        self,
        forecasts: Float[Tensor, "batch horizon targets quantiles"],
        truth: Float[Tensor, "batch horizon targets"],
        rows: Int[Tensor, " batch"],
        quantiles: Float[Tensor, " quantiles"],
    ) -> None:
        """Add the quantiles of a batch.

        Args:
            forecasts: scaled, ascending.
            truth: scaled.
            rows: one row of each series.
            quantiles: probabilities.
        """
        predicted = [self._units(forecast, rows) for forecast in forecasts.double().unbind(-1)]
        observed = self._units(truth.double(), rows)
        losses = pinball(torch.stack(predicted, dim=-1), observed, quantiles.double())
        self._pinball += float(losses.mean(-1).sum())
        self._inside += int(((predicted[0] <= observed) & (observed <= predicted[-1])).sum())
        self._width += float((predicted[-1] - predicted[0]).sum())
        self._quantiles += observed.numel()

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        metrics = {
            "mae": float(self._mae.compute()),
            "rmse": float(self._mse.compute()) ** 0.5,
            "smape": float(self._smape.compute()),
            "mase": self._mase / self._rows,
            "scaled_mse": float(self._scaled_mse.compute()),
            "scaled_mae": float(self._scaled_mae.compute()),
            "mape_excluded": float(self._zeros),
        }
        if self._mape.update_called:
            metrics["mape"] = float(self._mape.compute())
        if self._quantiles:
            metrics["pinball"] = self._pinball / self._quantiles
            metrics["coverage"] = self._inside / self._quantiles
            metrics["interval_width"] = self._width / self._quantiles
        if self._steps is not None and len(self._steps) > 1:
            for step, mean in enumerate((self._steps / self._rows).tolist(), start=1):
                metrics[f"mae_step_{step}"] = mean
        return metrics
