"""Meters of numbers in their own units, and of forecasts in the series' units and scaled."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    SymmetricMeanAbsolutePercentageError,
)

from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import pinball


class NumberMeter:
    """MAE and RMSE over numbers in their own units."""

    def __init__(self) -> None:
        self._errors = _absolute_and_squared()

    def update(
        self, predicted: Float[Tensor, "batch *targets"], truth: Float[Tensor, "batch *targets"]
    ) -> None:
        """Add a batch, in units."""
        self._errors.update(predicted.double().flatten(), truth.double().flatten())

    def compute(self) -> Metrics:
        errors = self._errors.compute()
        return {"mae": float(errors["mae"]), "rmse": float(errors["mse"]) ** 0.5}


class ForecastMeter:
    """MAE, RMSE, MAPE, sMAPE and MASE in the series' units; MSE and MAE on scaled data.

    MAPE excludes observations of zero and counts them (`mape_excluded`). MASE divides by the mean
    error of the seasonal naive forecast on the training split (Hyndman and Koehler 2006), column
    by column. MAE is also reported per step of the horizon: `mae_step_1` and so on. Quantile
    metrics: the mean pinball loss in units, the fraction of observations between the outermost
    two quantiles (`coverage`), and the mean distance of these in units (`interval_width`). Truth
    that is missing from the source is in no metric; where there is any, `missing_truth` counts it.

    Args:
        units: converts scaled values [batch, horizon, targets] of rows [batch] to series units.
        naive: maps rows [batch] to [batch, targets], the mean seasonal naive error of their series
            on the training split, in units.
    """

    def __init__(
        self, units: Callable[[Tensor, Tensor], Tensor], naive: Callable[[Tensor], Tensor]
    ) -> None:
        self._units, self._naive = units, naive
        self._numbers, self._scaled = NumberMeter(), _absolute_and_squared()
        self._mape = MeanAbsolutePercentageError().set_dtype(torch.float64)
        self._smape = SymmetricMeanAbsolutePercentageError().set_dtype(torch.float64)
        self._zeros, self._mase, self._missing = 0, 0.0, 0
        self._steps = torch.zeros(1, dtype=torch.float64)  # then [horizon]: summed absolute errors
        self._counts = torch.zeros(1, dtype=torch.int64)  # then [horizon]: their number
        self._of_quantiles = {"pinball": 0.0, "coverage": 0.0, "interval_width": 0.0}  # sums
        self._observed = 0

    def update(
        self,
        forecast: Float[Tensor, "batch horizon targets"],
        truth: Float[Tensor, "batch horizon targets"],
        rows: Int[Tensor, " batch"],
        measured: Bool[Tensor, "batch horizon targets"] | None = None,
    ) -> None:
        """Add a batch: scaled values, one row of each series, and which truth is not missing."""
        forecast, truth = forecast.double(), truth.double()
        there = torch.ones_like(truth, dtype=torch.bool) if measured is None else measured
        self._missing += int((~there).sum())
        self._scaled.update(forecast[there], truth[there])
        forecast, truth = self._units(forecast, rows), self._units(truth, rows)
        relative = (forecast - truth).abs() / self._naive(rows)[:, None]
        self._mase += float(relative[there].sum())
        errors = (forecast - truth).abs().where(there, 0.0)
        self._steps = self._steps + errors.sum(dim=(0, 2))
        self._counts = self._counts + there.sum(dim=(0, 2))
        forecast, truth = forecast[there], truth[there]
        self._numbers.update(forecast, truth)
        self._smape.update(forecast, truth)
        real = truth != 0
        self._zeros += int((~real).sum())
        if real.any():
            self._mape.update(forecast[real], truth[real])

    def update_quantiles(
        self,
        forecasts: Float[Tensor, "batch horizon targets quantiles"],
        truth: Float[Tensor, "batch horizon targets"],
        rows: Int[Tensor, " batch"],
        quantiles: Float[Tensor, " quantiles"],
        measured: Bool[Tensor, "batch horizon targets"] | None = None,
    ) -> None:
        """Add the quantiles of a batch: scaled, ascending forecasts of these probabilities."""
        predicted = [self._units(forecast, rows) for forecast in forecasts.double().unbind(-1)]
        observed = self._units(truth.double(), rows)
        losses = pinball(torch.stack(predicted, dim=-1), observed, quantiles.double())
        inside = (predicted[0] <= observed) & (observed <= predicted[-1])
        there = torch.ones_like(inside) if measured is None else measured
        self._of_quantiles["pinball"] += float(losses.mean(-1)[there].sum())
        self._of_quantiles["coverage"] += int(inside[there].sum())
        self._of_quantiles["interval_width"] += float((predicted[-1] - predicted[0])[there].sum())
        self._observed += int(there.sum())

    @property
    def counted(self) -> dict[str, str]:
        """How many values the mean absolute error is of, where some are missing."""
        if not self._missing:
            return {}
        there = int(self._counts.sum())
        missing = f"{self._missing:,} are missing from the source and not scored"
        return {"mae": f"over {there:,} of {there + self._missing:,} values; {missing}"}

    def compute(self) -> Metrics:
        scaled = self._scaled.compute()
        metrics = self._numbers.compute() | {
            "smape": float(self._smape.compute()),
            "mase": self._mase / int(self._counts.sum()),
            "scaled_mse": float(scaled["mse"]),
            "scaled_mae": float(scaled["mae"]),
            "mape_excluded": float(self._zeros),
        }
        if self._mape.update_called:
            metrics["mape"] = float(self._mape.compute())
        if self._missing:
            metrics["missing_truth"] = float(self._missing)
        if self._observed:
            metrics |= {name: total / self._observed for name, total in self._of_quantiles.items()}
        if len(self._steps) > 1:
            for step, mean in enumerate((self._steps / self._counts).tolist(), start=1):
                metrics[f"mae_step_{step}"] = mean
        return metrics


def _absolute_and_squared() -> MetricCollection:
    return MetricCollection(
        {"mae": MeanAbsoluteError(), "mse": MeanSquaredError()}, compute_groups=False
    ).set_dtype(torch.float64)
