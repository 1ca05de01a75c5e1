"""Meters of labels: one per sequence or per token, and entity tags."""

from collections.abc import Sequence

from jaxtyping import Int
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)

from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import IGNORED


class LabelMeter:
    """Accuracy over all items; precision, recall and F1 as the mean over classes (macro).

    Args:
        classes: number of labels.
        sequences: also report the fraction of sequences with every token correct.
    """

    def __init__(self, classes: int, sequences: bool) -> None:
        self._scores = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(num_classes=classes, average="micro"),
                "precision": MulticlassPrecision(num_classes=classes, average="macro"),
                "recall": MulticlassRecall(num_classes=classes, average="macro"),
                "f1": MulticlassF1Score(num_classes=classes, average="macro"),
            }
        )
        self._sequences = sequences
        self._right = self._seen = 0

    def update(
        self, predicted: Int[Tensor, "batch *time"], targets: Int[Tensor, "batch *time"]
    ) -> None:
        """Add a batch.

        Args:
            predicted: label ids, one per sequence or per step.
            targets: `IGNORED` marks padding.
        """
        real = targets != IGNORED
        self._scores.update(predicted[real], targets[real])
        if self._sequences:
            self._right += int(((predicted == targets) | ~real).all(dim=1).sum())
            self._seen += len(targets)

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        scores = self._scores.compute().items()
        metrics = {name: min(1.0, float(value)) for name, value in scores}  # float32 rounds up
        if self._sequences:
            metrics["sequence_accuracy"] = self._right / self._seen
        return metrics


class EntityMeter:
    """Micro-averaged precision, recall and F1 of entities. A correct entity has the right begin,
    end and type. Accuracy is over tokens, sequence accuracy over sentences.

    Args:
        labels: BIO or IOB tags: `O`, `B-TYPE`, `I-TYPE`.

    Reference: E. F. Tjong Kim Sang, F. De Meulder, Introduction to the CoNLL-2003 shared
    task, 2003.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._predicted: list[list[str]] = []
        self._truth: list[list[str]] = []

    def update(
        self, predicted: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
    ) -> None:
        """Add a batch of tag ids; `IGNORED` marks padding."""
        for prediction, target in zip(predicted, targets, strict=True):
            real = target != IGNORED
            self._predicted.append([self._labels[i] for i in prediction[real].tolist()])
            self._truth.append([self._labels[i] for i in target[real].tolist()])

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        from seqeval.metrics import f1_score, precision_score, recall_score

        tags = self._truth, self._predicted
        right = [[a == b for a, b in zip(*pair, strict=True)] for pair in zip(*tags, strict=True)]
        return {
            "accuracy": sum(map(sum, right)) / sum(map(len, right)),
            "precision": float(precision_score(*tags, zero_division=0)),
            "recall": float(recall_score(*tags, zero_division=0)),
            "f1": float(f1_score(*tags, zero_division=0)),
            "sequence_accuracy": sum(map(all, right)) / len(right),
        }
