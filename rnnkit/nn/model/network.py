"""Networks by topology: a representation, a recurrent stack and a head."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor, nn

from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.model.initialization import MATRICES, make_head
from rnnkit.nn.model.readout import READOUTS, RUNNING
from rnnkit.nn.model.representation import REPRESENTATIONS, Embedding, Sizes
from rnnkit.nn.model.stack import Stack, States
from rnnkit.nn.model.writing import EncoderDecoder, OneToMany
from rnnkit.nn.recurrence import Kernel
from rnnkit.params.model import Model


def layers(model: Model) -> str:
    """Number of layers and units, in words."""
    count = "1 layer" if model.depth == 1 else f"{model.depth} layers"
    return f"{count} of {model.hidden}"


def recurrent_layers(model: Model) -> str:
    """Describe a stack in a few words.

    >>> recurrent_layers(Model(hidden=64, depth=2, bidirectional=True))
    'bidirectional GRU, 2 layers of 64'
    """
    kind = model.cell.kind.upper()
    return f"{'bidirectional ' if model.bidirectional else ''}{kind}, {layers(model)}"


class Network(nn.Module):
    """Base of the recurrent topologies: inputs -> representation -> stack -> … -> head."""

    def __init__(
        self,
        model: Model,
        sizes: Sizes,
        outputs: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.representation = REPRESENTATIONS[model.representation.kind](model, sizes, generator)
        self.stack = Stack(self.representation.size, model, generator)
        self.dropout = nn.Dropout(model.dropout)
        self.head = make_head(self.stack.size, outputs, generator)
        if model.tied:
            tie(self.head, self.representation)


class ManyToOne(Network):
    """A sequence in, one vector out: read-out of the top layer's outputs, then the head."""

    def __init__(self, model: Model, *rest: Any) -> None:
        super().__init__(model, *rest)
        self.readout = READOUTS[model.readout]
        self.running = RUNNING[model.readout]

    def forward(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Float[Tensor, "batch outputs"]:
        """Logits or values of each sequence."""
        padding = None if mask is None else find_padding(mask)
        vectors = self.representation(inputs, None if padding is None else mask)
        hidden, _ = self.stack(vectors, padding, None, False, "auto")
        vector = self.readout(hidden, padding, self.stack.directions)
        return self.head(self.dropout(vector))  # type: ignore[no-any-return]  # modules give Any

    def step(
        self,
        inputs: Num[Tensor, "batch 1 *feature"],
        states: States | None,
        before: Float[Tensor, "batch units"] | None,
        seen: int,
    ) -> tuple[Float[Tensor, "batch outputs"], States, Float[Tensor, "batch units"]]:
        """Run one step of a streamed sequence, for unidirectional networks.

        Args:
            inputs: the newest step.
            states: before it; None: the initial state.
            before: read-out of the previous steps; None at the first step.
            seen: number of steps, this one included.

        Returns: logits or values of each sequence so far, its states and its read-out.
        """
        vectors = self.representation(inputs, None)
        hidden, final = self.stack(vectors, None, states, True, "auto")
        assert final is not None
        newest = hidden[:, -1]
        vector = newest if before is None else self.running(before, newest, seen)
        return self.head(self.dropout(vector)), final, vector


class Synced(Network):
    """A sequence in, a vector out at every step: the head on each of the top layer's outputs."""

    def forward(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Float[Tensor, "batch time outputs"]:
        """Logits or values at each step; undefined at padding."""
        return self.run(inputs, mask, None, False, "auto")[0]

    def run(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
        states: States | None,
        want_final: bool,
        kernel: Kernel,
    ) -> tuple[Float[Tensor, "batch time outputs"], States | None]:
        """As `forward`, from given states and with the final ones, for a sequence in chunks.

        Args and Returns: as in Stack.forward.
        """
        padding = None if mask is None else find_padding(mask)
        vectors = self.representation(inputs, None if padding is None else mask)
        hidden, final = self.stack(vectors, padding, states, want_final, kernel)
        return self.head(self.dropout(hidden)), final


class OneToOne(nn.Module):
    """A vector in, a vector out: the feed-forward baseline of recurrent networks.

        h⁰ = x,   hˡ = max(0, Wˡ D(hˡ⁻¹) + bˡ),   y = head(D(h))

    where D is dropout. There are `depth` layers of `hidden` units.
    """

    def __init__(
        self,
        model: Model,
        sizes: Sizes,
        outputs: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.representation = REPRESENTATIONS[model.representation.kind](model, sizes, generator)
        self.dropout = nn.Dropout(model.dropout)
        widths = [self.representation.size, *[model.hidden] * model.depth]
        draw = MATRICES[model.initialization.input]
        self.layers = nn.ModuleList()
        for before, after in pairwise(widths):
            layer = make_head(before, after, generator)
            with torch.no_grad():
                layer.weight.copy_(draw(after, before, generator))
            self.layers.append(layer)
        self.head = make_head(model.hidden, outputs, generator)

    def forward(
        self, inputs: Num[Tensor, "batch 1 feature"], mask: None
    ) -> Float[Tensor, "batch outputs"]:
        """Logits or values of each vector."""
        hidden = self.representation(inputs, None)[:, 0]
        for layer in self.layers:
            hidden = torch.relu(layer(self.dropout(hidden)))
        return self.head(self.dropout(hidden))  # type: ignore[no-any-return]  # modules give Any


def tie(head: nn.Linear, embedding: Embedding) -> None:
    """Share an embedding's vectors as a head's weights, scaled to variance 1 / size.

    With the embedding's unit variance the initial logits would be too large.

    Reference: O. Press, L. Wolf, Using the output embedding to improve language models, 2017.
    """
    with torch.no_grad():
        embedding.vectors.mul_(embedding.size**-0.5)
    head.weight = embedding.vectors


def describe(model: Model, topology: str) -> str:
    """Describe a network in a few words.

    >>> describe(Model(hidden=64), "one_to_one")
    'feed-forward, 1 layer of 64'
    """
    described: str = DESCRIBED.get(topology, recurrent_layers)(model)
    return described


def _with_attention(model: Model) -> str:
    attention = "no" if model.attention == "none" else model.attention
    return f"{recurrent_layers(model)}, {attention} attention"


DESCRIBED: Mapping[str, Callable[[Model], str]] = {
    "one_to_one": lambda model: f"feed-forward, {layers(model)}",
    "encoder_decoder": _with_attention,
}
"""Descriptions of topologies, where not `recurrent_layers`."""
TOPOLOGIES: dict[str, Callable[..., nn.Module]] = {
    "many_to_one": ManyToOne,
    "synced": Synced,
    "one_to_one": OneToOne,
    "one_to_many": OneToMany,
    "encoder_decoder": EncoderDecoder,
}


def build(
    model: Model, topology: str, sizes: Sizes, outputs: int, generator: torch.Generator
) -> nn.Module:
    """Build a network and draw its weights.

    Args:
        model: the params block.
        topology: a name in TOPOLOGIES.
        sizes: given by the data.
        outputs: size of the head's output.
        generator: draws the weights, the only random numbers here.

    Raises:
        InputError: the representation does not fit the data's inputs.

    >>> model = Model(hidden=8)
    >>> network = build(model, "synced", Sizes(20, None), 5, torch.Generator().manual_seed(0))
    >>> network(torch.tensor([[3, 1, 2]]), None).shape
    torch.Size([1, 3, 5])
    >>> count_parameters(network)
    3085
    """
    return TOPOLOGIES[topology](model, sizes, outputs, generator)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(value.numel() for value in network.parameters() if value.requires_grad)
