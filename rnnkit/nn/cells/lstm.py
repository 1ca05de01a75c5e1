"""Long short-term memory."""

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

import rnnkit.params.model as blocks
from rnnkit.nn.cells.interface import Cell, Inputs, Kept


class LSTMState(NamedTuple):
    h: Float[Tensor, "batch hidden"]
    c: Float[Tensor, "batch hidden"]


class LSTM(Cell[LSTMState]):
    """Long short-term memory with a forget gate, without peepholes, with one bias per gate.

        i_t = sigmoid(W_xi x_t + W_hi h_{t-1} + b_i)     input gate
        f_t = sigmoid(W_xf x_t + W_hf h_{t-1} + b_f)     forget gate
        g_t =    tanh(W_xg x_t + W_hg h_{t-1} + b_g)     candidate
        o_t = sigmoid(W_xo x_t + W_ho h_{t-1} + b_o)     output gate
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
        h_t = o_t ⊙ tanh(c_t)

    W_xh, W_hh and b_h hold the blocks of i, f, g and o in this order. b_f starts at the params'
    forget_bias, the other biases at 0.

    Reference: S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997;
    forget gate: F. Gers et al., Learning to forget, Neural Computation 12, 2000; its bias:
    R. Jozefowicz et al., An empirical exploration of recurrent network architectures, ICML 2015.
    """

    gates: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")

    def __init__(self, inputs: int, hidden: int, params: blocks.LSTM) -> None:
        super().__init__(inputs, hidden)
        with torch.no_grad():
            self.b_h[hidden : 2 * hidden] = params.forget_bias

    def step(self, inputs: Inputs, state: LSTMState, dropout_mask: Kept = None) -> LSTMState:
        gates = functional.linear(inputs, self.W_xh, self.b_h)
        i, f, g, o = (gates + self.recurrent(state.h, dropout_mask)).chunk(4, dim=1)
        c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        return LSTMState(torch.sigmoid(o) * torch.tanh(c), c)

    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> LSTMState:
        """h_0 = c_0 = 0."""
        zeros = torch.zeros(batch, self.hidden, dtype=dtype, device=device)
        return LSTMState(zeros, zeros)
