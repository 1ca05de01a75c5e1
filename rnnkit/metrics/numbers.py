"""Meter of numbers in their own units."""

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics.regression import (
    MeanAbsoluteError,
    MeanSquaredError,
)

from rnnkit.metrics.values import Metrics


class NumberMeter:
    """MAE and RMSE over numbers in their own units."""

    def __init__(self) -> None:
        self._mae, self._mse = MeanAbsoluteError(), MeanSquaredError()
        for metric in (self._mae, self._mse):
            metric.set_dtype(torch.float64)

    def update(
        self, predicted: Float[Tensor, "batch targets"], truth: Float[Tensor, "batch targets"]
    ) -> None:
        """Add a batch, in units."""
        for metric in (self._mae, self._mse):
            metric.update(predicted.double().flatten(), truth.double().flatten())

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        return {"mae": float(self._mae.compute()), "rmse": float(self._mse.compute()) ** 0.5}
