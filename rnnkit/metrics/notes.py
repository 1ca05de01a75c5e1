"""Meter of polyphonic notes."""

from jaxtyping import Bool, Num
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    BinaryF1Score,
    BinaryJaccardIndex,
    BinaryPrecision,
    BinaryRecall,
)

from rnnkit.metrics.values import Metrics


class NoteMeter:
    """Predicted notes against sounding ones, over all frames and keys (micro).

    Accuracy is TP / (TP + FP + FN); true negatives (silent keys) are not counted.

    Reference: M. Bay, A. Ehmann, J. S. Downie, Evaluation of multiple-F0 estimation and tracking
    systems, ISMIR 2009.
    """

    def __init__(self) -> None:
        self._scores = MetricCollection(
            {
                "accuracy": BinaryJaccardIndex(),
                "precision": BinaryPrecision(),
                "recall": BinaryRecall(),
                "f1": BinaryF1Score(),
            }
        )

    def update(
        self,
        predicted: Bool[Tensor, "frames keys"],
        targets: Num[Tensor, "frames keys"] | Bool[Tensor, "frames keys"],
    ) -> None:
        """Add a batch of real frames: whether each key sounds."""
        self._scores.update(predicted.int(), targets.int())

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        return {name: float(value) for name, value in self._scores.compute().items()}
