"""Representations of inputs as vectors: embeddings, one-hot vectors, raw numbers.

Token 0 is padding and 1 is unknown. A representation takes the inputs and the mask and returns
finite vectors at padding, for any values there.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.kernels.padding import Mask, find_padding
from rnnkit.nn.model.channels import ChannelEmbedding, Channels
from rnnkit.nn.model.initialization import embedding_scale
from rnnkit.nn.model.readout import READOUTS
from rnnkit.nn.model.segments import Segments
from rnnkit.nn.model.stack import Stack

Numbers = Float[Tensor, "batch time size"]


@dataclass(frozen=True)
class Level:
    """The part of the inputs that `RelativeToLast` does not change.

    Args:
        known: number of known-future covariates, the last features.
        ahead: number of steps after the window, the last steps.
    """

    known: int
    ahead: int


class Embedding(nn.Module):
    """A learned vector per token, initially normal; padding's vector stays zero.

    In training, embedding dropout drops tokens everywhere in a batch.

    Args:
        vocabulary: number of tokens, padding and unknown included.
        size: width of the vectors.
        scale: standard deviation of the initial vectors.
        generator: draws them.
        dropout: probability that a token is dropped.

    Reference: Y. Gal, Z. Ghahramani, A theoretically grounded application of dropout in recurrent
    neural networks, 2016.
    """

    def __init__(
        self,
        vocabulary: int,
        size: int,
        scale: float,
        generator: torch.Generator,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.size, self.scale = size, scale
        self.dropout = dropout
        drawn = torch.randn(vocabulary, size, dtype=torch.float64, generator=generator)
        drawn[0] = 0
        self.vectors = nn.Parameter((scale * drawn).to(torch.get_default_dtype()))

    def forward(self, inputs: Int[Tensor, "batch time"], mask: Mask | None) -> Numbers:
        """The tokens' vectors. Padding's vector gets no gradient."""
        vectors = functional.embedding(inputs, self.vectors, padding_idx=0)
        if not (self.training and self.dropout):
            return vectors
        keep = 1 - self.dropout
        dropout_mask = self.vectors.new_empty(len(self.vectors)).bernoulli_(keep) / keep
        return vectors * dropout_mask[inputs][:, :, None]


class OneHot(nn.Module):
    """A one-hot vector over the vocabulary."""

    zero: Tensor

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.size = vocabulary
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # holds the dtype

    def forward(self, inputs: Int[Tensor, "batch time"], mask: Mask | None) -> Numbers:
        """x[b, t, inputs[b, t]] = 1."""
        zeros = self.zero.expand(*inputs.shape, self.size)
        return zeros.scatter(2, inputs[:, :, None], 1.0)


class Raw(nn.Module):
    """The numbers as they are."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.size = features

    def forward(self, inputs: Numbers, mask: Mask | None) -> Numbers:
        """The inputs, zero at padding, so that a NaN there has no effect."""
        return inputs if mask is None else inputs.masked_fill(~mask[:, :, None], 0.0)


class RelativeToLast(nn.Module):
    """Numbers minus those of the window's last step, which removes the level.

    For sequences without padding, such as windows of a series.

    Reference: A. Zeng et al., Are transformers effective for time series forecasting?, 2023
    (NLinear).
    """

    def __init__(self, features: int, level: Level) -> None:
        super().__init__()
        self.size, self.level = features, level

    def forward(self, inputs: Numbers, mask: None) -> Numbers:
        """x_t - x_T."""
        known, ahead = self.level.known, self.level.ahead
        window = inputs.shape[1] - ahead
        level = inputs[:, window - 1 : window, : self.size - known]
        level = functional.pad(level.expand(-1, window, -1), (0, known, 0, ahead))
        return inputs - level


