"""Vector: a vector in, a label or numbers out (one-to-one)."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.scale import Scaler
from rnnkit.metrics import LabelMeter, NumberMeter
from rnnkit.nn.losses import squared
from rnnkit.params.data import Data
from rnnkit.tasks.classification.predictions import LabelPredictions
from rnnkit.tasks.classification.task import Classification
from rnnkit.tasks.interface import Baseline, Figures
from rnnkit.tasks.numbers import ItemNumbers, number_columns
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.vector import examples
from rnnkit.tasks.vector.baselines import constant_target, nearest_neighbour


class Vector(Classification):
    """As classification, or squared error on scaled numbers; outputs are [batch, outputs]."""

    fitted_type: ClassVar[type[Fitted]] = examples.VectorFitted
    fit = staticmethod(examples.fit)  # type: ignore[assignment]  # of its own params
    baselines: Mapping[str, Baseline] = {
        "constant target": constant_target,
        "nearest neighbour": nearest_neighbour,
    }

    @property
    def scaler(self) -> Scaler:
        """Of the vectors' columns, and of numbers that are targets."""
        return cast("examples.VectorFitted", self.fitted).scaler

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

    @classmethod
    def predictions_type(cls, params: Any, data: Data) -> type[Predictions]:
        return ItemNumbers if params.loss == "squared" else LabelPredictions

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        if not self._numbers:
            return super().predictions(outputs, batch)
        truth = self.scaler.inverse(batch.targets[:, 0])
        predicted = self.scaler.inverse(outputs)
        columns = number_columns(self.scaler.targets, truth, predicted, "predicted")
        return {"item": batch.item.tolist(), **columns}

    def figures(self, predictions: Predictions) -> Figures:
        if not self._numbers:
            yield from super().figures(predictions)
            return
        from rnnkit import figures

        yield "predicted", figures.predicted(predictions.table, self.scaler.targets)

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        if not self._numbers:
            return super().answer(outputs, inputs)
        values = self.scaler.inverse(outputs).tolist()
        return {"values": dict(zip(self.scaler.targets, values, strict=True))}
