"""Networks by topology: a representation, a recurrent stack, and a head or a decoder."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from rnnkit.nn.kernels.padding import Mask, Padding, find_padding
from rnnkit.nn.model.channels import PerChannel
from rnnkit.nn.model.decoder import Bridge, Decoder, EncodedInputs
from rnnkit.nn.model.initialization import MATRICES, make_head
from rnnkit.nn.model.readout import READOUTS, RUNNING
from rnnkit.nn.model.representation import Sizes, make_representation
from rnnkit.nn.model.stack import Stack, States
from rnnkit.params.model import Model
from rnnkit.params.train import Kernel

Inputs = Num[Tensor, "batch time *feature"]
Vector = Float[Tensor, "batch units"]


class Encoder(nn.Module):
    """Base of the recurrent topologies: inputs -> representation -> stack -> read-out."""

    def __init__(self, model: Model, sizes: Sizes, draw: torch.Generator) -> None:
        super().__init__()
        self.representation = make_representation(model, sizes, draw)
        self.stack = Stack(self.representation.size, model, draw)
        self.dropout = nn.Dropout(model.dropout)
        self.readout, self.running = READOUTS[model.readout], RUNNING[model.readout]

    def encode(
        self,
        inputs: Inputs,
        mask: Mask | None,
        states: States | None = None,
        want_final: bool = False,
        kernel: Kernel = "auto",
    ) -> tuple[Float[Tensor, "batch steps units"], States | None, Padding | None]:
        """The top layer's outputs and the final states, as in Stack.forward, and the padding. A
        step is one of the inputs' or a segment of them."""
        padding = find_padding(mask)
        vectors = self.representation(inputs, None if padding is None else mask)
        return *self.stack(vectors, padding, states, want_final, kernel), padding

    def advance(
        self, inputs: Inputs, states: States | None, before: Vector | None, seen: int
    ) -> tuple[Vector, States]:
        """Run one step of a streamed sequence, for unidirectional networks.

        Args:
            inputs: [batch, 1, …], the newest step.
            states: before it; None: the initial state.
            before: read-out of the previous steps; None at the first step.
            seen: number of steps, this one included.

        Returns: the read-out of the sequence so far and its states.
        """
        hidden, final, _ = self.encode(inputs, None, states, True)
        assert final is not None
        newest = hidden[:, -1]
        return newest if before is None else self.running(before, newest, seen), final


class Network(Encoder):
    """An encoder with a head."""

    def __init__(self, model: Model, sizes: Sizes, outputs: int, draw: torch.Generator) -> None:
        super().__init__(model, sizes, draw)
        self.dropout = nn.Dropout(model.dropout_before_head)
        self.head = make_head(self.stack.size, outputs, draw, model.initialization.head)
        if model.tied:
            # O. Press, L. Wolf, Using the output embedding to improve language models, 2017. Scaled
            # to variance 1 / size: with unit variance the initial logits would be too large.
            embedding = self.representation
            with torch.no_grad():
                embedding.vectors.mul_(embedding.size**-0.5)
            self.head.weight = embedding.vectors


class ManyToOne(Network):
    """A sequence in, one vector out: read-out of the top layer's outputs, then the head."""

    def forward(self, inputs: Inputs, mask: Mask | None) -> Float[Tensor, "batch outputs"]:
        """Logits or values of each sequence."""
        hidden, _, padding = self.encode(inputs, mask)
        vector = self.readout(hidden, padding, self.stack.directions)
        return self.head(self.dropout(vector))  # type: ignore[no-any-return]  # modules give Any

    def step(self, *newest: Any) -> tuple[Float[Tensor, "batch outputs"], States, Vector]:
        """As `advance`: logits or values of the sequence so far, its states and its read-out."""
        vector, final = self.advance(*newest)
        return self.head(self.dropout(vector)), final, vector


class Synced(Network):
    """A sequence in, a vector out at every step: the head on each of the top layer's outputs."""

    def forward(self, inputs: Inputs, mask: Mask | None) -> Float[Tensor, "batch steps outputs"]:
        """Logits or values at each step; undefined at padding."""
        return self.run(inputs, mask, None, False, "auto")[0]

    def run(
        self,
        inputs: Inputs,
        mask: Mask | None,
        states: States | None,
        want_final: bool,
        kernel: Kernel,
    ) -> tuple[Float[Tensor, "batch steps outputs"], States | None]:
        """As `forward`, from given states and with the final ones, for a sequence in chunks."""
        hidden, final, _ = self.encode(inputs, mask, states, want_final, kernel)
        return self.head(self.dropout(hidden)), final


class OneToOne(nn.Module):
    """A vector in, a vector out: the feed-forward baseline of recurrent networks.

        h⁰ = x,   hˡ = max(0, Wˡ D(hˡ⁻¹) + bˡ),   y = head(D_h(h))

    where D is dropout, D_h that before the head. There are `depth` layers of `hidden` units.
    """

    def __init__(self, model: Model, sizes: Sizes, outputs: int, draw: torch.Generator) -> None:
        super().__init__()
        self.representation = make_representation(model, sizes, draw)
        self.dropout = nn.Dropout(model.dropout)
        widths = [self.representation.size, *[model.hidden] * model.depth]
        matrix = MATRICES[model.initialization.input]
        self.layers = nn.ModuleList()
        for before, after in pairwise(widths):
            layer = make_head(before, after, draw)
            with torch.no_grad():
                layer.weight.copy_(matrix(after, before, draw))
            self.layers.append(layer)
        self.head_dropout = nn.Dropout(model.dropout_before_head)
        self.head = make_head(model.hidden, outputs, draw, model.initialization.head)

    def forward(
        self, inputs: Num[Tensor, "batch 1 feature"], mask: None
    ) -> Float[Tensor, "batch outputs"]:
        """Logits or values of each vector."""
        hidden = self.representation(inputs, None)[:, 0]
        for layer in self.layers:
            hidden = torch.relu(layer(self.dropout(hidden)))
        return self.head(self.head_dropout(hidden))  # type: ignore[no-any-return]  # modules give Any