class SpelledEmbedding(nn.Module):
    """A word embedding concatenated with the final state of a network over the characters.

        x_t = [embedding(word_t); last h of forward; first h of backward]

    A word that repeats in a batch is run once.

    Reference: G. Lample et al., Neural architectures for named entity recognition, 2016.
    """

    def __init__(
        self, model: blocks.Model, vocabulary: int, characters: int, draw: torch.Generator
    ) -> None:
        super().__init__()
        block = model.representation
        assert isinstance(block, blocks.Embedding)
        assert block.characters is not None
        scale = embedding_scale(model.initialization)
        self.words = Embedding(vocabulary, block.size, scale, draw, model.embedding_dropout)
        self.letters = Embedding(characters, block.characters.size, 1.0, draw)
        spelled = {"hidden": block.characters.hidden, "depth": 1, "bidirectional": True}
        small = model.model_copy(update={**spelled, "dropout": 0.0, "recurrent_dropout": 0.0})
        self.stack = Stack(block.characters.size, small, draw)
        self.size = block.size + self.stack.size

    def forward(
        self, inputs: Int[Tensor, "batch time one_and_letters"], mask: Mask | None
    ) -> Numbers:
        """The vectors of words and of their characters. Padding has no characters."""
        words, letters = inputs[:, :, 0], inputs[:, :, 1:]
        unique, where = letters.flatten(0, 1).unique(dim=0, return_inverse=True)
        longest = max(1, int((unique != 0).sum(1).max()))
        unique = unique[:, :longest]
        padding = find_padding(unique != 0)
        hidden, _ = self.stack(self.letters(unique, None), padding, None, False, "auto")
        spelled = READOUTS["last"](hidden, padding, 2)
        spelled = spelled.index_select(0, where.flatten()).view(*words.shape, -1)
        return torch.cat([self.words(words, mask), spelled], dim=2)


@dataclass(frozen=True)
class Sizes:
    """The sizes of a network that the data determine.

    Args:
        vocabulary: number of tokens, padding and unknown included; None for numbers.
        features: number of features per step; None for tokens.
        letters: number of characters, padding and unknown included; None without characters.
        level: inputs relative to the window's last step; None: as they are.
        segment: rows of a window per step of the recurrence.
        channels: targets among the features; None: the inputs are no series.
    """

    vocabulary: int | None
    features: int | None
    characters: int | None = None
    level: Level | None = None
    segment: int = 1
    channels: Channels | None = None

    def step(self, model: blocks.Model) -> int | None:
        """Numbers per step of the recurrence; None for tokens."""
        if self.channels is None or model.channels == "together":
            return None if self.features is None else self.features * self.segment
        return (1 + len(self.channels.shared)) * self.segment + model.channel_embedding


def make_representation(model: blocks.Model, sizes: Sizes, draw: torch.Generator) -> Any:
    """The representation of the params block, a module with a `size`.

    Raises:
        InputError: it is for tokens and the data's inputs are numbers, or the other way round.
    """
    block = model.representation
    raw = isinstance(block, blocks.Raw)
    size = sizes.features if raw else sizes.vocabulary
    if size is None:
        inputs, other = ("numbers", "embedding or one_hot") if raw else ("tokens", "raw")
        raise InputError(
            f"model.representation.kind: {block.kind} is for {inputs}, and the data's inputs are "
            f"not; set it to {other}"
        )
    if isinstance(block, blocks.OneHot):
        return OneHot(size)
    if isinstance(block, blocks.Raw):
        rows = Raw(size) if sizes.level is None else RelativeToLast(size, sizes.level)
        steps = rows if sizes.segment == 1 else Segments(rows, sizes.segment)
        if not model.channel_embedding:
            return steps
        assert sizes.channels is not None
        return ChannelEmbedding(steps, len(sizes.channels.own), model.channel_embedding, draw)
    if block.characters is None:
        scale = embedding_scale(model.initialization)
        return Embedding(size, block.size, scale, draw, model.embedding_dropout)
    assert sizes.characters is not None
    return SpelledEmbedding(model, size, sizes.characters, draw)
