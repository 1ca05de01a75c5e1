"""Meter of the answers to a memory problem."""

from jaxtyping import Bool
from torch import Tensor

from rnnkit.metrics.values import Metrics


class AnswerMeter:
    """The fraction of correct answers."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def update(self, right: Bool[Tensor, "*answers"]) -> None:
        """Add a batch: whether each answer is correct."""
        self._right += int(right.sum())
        self._seen += right.numel()

    def compute(self) -> Metrics:
        """Compute the metrics over all batches."""
        return {"accuracy": self._right / self._seen}
