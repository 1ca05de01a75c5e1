"""How inputs become vectors: a learned vector per token, a one-hot vector, the numbers themselves.

Token 0 is padding and 1 is unknown. A representation is called with the inputs and the mask, and
gives finite vectors at padding, whatever lies there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.model.readout import READOUTS
from rnnkit.nn.model.stack import Stack


class Embedding(nn.Module):
    """A learned vector per token, normal with variance 1; padding's stays at zero.

    In training, embedding dropout takes tokens away, wherever they stand in a batch.

    Reference: Y. Gal, Z. Ghahramani, A theoretically grounded application of dropout in recurrent
    neural networks, 2016.
    """

    def __init__(
        self, vocabulary: int, size: int, generator: torch.Generator, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.size = size
        self.dropout = dropout
        drawn = torch.randn(vocabulary, size, dtype=torch.float64, generator=generator)
        drawn[0] = 0
        self.vectors = nn.Parameter(drawn.to(torch.get_default_dtype()))

    def forward(
        self, inputs: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"] | None
    ) -> Float[Tensor, "batch time size"]:
        """The tokens' vectors. Padding's own gets no gradient."""
        vectors = functional.embedding(inputs, self.vectors, padding_idx=0)
        if not (self.training and self.dropout):
            return vectors
        share = 1 - self.dropout
        kept = self.vectors.new_empty(len(self.vectors)).bernoulli_(share) / share
        return vectors * kept[inputs][:, :, None]


class OneHot(nn.Module):
    """A vector as long as the vocabulary with a single 1."""

    zero: Tensor

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.size = vocabulary
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # knows the precision

    def forward(
        self, inputs: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"] | None
    ) -> Float[Tensor, "batch time size"]:
        """x[b, t, inputs[b, t]] = 1."""
        zeros = self.zero.expand(*inputs.shape, self.size)
        return zeros.scatter(2, inputs[:, :, None], 1.0)


class Raw(nn.Module):
    """The numbers as they are."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.size = features

    def forward(
        self,
        inputs: Float[Tensor, "batch time size"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Float[Tensor, "batch time size"]:
        """The inputs, zero at padding: even a NaN there has no influence."""
        return inputs if mask is None else inputs.masked_fill(~mask[:, :, None], 0.0)


class RelativeToLast(nn.Module):
    """Numbers less those of the window's last step, so that a network sees no level.

    For sequences without padding, as windows of a series are. What is known ahead, and the steps
    behind the window that show it, are left as they are: an hour is no level.

    Args:
        features: of a step.
        known: how many features, the last ones, are left as they are.
        ahead: how many steps, the last ones, lie behind the window.

    Reference: A. Zeng et al., Are transformers effective for time series forecasting?, 2023
    (NLinear).
    """

    def __init__(self, features: int, known: int, ahead: int) -> None:
        super().__init__()
        self.size, self.known, self.ahead = features, known, ahead

    def forward(
        self, inputs: Float[Tensor, "batch time size"], mask: None
    ) -> Float[Tensor, "batch time size"]:
        """x_t - x_T."""
        window, relative = inputs.shape[1] - self.ahead, self.size - self.known
        level = inputs[:, window - 1 : window, :relative]
        level = functional.pad(level.expand(-1, window, -1), (0, self.known, 0, self.ahead))
        return inputs - level


class SpelledEmbedding(nn.Module):
    """A learned vector per word beside the final state of a network over the word's letters.

        x_t = [embedding(word_t); last h of forward; first h of backward]

    A word that occurs several times in a batch is spelled once.

    Reference: G. Lample et al., Neural architectures for named entity recognition, 2016.
    """

    def __init__(
        self, model: blocks.Model, vocabulary: int, letters: int, draw: torch.Generator
    ) -> None:
        super().__init__()
        block = model.representation
        assert isinstance(block, blocks.Embedding)
        assert block.characters is not None
        self.words = Embedding(vocabulary, block.size, draw, model.embedding_dropout)
        self.letters = Embedding(letters, block.characters.size, draw)
        spelled = {"hidden": block.characters.hidden, "depth": 1, "bidirectional": True}
        small = model.model_copy(update={**spelled, "dropout": 0.0, "recurrent_dropout": 0.0})
        self.stack = Stack(block.characters.size, small, draw)
        self.size = block.size + self.stack.size

    def forward(
        self,
        inputs: Int[Tensor, "batch time one_and_letters"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Float[Tensor, "batch time size"]:
        """The words' vectors and their spellings'. At padding there is no letter."""
        words, letters = inputs[:, :, 0], inputs[:, :, 1:]
        different, where = letters.flatten(0, 1).unique(dim=0, return_inverse=True)
        longest = max(1, int((different != 0).sum(1).max()))
        different = different[:, :longest]
        padding = find_padding(different != 0)
        hidden, _ = self.stack(self.letters(different, None), padding, None, False, "auto")
        spelled = READOUTS["last"](hidden, padding, 2)
        spelled = spelled.index_select(0, where.flatten()).view(*words.shape, -1)
        return torch.cat([self.words(words, mask), spelled], dim=2)


@dataclass(frozen=True)
class Level:
    """What `RelativeToLast` leaves as it is.

    Args:
        known: how many features, the last ones.
        ahead: how many steps, the last ones, which lie behind the window.
    """

    known: int
    ahead: int


@dataclass(frozen=True)
class Sizes:
    """What the data decide of a network.

    Args:
        vocabulary: how many tokens there are, padding and unknown included; None for numbers.
        features: how many numbers each step has; None for tokens.
        letters: how many letters there are, padding and unknown included, where words come spelled.
        level: what is read relative to the last step of a window; None: nothing is.
    """

    vocabulary: int | None
    features: int | None
    letters: int | None = None
    level: Level | None = None


def make_embedding(
    model: blocks.Model, sizes: Sizes, draw: torch.Generator
) -> Embedding | SpelledEmbedding:
    """An Embedding of the data's vocabulary, with the spelling if there is one."""
    block = model.representation
    assert isinstance(block, blocks.Embedding)
    vocabulary = need(sizes.vocabulary, block.kind, "tokens")
    if block.characters is None:
        return Embedding(vocabulary, block.size, draw, model.embedding_dropout)
    assert sizes.letters is not None
    return SpelledEmbedding(model, vocabulary, sizes.letters, draw)


def make_one_hot(model: blocks.Model, sizes: Sizes, draw: torch.Generator) -> OneHot:
    """A OneHot of the data's vocabulary."""
    return OneHot(need(sizes.vocabulary, model.representation.kind, "tokens"))


def make_raw(model: blocks.Model, sizes: Sizes, draw: torch.Generator) -> Raw | RelativeToLast:
    """A Raw of the data's features, or what reads them relative to a window's last step."""
    features = need(sizes.features, model.representation.kind, "numbers")
    if sizes.level is None:
        return Raw(features)
    return RelativeToLast(features, sizes.level.known, sizes.level.ahead)


REPRESENTATIONS: dict[str, Callable[..., Any]] = {
    "embedding": make_embedding,
    "one_hot": make_one_hot,
    "raw": make_raw,
}
"""By kind: (the model's block, sizes, generator) -> a module with a `size`."""


def need(size: int | None, kind: str, inputs: str) -> int:
    """The size the data must have for this representation.

    Raises:
        InputError: the data's inputs are of the other sort.
    """
    if size is None:
        other = "raw" if inputs == "tokens" else "embedding or one_hot"
        raise InputError(
            f"model.representation.kind: {kind} is for {inputs}, and the data's inputs are not;"
            f" set it to {other}"
        )
    return size
