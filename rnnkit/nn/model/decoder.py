"""A recurrent network that writes: each token given a start and the tokens before it."""

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
    """How far a decoder has come.

    Args:
        states: of the stack.
        attended: [rows, hidden] what it gave at the step before, where that is fed back.
    """

    states: States
    attended: Tensor | None

    def rows(self, which: Int[Tensor, " rows"]) -> "Written":
        """That of some rows, each as often as it is named."""
        states: States = {
            name: remake(state, (part[which] for part in state))
            for name, state in self.states.items()
        }
        return Written(states, None if self.attended is None else self.attended[which])


class Decoder(nn.Module):
    """A stack over the tokens before, with a look at the memory at every step.

        h_t = stack([y_{t-1}; a_{t-1}], h_{t-1}),   c_t = attention(h_t, memory)
        a_t = tanh(W_c [h_t; c_t] + b_c),           P(y_t) = softmax(W_y D(a_t) + b_y)

    y is the token's learned vector and D dropout. Without input feeding a_{t-1} is not read;
    without a memory a_t = h_t.

    Args:
        model: the params' block.
        tokens: how many there are to write, padding and unknown among them.
        memory: units of the encoder's outputs; None: there are none to look at.
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
        """The memory of an encoder's outputs; None where the decoder looks at none."""
        if self.attention is None:
            return None
        return Memory(hidden, self.attention.keys(hidden), mask)

    def begin(self, states: States) -> Written:
        """Nothing written yet, from given states on."""
        top = states[f"layer{self.stack.depth - 1}"].h
        return Written(states, torch.zeros_like(top) if self.is_fed else None)

    def forward(
        self,
        previous: Int[Tensor, "batch time"],
        written: Written,
        memory: Memory | None,
        own: float = 0.0,
    ) -> Float[Tensor, "batch time tokens"]:
        """Scores of every token at every step, given the true tokens before it.

        Args:
            previous: the token before each step.
            written: before the first one.
            memory: what `remember` gave.
            own: the share of steps, drawn at random, that read the likeliest token by the network
                itself and not the true one (scheduled sampling, Bengio et al. 2015).
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
                wanted = torch.empty(len(token)).bernoulli_(own) > 0
                token = torch.where(wanted, state.guess, token)
            vectors = self.embedding(token[:, None], None)[:, 0]
            hidden, after, _ = self._step(vectors, state.written, memory)
            logits = self._scores(hidden)
            return logits, _Sampled(after, logits.detach().argmax(dim=-1))

        return unroll(step, previous, _Sampled(written, None))[0]

    def advance(
        self, token: Int[Tensor, " rows"], written: Written, memory: Memory | None
    ) -> tuple[Float[Tensor, "rows tokens"], Written, Tensor | None]:
        """One step.

        Args:
            token: the newest one of each row.
            written: before it.
            memory: with as many rows.

        Returns: scores of the next token, how far it has come, and the attention's weights
        [rows, time], None without.
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
        """a_t of every step, and the attention's weights."""
        if memory is None:
            return hidden, None
        scores = self.attention(hidden, memory.keys)
        context, weights = attend(scores, memory.hidden, memory.mask)
        return torch.tanh(self.combine(torch.cat([hidden, context], dim=2))), weights


class _Sampled(NamedTuple):
    """Written, and the likeliest token by it."""

    written: Written
    guess: Tensor | None


class Bridge(nn.Module):
    """One vector to the states that a stack starts from: tanh(W x + b), each its own.

    Args:
        inputs: units of the vector.
        stack: in one direction.
        generator: draws the weights.
    """

    def __init__(self, inputs: int, stack: Stack, generator: torch.Generator) -> None:
        super().__init__()
        self.stack = [stack]  # in a list: its weights are not the bridge's
        self.layers = nn.ModuleDict()
        for name in stack.cells:
            for part in self._zeros(name, 1)._fields:
                self.layers[f"{name}_{part}"] = make_head(inputs, stack.hidden, generator)

    def forward(self, vector: Float[Tensor, "batch units"]) -> States:
        """The states of each row."""
        states: States = {}
        for name in self.stack[0].cells:
            zeros = self._zeros(name, len(vector))
            parts = (torch.tanh(self.layers[f"{name}_{part}"](vector)) for part in zeros._fields)
            states[name] = remake(zeros, parts)
        return states

    def _zeros(self, name: str, rows: int) -> State:
        cell = self.stack[0].cell(name)
        return cell.zeros(rows, cell.W_hh.dtype, cell.W_hh.device)
