"""Meters of numbers in their own units, and of forecasts in the series' units and scaled."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import pinball


class Mean:
    """The mean of all numbers added, in float64; None of no numbers."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, values: Shaped[Tensor, "*values"]) -> None:
        """Add numbers of any shape."""
        self._total += float(values.double().sum())
        self._count += values.numel()

    @property
    def value(self) -> float | None:
        return self._total / self._count if self._count else None


def existing(**means: Mean) -> Metrics:
    """The means that exist, by name."""
    return {name: mean.value for name, mean in means.items() if mean.value is not None}


class NumberMeter:
    """MAE and RMSE over numbers in their own units."""

    def __init__(self) -> None:
        self._absolute, self._squared = Mean(), Mean()

    def update(
        self, predicted: Float[Tensor, "batch *targets"], truth: Float[Tensor, "batch *targets"]
    ) -> None:
        """Add a batch, in units."""
        errors = predicted.double() - truth.double()
        self._absolute.add(errors.abs())
        self._squared.add(errors.square())

    def compute(self) -> Metrics:
        metrics = existing(mae=self._absolute, rmse=self._squared)
        return {**metrics, "rmse": metrics["rmse"] ** 0.5}


class ForecastMeter:
    """MAE, RMSE, MAPE, sMAPE and MASE of forecasts in units; MSE and MAE of scaled ones.

        MAPE  = mean |y - f| / |y| over the observations that are not 0
        sMAPE = mean 2 |y - f| / (|y| + |f|), between 0 and 2; 0 where both are 0
        MASE  = mean |y - f| / q, q the mean |y_t - y_{t-season}| over its training rows

    `mape_excluded` counts the observations of zero. A metric of no observation is left out. MAE is
    also reported per step of the horizon: `mae_step_1` and so on. Quantile metrics: the mean
    pinball loss, the fraction of observations between the outermost two quantiles (`coverage`), and
    the mean distance of these (`interval_width`). Truth that is missing from the source is in no
    metric; where there is any, `missing_truth` counts it.

    Args:
        scale: maps rows [batch] to [batch, targets], units per scaled unit of their series.
        naive: likewise q, in units; NaN where it is undefined.
        linear: maps [batch, horizon, targets] in units to what is scaled linearly, such as logs.
        interval: what the interval is, for `counted`.

    Reference: R. J. Hyndman, A. B. Koehler, Another look at measures of forecast accuracy,
    International Journal of Forecasting 22(4), 2006.
    """

    def __init__(
        self,
        scale: Callable[[Tensor], Tensor],
        naive: Callable[[Tensor], Tensor],
        linear: Callable[[Tensor], Tensor],
        interval: str,
    ) -> None:
        self._scale, self._naive, self._linear = scale, naive, linear
        self._interval = interval
        self._numbers = NumberMeter()
        self._scaled_mae, self._scaled_mse = Mean(), Mean()
        self._mape, self._smape, self._mase, self._zeros = Mean(), Mean(), Mean(), 0
        self._steps: list[Mean] = []
        self._pinball, self._coverage, self._interval_width = Mean(), Mean(), Mean()
        self._there, self._missing = 0, 0

    def update(
        self,
        forecast: Float[Tensor, "batch horizon targets"],
        truth: Float[Tensor, "batch horizon targets"],
        rows: Int[Tensor, " batch"],
        measured: Bool[Tensor, "batch horizon targets"] | None = None,
    ) -> None:
        """Add a batch, in units, one row of each series, and which truth is not missing."""
        there = torch.ones_like(truth, dtype=torch.bool) if measured is None else measured
        self._there += int(there.sum())
        self._missing += int((~there).sum())
        scale = self._scale(rows)[:, None].expand_as(truth)[there]
        naive = self._naive(rows)[:, None].expand_as(truth)[there]
        by_step = (forecast - truth).abs()
        self._steps = self._steps or [Mean() for _ in range(truth.shape[1])]
        for k, mean in enumerate(self._steps):
            mean.add(by_step[:, k][there[:, k]])
        scaled_errors = (self._linear(forecast) - self._linear(truth)).abs()[there] / scale
        forecast, truth = forecast[there], truth[there]
        self._numbers.update(forecast, truth)
        errors = (forecast - truth).abs()
        self._scaled_mae.add(scaled_errors)
        self._scaled_mse.add(scaled_errors.square())
        nonzero = truth != 0
        self._zeros += int((~nonzero).sum())
        self._mape.add(errors[nonzero] / truth[nonzero].abs())
        size = truth.abs() + forecast.abs()
        self._smape.add(torch.where(size > 0, 2 * errors / size, 0.0))
        defined = ~naive.isnan()
        self._mase.add(errors[defined] / naive[defined])

    def update_quantiles(
        self,
        forecasts: Float[Tensor, "batch horizon targets quantiles"],
        truth: Float[Tensor, "batch horizon targets"],
        quantiles: Float[Tensor, " quantiles"],
        measured: Bool[Tensor, "batch horizon targets"] | None = None,
    ) -> None:
        """Add the quantiles of a batch: ascending forecasts of these probabilities, in units."""
        if measured is not None:
            forecasts, truth = forecasts[measured], truth[measured]
        lowest, highest = forecasts[..., 0], forecasts[..., -1]
        self._pinball.add(pinball(forecasts, truth, quantiles.double()).mean(-1))
        self._coverage.add((lowest <= truth) & (truth <= highest))
        self._interval_width.add(highest - lowest)

    @property
    def counted(self) -> dict[str, str]:
        """How many values the mean absolute error is of, where some are missing, and what the
        interval is."""
        counted = {}
        if self._missing:
            missing = f"{self._missing:,} are missing from the source and not scored"
            values = f"{self._there:,} of {self._there + self._missing:,} values"
            counted["mae"] = f"over {values}; {missing}"
        if self._coverage.value is not None:
            counted["coverage"] = self._interval
        return counted

    def compute(self) -> Metrics:
        metrics = self._numbers.compute() | existing(
            mape=self._mape,
            smape=self._smape,
            mase=self._mase,
            scaled_mse=self._scaled_mse,
            scaled_mae=self._scaled_mae,
            pinball=self._pinball,
            coverage=self._coverage,
            interval_width=self._interval_width,
        )
        metrics["mape_excluded"] = float(self._zeros)
        if self._missing:
            metrics["missing_truth"] = float(self._missing)
        if len(self._steps) > 1:
            steps = enumerate(self._steps, start=1)
            metrics |= existing(**{f"mae_step_{step}": mean for step, mean in steps})
        return metrics
