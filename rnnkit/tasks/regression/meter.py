"""MAE, RMSE and R² of numbers in their own units."""

import torch
from torch import Tensor
from torchmetrics.functional import r2_score

from rnnkit.metrics import Metrics, NumberMeter


class RegressionMeter(NumberMeter):
    """As numbers, and the coefficient of determination, the mean over targets.

        R² = 1 - Σ (y - ŷ)² / Σ (y - mean(y))²

    It is left out where it is undefined: of a single item, or a target that does not vary.
    """

    def __init__(self) -> None:
        super().__init__()
        self._predicted: list[Tensor] = []
        self._truth: list[Tensor] = []

    def update(self, predicted: Tensor, truth: Tensor) -> None:
        super().update(predicted, truth)
        self._predicted.append(predicted.double())
        self._truth.append(truth.double())

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        metrics, truth = super().compute(), torch.cat(self._truth)
        if len(truth) > 1 and bool((truth.max(dim=0).values > truth.min(dim=0).values).all()):
            metrics["r2"] = float(r2_score(torch.cat(self._predicted), truth))
        return metrics
