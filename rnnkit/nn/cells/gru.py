"""The gated recurrent unit, reset-after."""

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

import rnnkit.params.model as blocks
from rnnkit.nn.cells.interface import Cell, Inputs, Kept


class GRUState(NamedTuple):
    h: Float[Tensor, "batch hidden"]


class GRU(Cell[GRUState]):
    """The gated recurrent unit whose reset gate acts after the matrix product.

        r_t = sigmoid(W_xr x_t + W_hr h_{t-1} + b_r)              reset gate
        z_t = sigmoid(W_xz x_t + W_hz h_{t-1} + b_z)              update gate
        n_t =    tanh(W_xn x_t + b_n + r_t ⊙ (W_hn h_{t-1} + b_hn))
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    W_xh, W_hh and b_h hold the blocks of r, z and n in this order. b_hn is multiplied by the reset
    gate, so b_n cannot absorb it; in r and z a second bias would be redundant. cuDNN and torch use
    reset-after; reset-before, W_hn (r_t ⊙ h_{t-1}), is a different network.

    b_z starts at the params' update_bias, the other biases at 0.

    Reference: K. Cho et al., Learning phrase representations using RNN encoder-decoder,
    arXiv:1406.1078, 2014 (reset-after in its first version, reset-before since); the update gate's
    bias: C. Tallec, Y. Ollivier, Can recurrent neural networks warp time?, ICLR 2018.
    """

    gates: ClassVar[tuple[str, ...]] = ("r", "z", "n")

    def __init__(self, inputs: int, hidden: int, params: blocks.GRU) -> None:
        super().__init__(inputs, hidden)
        self.b_hn = nn.Parameter(torch.zeros(hidden))
        with torch.no_grad():
            self.b_h[hidden : 2 * hidden] = params.update_bias

    def step(self, inputs: Inputs, state: GRUState, dropout_mask: Kept = None) -> GRUState:
        x_r, x_z, x_n = functional.linear(inputs, self.W_xh, self.b_h).chunk(3, dim=1)
        h_r, h_z, h_n = self.recurrent(state.h, dropout_mask).chunk(3, dim=1)
        r = torch.sigmoid(x_r + h_r)
        z = torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * (h_n + self.b_hn))
        return GRUState((1 - z) * n + z * state.h)

    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> GRUState:
        """h_0 = 0."""
        return GRUState(torch.zeros(batch, self.hidden, dtype=dtype, device=device))
