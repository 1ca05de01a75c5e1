"""Classification: a sequence in, one label out (many-to-one)."""

from typing import Any

from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import LabelMeter
from rnnkit.nn.losses import class_mean, cross_entropy, weights_of
from rnnkit.tasks.interface import Task


class Classification(Task):
    """Cross-entropy of the read-out; outputs are [batch, classes]."""

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        losses = cross_entropy(outputs, batch.targets)
        if self.class_weights is None:
            return losses.mean()
        return class_mean(losses, batch.targets, self.class_weights)

    def weight(self, batch: Batch) -> float:
        if self.class_weights is None:
            return len(batch.targets)
        return float(weights_of(batch.targets, self.class_weights).sum())

    def meter(self) -> LabelMeter:
        return LabelMeter(len(self.labels), sequences=False)

    def measure(self, meter: LabelMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(outputs.argmax(dim=-1), batch.targets)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        probability, predicted = outputs.softmax(dim=-1).max(dim=-1)
        return {
            "item": batch.item.tolist(),
            **self.recordings(batch),
            "truth": [self.labels[i] for i in batch.targets.tolist()],
            "predicted": [self.labels[i] for i in predicted.tolist()],
            "probability": probability.tolist(),
        }

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        shares = outputs.softmax(dim=-1).tolist()
        return {
            "label": self.labels[int(outputs.argmax())],
            "probabilities": dict(zip(self.labels, shares, strict=True)),
        }
