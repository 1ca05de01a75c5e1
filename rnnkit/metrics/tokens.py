"""Meter of next tokens."""

import math

from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.metrics.values import Metrics


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
        """Compute the metrics over all batches."""
        mean = self._nats / self._tokens
        return {
            "loss": mean,
            "perplexity": math.exp(mean) if mean < 700 else math.inf,
            "bits": mean / math.log(2),
            "accuracy": self._right / self._tokens,
        }
