"""Meters of classes: labels, polyphonic notes, next tokens and answers."""

import math

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from rnnkit.metrics.fractions import precision_recall_f1
from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import IGNORED


class LabelMeter:
    """Accuracy over all items; precision, recall and F1 as the mean over the classes that were
    predicted or are true (macro).

    Args:
        classes: number of labels.
        sequences: also report the fraction of sequences with every token correct.
    """

    def __init__(self, classes: int, sequences: bool) -> None:
        self._right, self._predicted, self._true = torch.zeros(3, classes, dtype=torch.int64)
        self._sequences = AnswerMeter() if sequences else None

    def update(
        self, predicted: Int[Tensor, "batch *time"], targets: Int[Tensor, "batch *time"]
    ) -> None:
        """Add a batch of label ids; `IGNORED` marks padding in the targets."""
        real = targets != IGNORED
        guesses, truth = predicted[real], targets[real]
        classes = len(self._true)
        self._right += torch.bincount(truth[guesses == truth], minlength=classes)
        self._predicted += torch.bincount(guesses, minlength=classes)
        self._true += torch.bincount(truth, minlength=classes)
        if self._sequences is not None:
            self._sequences.update(((predicted == targets) | ~real).all(dim=1))

    def compute(self) -> Metrics:
        counts = torch.stack([self._right, self._predicted, self._true], dim=1)
        present = counts[counts.sum(dim=1) > 0].tolist()  # predicted or true at least once
        scores = [precision_recall_f1(*row) for row in present]
        metrics = {"accuracy": int(self._right.sum()) / int(self._true.sum())}
        for name in ("precision", "recall", "f1"):
            metrics[name] = sum(score[name] for score in scores) / len(scores)
        if self._sequences is not None:
            metrics["sequence_accuracy"] = self._sequences.compute()["accuracy"]
        return metrics


class NoteMeter:
    """Predicted notes against sounding ones, over all frames and keys (micro).

    Accuracy is TP / (TP + FP + FN); true negatives (silent keys) are not counted.

    Reference: M. Bay, A. Ehmann, J. S. Downie, Evaluation of multiple-F0 estimation and tracking
    systems, ISMIR 2009.
    """

    def __init__(self) -> None:
        self._right = self._predicted = self._true = 0

    def update(
        self, predicted: Bool[Tensor, "frames keys"], targets: Shaped[Tensor, "frames keys"]
    ) -> None:
        """Add a batch of real frames: whether each key sounds."""
        sounding = targets.bool()
        self._right += int((predicted & sounding).sum())
        self._predicted += int(predicted.sum())
        self._true += int(sounding.sum())

    def compute(self) -> Metrics:
        either = self._predicted + self._true - self._right
        return {
            "accuracy": self._right / max(1, either),
            **precision_recall_f1(self._right, self._predicted, self._true),
        }


class TokenMeter:
    """Perplexity exp(mean nats) = 2^(mean bits), and the accuracy of the most probable token."""

    def __init__(self) -> None:
        self._nats, self._right, self._tokens = 0.0, 0, 0

    def update(self, nats: Float[Tensor, " tokens"], right: Bool[Tensor, " tokens"]) -> None:
        """Add a batch: cross-entropies and hits of real tokens."""
        self._nats += float(nats.double().sum())
        self._right += int(right.sum())
        self._tokens += nats.numel()

    def compute(self) -> Metrics:
        mean = self._nats / self._tokens
        return {
            "loss": mean,
            "perplexity": math.exp(mean) if mean < 700 else math.inf,
            "bits": mean / math.log(2),
            "accuracy": self._right / self._tokens,
        }


class AnswerMeter:
    """The fraction of correct answers."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def update(self, right: Bool[Tensor, "*answers"]) -> None:
        """Add a batch: whether each answer is correct."""
        self._right += int(right.sum())
        self._seen += right.numel()

    def compute(self) -> Metrics:
        return {"accuracy": self._right / self._seen}
