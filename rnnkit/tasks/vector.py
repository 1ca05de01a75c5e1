"""Vector: a vector in, a label or numbers out (one-to-one)."""

from typing import Any

from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import LabelMeter, NumberMeter
from rnnkit.nn.losses import squared
from rnnkit.tasks.classification import Classification


class Vector(Classification):
    """As classification, or squared error on scaled numbers; outputs are [batch, outputs]."""

    @property
    def outputs(self) -> int:
        return len(self.scaler.targets) if self._numbers else len(self.labels)

    @property
    def _numbers(self) -> bool:
        return bool(self.params.loss == "squared")

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        if self._numbers:
            return squared(outputs, batch.targets[:, 0]).mean()
        return super().loss(outputs, batch)

    def meter(self) -> LabelMeter | NumberMeter:  # type: ignore[override]  # by the loss
        return NumberMeter() if self._numbers else super().meter()

    def measure(self, meter: Any, outputs: Tensor, batch: Batch) -> None:
        if not self._numbers:
            super().measure(meter, outputs, batch)
            return
        meter.update(self.scaler.inverse(outputs), self.scaler.inverse(batch.targets[:, 0]))

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        if not self._numbers:
            return super().predictions(outputs, batch)
        columns: dict[str, list[Any]] = {"item": batch.item.tolist()}
        truth = self.scaler.inverse(batch.targets[:, 0])
        predicted = self.scaler.inverse(outputs)
        for k, name in enumerate(self.scaler.targets):
            columns[f"truth {name}"] = truth[:, k].tolist()
            columns[f"predicted {name}"] = predicted[:, k].tolist()
        return columns

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        if not self._numbers:
            return super().answer(outputs, inputs)
        values = self.scaler.inverse(outputs).tolist()
        return {"values": dict(zip(self.scaler.targets, values, strict=True))}
