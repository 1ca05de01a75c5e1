"""Tagging: a label for every token or frame (many-to-many, synced)."""

from typing import Any

from torch import Tensor

from rnnkit.batches import Batch
from rnnkit.losses import IGNORED, cross_entropy, masked_mean
from rnnkit.metrics import LabelMeter
from rnnkit.tasks.interface import Task, real_steps


class Tagging(Task):
    """Cross-entropy per real token; outputs are [batch, time, tags]."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The tags, in the order of the outputs."""
        assert self.prepared.labels is not None
        return self.prepared.labels

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.mask)

    def weight(self, batch: Batch) -> int:
        return real_steps(batch)

    def meter(self) -> LabelMeter:
        return LabelMeter(len(self.labels), sequences=True)

    def measure(self, meter: LabelMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(outputs.argmax(dim=-1), batch.targets)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        predicted = outputs.argmax(dim=-1)
        real = batch.targets != IGNORED
        return {
            "item": batch.item.tolist(),
            "truth": [self._names(row[r]) for row, r in zip(batch.targets, real, strict=True)],
            "predicted": [self._names(row[r]) for row, r in zip(predicted, real, strict=True)],
        }

    def _names(self, ids: Tensor) -> list[str]:
        return [self.labels[i] for i in ids.tolist()]
