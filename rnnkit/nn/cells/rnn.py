"""The vanilla recurrent network."""

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

import rnnkit.params.model as blocks
from rnnkit.nn.cells.interface import Cell, Inputs, Kept

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}


class RNNState(NamedTuple):
    h: Float[Tensor, "batch hidden"]


class RNN(Cell[RNNState]):
    """The simple recurrent network, with one bias.

        h_t = f(W_xh x_t + W_hh h_{t-1} + b_h),   f = tanh | relu | sigmoid

    Reference: J. L. Elman, Finding structure in time, Cognitive Science 14, 1990; with ReLU:
    Q. V. Le et al., arXiv:1504.00941, 2015.
    """

    gates: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(self, inputs: int, hidden: int, params: blocks.RNN) -> None:
        super().__init__(inputs, hidden)
        self.activation = params.activation

    def step(self, inputs: Inputs, state: RNNState, dropout_mask: Kept = None) -> RNNState:
        x_h = functional.linear(inputs, self.W_xh, self.b_h)
        return RNNState(ACTIVATIONS[self.activation](x_h + self.recurrent(state.h, dropout_mask)))

    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> RNNState:
        """h_0 = 0."""
        return RNNState(torch.zeros(batch, self.hidden, dtype=dtype, device=device))
