"""Independent channels: one network, with the same weights, for each target column of a window."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Channels:
    """What the network reads and forecasts of each target.

    Args:
        own: the targets among the features of the inputs, in the order of the outputs.
        shared: all other features, which stand beside every target.
        rows: rows of the series in one read-out.
    """

    own: tuple[int, ...]
    shared: tuple[int, ...]
    rows: int


class PerChannel(nn.Module):
    """Each target, with the shared features, as a sequence of its own through one network.

        y[:, :, c] = network([x_c; x_shared])

    Inputs and outputs have the layout of a network that reads all columns together.

    Args:
        network: reads [batch, time, 1 + shared] and gives [batch, *steps, rows · numbers].
        channels: which features are targets.

    Reference: Y. Nie et al., A time series is worth 64 words: long-term forecasting with
    transformers, ICLR 2023, section 3.1 (channel independence).
    """

    def __init__(self, network: nn.Module, channels: Channels) -> None:
        super().__init__()
        self.network, self.channels = network, channels

    def forward(
        self, inputs: Float[Tensor, "batch time features"], mask: None
    ) -> Float[Tensor, "batch *steps outputs"]:
        """[batch, *steps, rows · targets · numbers]."""
        targets = len(self.channels.own)
        outputs = self.network(self.split(inputs), None).unflatten(0, (-1, targets))
        outputs = outputs.unflatten(-1, (self.channels.rows, -1))  # [batch, targets, …, numbers]
        return outputs.movedim(1, -2).flatten(-3)  # type: ignore[no-any-return]  # modules give Any

    def split(
        self, inputs: Float[Tensor, "batch time features"]
    ) -> Float[Tensor, "batches time features_of_one"]:
        """[batch · targets, time, 1 + shared], the targets of a window one after the other."""
        own = inputs[:, :, self.channels.own].transpose(1, 2)[..., None]
        shared = inputs[:, None, :, self.channels.shared].expand(-1, own.shape[1], -1, -1)
        return torch.cat([own, shared], dim=3).flatten(0, 1)


class ChannelEmbedding(nn.Module):
    """The vectors of a sequence, and at every step the learned vector of its channel.

        x'_t = [x_t; e_c]

    Args:
        representation: of a sequence, a module with a `size`.
        channels: number of targets; sequence n of a batch is of target n mod channels.
        size: of e_c.
        generator: draws them, with standard deviation 1.
    """

    def __init__(
        self, representation: Any, channels: int, size: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.representation = representation
        self.size = representation.size + size
        drawn = torch.randn(channels, size, dtype=torch.float64, generator=generator)
        self.vectors = nn.Parameter(drawn.to(torch.get_default_dtype()))

    def forward(
        self, inputs: Float[Tensor, "batch time features"], mask: None
    ) -> Float[Tensor, "batch steps {self.size}"]:
        """[batch, steps, size of the representation + size of e_c]."""
        vectors = self.representation(inputs, None)
        of_channel = self.vectors.repeat(len(vectors) // len(self.vectors), 1)[:, None]
        return torch.cat([vectors, of_channel.expand(-1, vectors.shape[1], -1)], dim=2)