class DecoderNetwork(nn.Module):
    """Base of the topologies that generate a sequence: inputs -> one vector -> the decoder's
    initial states."""

    def add_decoder(
        self, model: Model, outputs: int, units: int, memory: int | None, draw: torch.Generator
    ) -> None:
        """Add the modules that decode, from the units of the vector and of the memory."""
        self.decoder = Decoder(model, outputs, memory, draw)
        self.bridge = Bridge(units, self.decoder.stack, draw)

    def encode_for_decoder(self, inputs: Inputs, mask: Mask | None) -> EncodedInputs:
        """Encode the inputs for the decoder."""
        raise NotImplementedError

    def forward(
        self,
        inputs: Inputs,
        mask: Mask | None,
        previous: Int[Tensor, "batch steps"],
        own: float = 0.0,
    ) -> Float[Tensor, "batch steps outputs"]:
        """Logits of each next token given the previous ones; undefined at padding.

        Args:
            previous: the previous token of each step.
            own: as in `Decoder.forward`.
        """
        read = self.encode_for_decoder(inputs, mask)
        return self.decoder(previous, read.state, read.memory, own)  # type: ignore[no-any-return]


class OneToMany(DecoderNetwork):
    """A vector or a token in, a sequence out.

    Reference: O. Vinyals et al., Show and tell: a neural image caption generator, 2015.
    """

    def __init__(self, model: Model, sizes: Sizes, outputs: int, draw: torch.Generator) -> None:
        super().__init__()
        self.representation = make_representation(model, sizes, draw)
        self.dropout = nn.Dropout(model.dropout)
        self.add_decoder(model, outputs, self.representation.size, None, draw)

    def encode_for_decoder(self, inputs: Inputs, mask: Mask | None) -> EncodedInputs:
        vector = self.representation(inputs, None)[:, 0]
        return EncodedInputs(self.decoder.begin(self.bridge(self.dropout(vector))), None)


class EncoderDecoder(DecoderNetwork, Encoder):
    """A sequence in, another sequence out. The decoder's initial states come from the encoder's
    read-out; with attention it also uses the encoder's outputs.

    Reference: I. Sutskever, O. Vinyals, Q. V. Le, Sequence to sequence learning with neural
    networks, 2014; K. Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014.
    """

    def __init__(self, model: Model, sizes: Sizes, outputs: int, draw: torch.Generator) -> None:
        super().__init__(model, sizes, draw)
        memory = None if model.attention == "none" else self.stack.size
        self.add_decoder(model, outputs, self.stack.size, memory, draw)

    def encode_for_decoder(self, inputs: Inputs, mask: Mask | None) -> EncodedInputs:
        hidden, _, padding = self.encode(inputs, mask)
        vector = self.dropout(self.readout(hidden, padding, self.stack.directions))
        memory = self.decoder.remember(self.dropout(hidden), None if padding is None else mask)
        return EncodedInputs(self.decoder.begin(self.bridge(vector)), memory)

    def step(self, *newest: Any) -> tuple[EncodedInputs, States, Vector]:
        """As `advance`, for encoders without attention: the decoder's inputs for the sequence so
        far, its states and its read-out."""
        vector, final = self.advance(*newest)
        return EncodedInputs(self.decoder.begin(self.bridge(vector)), None), final, vector


def describe(model: Model, topology: str) -> str:
    """Describe a network in a few words.

    >>> describe(Model(hidden=64), "one_to_one")
    'feed-forward, 1 layer of 64'
    >>> describe(Model(hidden=64, depth=2, bidirectional=True), "synced")
    'bidirectional GRU, 2 layers of 64'
    """
    layers = "1 layer" if model.depth == 1 else f"{model.depth} layers"
    kind = "bidirectional " * model.bidirectional + model.cell.name
    kind = "feed-forward" if topology == "one_to_one" else kind
    described = f"{kind}, {layers} of {model.hidden}"
    if model.channels == "independent":
        described += ", for each column by itself"
    if topology != "encoder_decoder":
        return described
    return f"{described}, {'no' if model.attention == 'none' else model.attention} attention"


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
    """Build a network of TOPOLOGIES and draw its weights. With independent channels it is that of
    one target and runs for each of them (`PerChannel`).

    Args:
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
    if model.channels == "together":
        return TOPOLOGIES[topology](model, sizes, outputs, generator)
    assert sizes.channels is not None
    own, shared = sizes.channels.own, sizes.channels.shared
    sizes_of_one = replace(sizes, features=1 + len(shared))
    network = TOPOLOGIES[topology](model, sizes_of_one, outputs // len(own), generator)
    return PerChannel(network, sizes.channels)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(value.numel() for value in network.parameters() if value.requires_grad)
