"""Meter of the answers to a memory problem."""

from jaxtyping import Bool
from torch import Tensor

from rnnkit.metrics.values import Metrics


class AnswerMeter:
    """The share of answers that are right."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def update(self, right: Bool[Tensor, "*answers"]) -> None:
        """Adds a batch: whether each is right."""
        self._right += int(right.sum())
        self._seen += right.numel()

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        return {"accuracy": self._right / self._seen}
