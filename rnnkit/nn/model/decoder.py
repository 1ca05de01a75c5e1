"""The decoder: predicts each token from the previous tokens and its initial states."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnnkit.nn.cells.interface import remake
from rnnkit.nn.model.attention import ATTENTIONS, Memory, attend
from rnnkit.nn.model.initialization import embedding_scale, make_head
from rnnkit.nn.model.representation import Embedding
from rnnkit.nn.model.stack import Stack, States, map_states
from rnnkit.nn.recurrence import unroll
from rnnkit.params.model import Model


class DecoderState(NamedTuple):
    """The state of a decoder between steps.

    Args:
        states: of the stack.
        attended: [rows, hidden] attentional state of the previous step; None without input feeding.
    """

    states: States
    attended: Tensor | None

    def rows(self, which: Int[Tensor, " rows"]) -> "DecoderState":
        """The state of the given rows; an index may repeat."""
        attended = None if self.attended is None else self.attended[which]
        return DecoderState(map_states(lambda part: part[which], self.states), attended)


Guessed = tuple[DecoderState, Tensor | None]
"""The decoder state and its most probable next token."""


class EncodedInputs(NamedTuple):
    """The encoded inputs of a decoder: its initial state and its memory."""

    state: DecoderState
    memory: Memory | None

    @property
    def items(self) -> int:
        """Number of items."""
        return len(next(iter(self.state.states.values())).h)

    def rows(self, which: Int[Tensor, " rows"]) -> "EncodedInputs":
        """The encoded inputs of the given items; an index may repeat."""
        memory = None if self.memory is None else self.memory.rows(which)
        return EncodedInputs(self.state.rows(which), memory)


class Decoder(nn.Module):
    """A stack over the previous tokens, with attention to the memory at every step.

        h_t = stack([y_{t-1}; a_{t-1}], h_{t-1}),   c_t = attention(h_t, memory)
        a_t = tanh(W_c [h_t; c_t] + b_c),           P(y_t) = softmax(W_y D(a_t) + b_y)

    y is the token's embedding and D dropout. Without input feeding a_{t-1} is not an input;
    without a memory a_t = h_t.

    Args:
        tokens: target vocabulary size, padding and unknown included.
        memory: units of the encoder's outputs; None: no attention.

    Reference: M.-T. Luong et al., Effective approaches to attention-based neural machine
    translation, 2015, sections 3 and 3.3.
    """

    def __init__(
        self, model: Model, tokens: int, memory: int | None, draw: torch.Generator
    ) -> None:
        super().__init__()
        start = model.initialization
        self.embedding = Embedding(tokens, model.target_embedding, embedding_scale(start), draw)
        self.is_fed = memory is not None and model.input_feeding
        width = model.target_embedding + (model.hidden if self.is_fed else 0)
        forward = model.model_copy(update={"bidirectional": False, "initial_state": "zeros"})
        self.stack = Stack(width, forward, draw)
        self.attention: Any = None
        if memory is not None:
            self.attention = ATTENTIONS[model.attention](model.hidden, memory, draw)
            self.combine = make_head(model.hidden + memory, model.hidden, draw)
        self.dropout = nn.Dropout(model.dropout)
        self.head = make_head(model.hidden, tokens, draw, start.head)

    def remember(
        self, hidden: Float[Tensor, "batch time units"], mask: Tensor | None
    ) -> Memory | None:
        """The memory of an encoder's outputs; None without attention."""
        if self.attention is None:
            return None
        return Memory(hidden, self.attention.keys(hidden), mask)

    def begin(self, states: States) -> DecoderState:
        """The decoder state before the first token, from the stack's states."""
        top = states[f"layer{self.stack.depth - 1}"].h
        return DecoderState(states, torch.zeros_like(top) if self.is_fed else None)

    def forward(
        self,
        previous: Int[Tensor, "batch time"],
        state: DecoderState,
        memory: Memory | None,
        own: float = 0.0,
    ) -> Float[Tensor, "batch time tokens"]:
        """Logits of every token at every step, given the true previous tokens (teacher forcing).

        Args:
            state: decoder state before the first step.
            own: probability that a step's input is the network's most probable token instead of
                the true one (scheduled sampling, Bengio et al. 2015).
        """
        if not own:
            vectors = self.embedding(previous, None)
            if self.is_fed:
                hidden, _ = unroll(lambda v, s: self._step(v, s, memory)[:2], vectors, state)
            else:
                hidden, _ = self.stack(vectors, None, state.states, False, "auto")
                hidden, _ = self._look(hidden, memory)
            return self._scores(hidden)

        def step(token: Tensor, state: Guessed) -> tuple[Tensor, Guessed]:
            before, guess = state
            if guess is not None:
                token = torch.where(torch.empty(len(token)).bernoulli_(own) > 0, guess, token)
            logits, after, _ = self.advance(token, before, memory)
            return logits, (after, logits.detach().argmax(dim=-1))

        begin: Guessed = state, None
        return unroll(step, previous, begin)[0]

    def advance(
        self, token: Int[Tensor, " rows"], state: DecoderState, memory: Memory | None
    ) -> tuple[Float[Tensor, "rows tokens"], DecoderState, Tensor | None]:
        """Decode one step, from the newest token of each row and the decoder state before it.

        Returns: logits of the next token, the decoder state, and the attention weights [rows, time]
        (None without attention).
        """
        vectors = self.embedding(token[:, None], None)[:, 0]
        hidden, after, weights = self._step(vectors, state, memory)
        return self._scores(hidden), after, weights

    def _scores(self, hidden: Float[Tensor, "*rows hidden"]) -> Float[Tensor, "*rows tokens"]:
        return self.head(self.dropout(hidden))  # type: ignore[no-any-return]  # modules give Any

    def _step(
        self, vectors: Float[Tensor, "rows size"], state: DecoderState, memory: Memory | None
    ) -> tuple[Float[Tensor, "rows hidden"], DecoderState, Tensor | None]:
        if state.attended is not None:
            vectors = torch.cat([vectors, state.attended], dim=1)
        hidden, states = self.stack(vectors[:, None], None, state.states, True, "steps")
        hidden, weights = self._look(hidden, memory)
        hidden = hidden[:, 0]
        weights = None if weights is None else weights[:, 0]
        return hidden, DecoderState(states, hidden if self.is_fed else None), weights

    def _look(
        self, hidden: Float[Tensor, "batch steps hidden"], memory: Memory | None
    ) -> tuple[Float[Tensor, "batch steps hidden"], Float[Tensor, "batch steps time"] | None]:
        """a_t of every step, and the attention weights."""
        if memory is None:
            return hidden, None
        scores = self.attention(hidden, memory.keys)
        context, weights = attend(scores, memory.hidden, memory.mask)
        return torch.tanh(self.combine(torch.cat([hidden, context], dim=2))), weights


class Bridge(nn.Module):
    """Maps a vector to the initial states of a unidirectional stack: tanh(W x + b), one layer per
    state tensor."""

    def __init__(self, inputs: int, stack: Stack, generator: torch.Generator) -> None:
        super().__init__()
        self.stack = [stack]  # in a list, so that its weights are not registered here
        self.layers = nn.ModuleDict()
        for name in stack.cells:
            for part in stack.zeros(name, 1)._fields:
                self.layers[f"{name}_{part}"] = make_head(inputs, stack.hidden, generator)

    def forward(self, vector: Float[Tensor, "batch units"]) -> States:
        """The initial states of each row."""
        states: States = {}
        for name in self.stack[0].cells:
            zeros = self.stack[0].zeros(name, len(vector))
            parts = (torch.tanh(self.layers[f"{name}_{part}"](vector)) for part in zeros._fields)
            states[name] = remake(zeros, parts)
        return states
