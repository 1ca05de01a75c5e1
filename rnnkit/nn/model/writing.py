"""The topologies that generate a sequence: one-to-many and encoder-decoder."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor, nn

from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.model.attention import Memory
from rnnkit.nn.model.decoder import Bridge, Decoder, Written
from rnnkit.nn.model.readout import READOUTS, RUNNING
from rnnkit.nn.model.representation import REPRESENTATIONS, Sizes
from rnnkit.nn.model.stack import Stack, States
from rnnkit.params.model import Model


class Read(NamedTuple):
    """The encoded inputs of a decoder: its initial state and its memory."""

    written: Written
    memory: Memory | None

    @property
    def items(self) -> int:
        """Number of items."""
        return len(next(iter(self.written.states.values())).h)

    def rows(self, which: Int[Tensor, " rows"]) -> "Read":
        """The encoded inputs of the given items; an index may repeat."""
        memory = None if self.memory is None else self.memory.rows(which)
        return Read(self.written.rows(which), memory)


class Writer(nn.Module):
    """Base of both topologies: inputs -> one vector -> the decoder's initial states."""

    def __init__(
        self, model: Model, sizes: Sizes, outputs: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.representation = REPRESENTATIONS[model.representation.kind](model, sizes, generator)
        units, memory = self.encode_with(model, generator)
        self.decoder = Decoder(model, outputs, memory, generator)
        self.dropout = nn.Dropout(model.dropout)
        self.bridge = Bridge(units, self.decoder.stack, generator)

    def encode_with(self, model: Model, generator: torch.Generator) -> tuple[int, int | None]:
        """Build the encoder; return the units of its vector and of its memory."""
        raise NotImplementedError

    def read(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Read:
        """Encode the inputs for the decoder."""
        raise NotImplementedError

    def forward(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
        previous: Int[Tensor, "batch steps"],
        own: float = 0.0,
    ) -> Float[Tensor, "batch steps outputs"]:
        """Logits of each next token given the previous ones; undefined at padding.

        Args:
            inputs, mask: as in every network.
            previous: the previous token of each step.
            own: as in `Decoder.forward`.
        """
        read = self.read(inputs, mask)
        return self.decoder(previous, read.written, read.memory, own)  # type: ignore[no-any-return]


class OneToMany(Writer):
    """A vector or a token in, a sequence out.

    Reference: O. Vinyals et al., Show and tell: a neural image caption generator, 2015.
    """

    def encode_with(self, model: Model, generator: torch.Generator) -> tuple[int, int | None]:
        return self.representation.size, None

    def read(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Read:
        vector = self.representation(inputs, None)[:, 0]
        return Read(self.decoder.begin(self.bridge(self.dropout(vector))), None)


class EncoderDecoder(Writer):
    """A sequence in, another sequence out. The decoder's initial states come from the encoder's
    read-out; with attention it also uses the encoder's outputs.

    Reference: I. Sutskever, O. Vinyals, Q. V. Le, Sequence to sequence learning with neural
    networks, 2014; K. Cho et al., Learning phrase representations using RNN encoder-decoder for
    statistical machine translation, 2014.
    """

    def encode_with(self, model: Model, generator: torch.Generator) -> tuple[int, int | None]:
        self.stack = Stack(self.representation.size, model, generator)
        self.readout, self.running = READOUTS[model.readout], RUNNING[model.readout]
        return self.stack.size, None if model.attention == "none" else self.stack.size

    def read(
        self,
        inputs: Num[Tensor, "batch time *feature"],
        mask: Bool[Tensor, "batch time"] | None,
    ) -> Read:
        padding = None if mask is None else find_padding(mask)
        vectors = self.representation(inputs, None if padding is None else mask)
        hidden, _ = self.stack(vectors, padding, None, False, "auto")
        vector = self.dropout(self.readout(hidden, padding, self.stack.directions))
        memory = self.decoder.remember(self.dropout(hidden), None if padding is None else mask)
        return Read(self.decoder.begin(self.bridge(vector)), memory)

    def step(
        self,
        inputs: Num[Tensor, "batch 1 *feature"],
        states: States | None,
        before: Float[Tensor, "batch units"] | None,
        seen: int,
    ) -> tuple[Read, States, Float[Tensor, "batch units"]]:
        """Run one step of a streamed sequence, for unidirectional encoders without attention.

        Args: as in `ManyToOne.step`.

        Returns: the decoder's inputs for the sequence so far, its states and its read-out.
        """
        hidden, final = self.stack(self.representation(inputs, None), None, states, True, "auto")
        assert final is not None
        newest = hidden[:, -1]
        vector = newest if before is None else self.running(before, newest, seen)
        return Read(self.decoder.begin(self.bridge(vector)), None), final, vector
