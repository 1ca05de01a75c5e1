"""Segments of a window: several rows as one step of the recurrence."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Segments(nn.Module):
    """Vectors of k consecutive rows, one behind the other, as the input of one step.

        s_j = [x_{jk+1}; …; x_{jk+k}]

    Rows that are missing in the last segment are zero. For sequences without padding, such as
    windows of a series.

    Args:
        rows: representation of the single rows, a module with a `size`.
        length: k, rows per segment.

    Reference: S. Lin et al., SegRNN: segment recurrent neural network for long-term time series
    forecasting, arXiv:2308.11200, 2023.
    """

    def __init__(self, rows: Any, length: int) -> None:
        super().__init__()
        self.rows, self.length = rows, length
        self.size = length * rows.size

    def forward(
        self, inputs: Float[Tensor, "batch time features"], mask: None
    ) -> Float[Tensor, "batch segments {self.size}"]:
        """[batch, ceil(time / k), k · size]."""
        vectors = self.rows(inputs, None)
        vectors = functional.pad(vectors, (0, 0, 0, -vectors.shape[1] % self.length))
        return vectors.reshape(len(vectors), -1, self.size)
