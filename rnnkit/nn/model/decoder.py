"""The decoder: predicts each token from the previous tokens and its initial states."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnnkit.nn.cells.interface import State, remake
from rnnkit.nn.model.attention import ATTENTIONS, Memory, attend
from rnnkit.nn.model.initialization import make_head
from rnnkit.nn.model.representation import Embedding
from rnnkit.nn.model.stack import Stack, States
from rnnkit.nn.recurrence import unroll
from rnnkit.params.model import Model


class Written(NamedTuple):
    """The state of a decoder between steps.

    Args:
        states: of the stack.
        attended: [rows, hidden] attentional state of the previous step; None without input feeding.
    """

    states: States
    attended: Tensor | None

    def rows(self, which: Int[Tensor, " rows"]) -> "Written":
        """The state of the given rows; an index may repeat."""
        states: States = {
            name: remake(state, (part[which] for part in state))
            for name, state in self.states.items()
        }
        return Written(states, None if self.attended is None else self.attended[which])


class Decoder(nn.Module):
    """A stack over the previous tokens, with attention to the memory at every step.

        h_t = stack([y_{t-1}; a_{t-1}], h_{t-1}),   c_t = attention(h_t, memory)
        a_t = tanh(W_c [h_t; c_t] + b_c),           P(y_t) = softmax(W_y D(a_t) + b_y)

    y is the token's embedding and D dropout. Without input feeding a_{t-1} is not an input;
    without a memory a_t = h_t.

    Args:
        model: the params block.
        tokens: target vocabulary size, padding and unknown included.
        memory: units of the encoder's outputs; None: no attention.
        generator: draws the weights.

    Reference: M.-T. Luong et al., Effective approaches to attention-based neural machine
    translation, 2015, sections 3 and 3.3.
    """

    def __init__(
        self, model: Model, tokens: int, memory: int | None, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.embedding = Embedding(tokens, model.target_embedding, generator)
        self.is_fed = memory is not None and model.input_feeding
        width = model.target_embedding + (model.hidden if self.is_fed else 0)
        forward = model.model_copy(update={"bidirectional": False, "initial_state": "zeros"})
        self.stack = Stack(width, forward, generator)
        self.attention: Any = None
        if memory is not None:
            self.attention = ATTENTIONS[model.attention](model.hidden, memory, generator)
            self.combine = make_head(model.hidden + memory, model.hidden, generator)
        self.dropout = nn.Dropout(model.dropout)
        self.head = make_head(model.hidden, tokens, generator)

    def remember(
        self, hidden: Float[Tensor, "batch time units"], mask: Tensor | None
    ) -> Memory | None:
        """The memory of an encoder's outputs; None without attention."""
        if self.attention is None:
            return None
        return Memory(hidden, self.attention.keys(hidden), mask)

    def begin(self, states: States) -> Written:
        """The decoder state before the first token, from the stack's states."""
        top = states[f"layer{self.stack.depth - 1}"].h
        return Written(states, torch.zeros_like(top) if self.is_fed else None)

    def forward(
        self,
        previous: Int[Tensor, "batch time"],
        written: Written,
        memory: Memory | None,
        own: float = 0.0,
    ) -> Float[Tensor, "batch time tokens"]:
        """Logits of every token at every step, given the true previous tokens (teacher forcing).

        Args:
            previous: the previous token of each step.
            written: decoder state before the first step.
            memory: from `remember`.
            own: probability that a step's input is the network's most probable token instead of
                the true one (scheduled sampling, Bengio et al. 2015).
        """
        if not self.is_fed and not own:
            hidden, _ = self.stack(
                self.embedding(previous, None), None, written.states, False, "auto"
            )
            hidden, _ = self._look(hidden, memory)
            return self._scores(hidden)
        if not own:
            vectors = self.embedding(previous, None)
            hidden, _ = unroll(lambda v, s: self._step(v, s, memory)[:2], vectors, written)
            return self._scores(hidden)

        def step(token: Tensor, state: _Sampled) -> tuple[Tensor, _Sampled]:
            if state.guess is not None:
                sampled = torch.empty(len(token)).bernoulli_(own) > 0
                token = torch.where(sampled, state.guess, token)
            vectors = self.embedding(token[:, None], None)[:, 0]
            hidden, after, _ = self._step(vectors, state.written, memory)
            logits = self._scores(hidden)
            return logits, _Sampled(after, logits.detach().argmax(dim=-1))

        return unroll(step, previous, _Sampled(written, None))[0]

    def advance(
        self, token: Int[Tensor, " rows"], written: Written, memory: Memory | None
    ) -> tuple[Float[Tensor, "rows tokens"], Written, Tensor | None]:
        """Decode one step.

        Args:
            token: the newest token of each row.
            written: decoder state before it.
            memory: of the same rows.

        Returns: logits of the next token, the decoder state, and the attention weights [rows, time]
        (None without attention).
        """
        vectors = self.embedding(token[:, None], None)[:, 0]
        hidden, after, weights = self._step(vectors, written, memory)
        return self._scores(hidden), after, weights

    def _scores(self, hidden: Float[Tensor, "*rows hidden"]) -> Float[Tensor, "*rows tokens"]:
        return self.head(self.dropout(hidden))  # type: ignore[no-any-return]  # modules give Any

    def _step(
        self, vectors: Float[Tensor, "rows size"], written: Written, memory: Memory | None
    ) -> tuple[Float[Tensor, "rows hidden"], Written, Tensor | None]:
        if written.attended is not None:
            vectors = torch.cat([vectors, written.attended], dim=1)
        hidden, states = self.stack(vectors[:, None], None, written.states, True, "step")
        hidden, weights = self._look(hidden, memory)
        hidden = hidden[:, 0]
        weights = None if weights is None else weights[:, 0]
        return hidden, Written(states, hidden if self.is_fed else None), weights

    def _look(
        self, hidden: Float[Tensor, "batch steps hidden"], memory: Memory | None
    ) -> tuple[Float[Tensor, "batch steps hidden"], Float[Tensor, "batch steps time"] | None]:
        """a_t of every step, and the attention weights."""
        if memory is None:
            return hidden, None
        scores = self.attention(hidden, memory.keys)
        context, weights = attend(scores, memory.hidden, memory.mask)
        return torch.tanh(self.combine(torch.cat([hidden, context], dim=2))), weights


class _Sampled(NamedTuple):
    """The decoder state and its most probable next token."""

    written: Written
    guess: Tensor | None


class Bridge(nn.Module):
    """Maps a vector to the initial states of a stack: tanh(W x + b), one layer per state tensor.

    Args:
        inputs: units of the vector.
        stack: unidirectional.
        generator: draws the weights.
    """

    def __init__(self, inputs: int, stack: Stack, generator: torch.Generator) -> None:
        super().__init__()
        self.stack = [stack]  # in a list, so that its weights are not registered here
        self.layers = nn.ModuleDict()
        for name in stack.cells:
            for part in self._zeros(name, 1)._fields:
                self.layers[f"{name}_{part}"] = make_head(inputs, stack.hidden, generator)

    def forward(self, vector: Float[Tensor, "batch units"]) -> States:
        """The initial states of each row."""
        states: States = {}
        for name in self.stack[0].cells:
            zeros = self._zeros(name, len(vector))
            parts = (torch.tanh(self.layers[f"{name}_{part}"](vector)) for part in zeros._fields)
            states[name] = remake(zeros, parts)
        return states

    def _zeros(self, name: str, rows: int) -> State:
        cell = self.stack[0].cell(name)
        return cell.zeros(rows, cell.W_hh.dtype, cell.W_hh.device)
