"""Regression: a sequence in, numbers out, at its end or at every frame."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import Metrics, NumberMeter
from rnnkit.nn.losses import ERRORS, masked_mean
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.numbers import ItemNumbers, number_columns
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.regression import baselines, examples


class RegressionMeter(NumberMeter):
    """As numbers, and the coefficient of determination, the mean over targets.

        R² = 1 - Σ (y - ŷ)² / Σ (y - mean(y))²

    It is left out where it is undefined: of a single item, or a target that does not vary.
    """

    def __init__(self) -> None:
        super().__init__()
        self._predicted: list[Tensor] = []
        self._truth: list[Tensor] = []

    def update(
        self, predicted: Float[Tensor, "rows targets"], truth: Float[Tensor, "rows targets"]
    ) -> None:
        super().update(predicted, truth)
        self._predicted.append(predicted.double())
        self._truth.append(truth.double())

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        metrics, truth = super().compute(), torch.cat(self._truth)
        if examples.varies(truth):
            errors = (truth - torch.cat(self._predicted)).square().sum(dim=0)
            variation = (truth - truth.mean(dim=0)).square().sum(dim=0)
            metrics["r2"] = float((1 - errors / variation).mean())
        return metrics


class Regression(Task):
    """Squared or absolute error on scaled numbers; outputs are [batch, targets], or
    [batch, time, targets] where there are numbers at every frame."""

    fitted_type: ClassVar[type[Any]] = examples.RegressionFitted
    table_type = ItemNumbers
    meter_type: ClassVar[type[NumberMeter]] = RegressionMeter

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        table: dict[str, Baseline] = {
            "training mean": baselines.training_mean,
            "best constant on valid": baselines.best_constant,
            "linear regression": baselines.linear_regression,
        }
        if self.synced:
            return {**table, "last value": baselines.last_value}
        if self.fitted.inputs.vocabulary is not None:
            return table
        return {**table, "nearest neighbour": baselines.nearest_neighbour}

    @property
    def outputs(self) -> int:
        return len(self.scaler.targets)

    @property
    def scaler(self) -> Scaler:
        """Of the targets."""
        scaler: Scaler = self.fitted.targets
        return scaler

    @property
    def readout(self) -> str:
        return "1 number" if self.outputs == 1 else f"{self.outputs} numbers"

    def truth(self, batch: Batch) -> Float[Tensor, "*rows targets"]:
        """Scaled, of items or of their steps."""
        return batch.targets if self.synced else batch.targets[:, 0]

    def units(self, batch: Batch) -> Float[Tensor, "*rows targets"]:
        """As `truth`, as the source has them."""
        return batch.truth if self.synced else batch.truth[:, 0]

    def loss(self, outputs: Float[Tensor, "*rows targets"], batch: Batch) -> Float[Tensor, ""]:
        errors = ERRORS[self.params.loss](outputs, self.truth(batch)).mean(dim=-1)
        return masked_mean(errors, batch.mask) if self.synced else errors.mean()

    def measure(self, meter: NumberMeter, outputs: Tensor, batch: Batch) -> None:
        real = self.real(batch)
        meter.update(self.scaler.inverse(outputs[real]), self.units(batch)[real])

    def predictions(
        self, outputs: Float[Tensor, "*rows targets"], batch: Batch
    ) -> dict[str, list[Any]]:
        real = self.real(batch)
        truth, predicted = self.units(batch)[real], self.scaler.inverse(outputs[real])
        columns = number_columns(self.scaler.targets, truth, predicted, "predicted")
        if not self.synced:
            return {"item": batch.item.tolist(), **columns}
        steps = real.sum(dim=1)
        step = torch.cat([torch.arange(1, count + 1) for count in steps.tolist()])
        item = batch.item.repeat_interleave(steps)
        return {"item": item.tolist(), "step": step.tolist(), **columns}

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "predicted", figures.predicted(predictions.table, self.scaler.targets)

    def answer(self, outputs: Float[Tensor, "*time targets"], inputs: Tensor) -> dict[str, Any]:
        """By the targets' names: a number in units, or one for every frame."""
        values = self.scaler.inverse(outputs).unbind(dim=-1)
        listed = [value.tolist() for value in values]
        return {"values": dict(zip(self.scaler.targets, listed, strict=True))}
