"""torch's own fused recurrences, where they compute what a cell computes.

torch has two biases per gate; the second is held at zero here, but for the GRU's b_hn. There is no
fused sigmoid RNN. The kernels know no mask: padding must lie at the end, where
rnnkit.nn.recurrence brings it, and `hold_padding` says what it may do there.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.cells.interface import Cell, S, remake
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.cells.rnn import RNN

FUSED: dict[tuple[type, str | None], Callable[..., Any]] = {
    (RNN, "tanh"): torch.rnn_tanh,
    (RNN, "relu"): torch.rnn_relu,
    (LSTM, None): torch.lstm,
    (GRU, None): torch.gru,
}
"""By the cell's class and activation. The class itself: a subclass may step otherwise."""

HELD: dict[tuple[type, str | None], tuple[int, ...]] = {
    (RNN, "relu"): (-1,),
    (LSTM, None): (-1, 1, 0, 0),
}
"""Which gates are shut (-1) or opened (1) at padding, by `hold_padding`."""


def kind(cell: object) -> tuple[type, str | None]:
    """The cell's key in FUSED and HELD."""
    return type(cell), cell.activation if isinstance(cell, RNN) else None


def serves(cell: object) -> bool:
    """Whether torch has a fused function that computes what this cell's steps compute."""
    return kind(cell) in FUSED


def must_hold_padding(cell: Cell[S], want_final: bool) -> bool:
    """Whether running on over the padding does harm.

    A ReLU network's state can overflow there, and infinity times a gradient of zero is not zero.
    An LSTM's c after the last real step can be had from the end only, unlike h.
    """
    return kind(cell) == (RNN, "relu") or (isinstance(cell, LSTM) and want_final)


def weights(cell: Cell[S]) -> list[Tensor]:
    """The cell's weights as torch wants them: W_xh, W_hh, first bias, second bias."""
    second = torch.zeros_like(cell.b_h)
    if isinstance(cell, GRU):
        second = torch.cat([second[: 2 * cell.hidden], cell.b_hn])
    return [cell.W_xh, cell.W_hh, cell.b_h, second]


def hold_padding(
    cell: Cell[S],
    inputs: Float[Tensor, "batch time inputs"],
    W_xh: Float[Tensor, "rows inputs"],
    mask: Bool[Tensor, "batch time"],
) -> tuple[Float[Tensor, "batch time inputs+1"], Float[Tensor, "rows inputs+1"]]:
    """One more input, 1 at padding, whose weights drive gates to their ends there.

        ReLU:  h = relu(-huge) = 0
        LSTM:  i = sigmoid(-huge) = 0,  f = sigmoid(huge) = 1,  so c_t = c_{t-1}

    exactly, as are their gradients, 0. A packed sequence does the same 4 times slower.
    """
    huge = torch.finfo(W_xh.dtype).max / 2
    ends = W_xh.new_tensor(HELD[kind(cell)]) * huge
    column = ends.repeat_interleave(cell.hidden)[:, None]
    padding = (~mask)[:, :, None].to(inputs.dtype)
    return torch.cat([inputs, padding], dim=2), torch.cat([W_xh, column], dim=1)


def run(
    cell: Cell[S],
    inputs: Float[Tensor, "batch time inputs"],
    state: S,
    held: Bool[Tensor, "batch time"] | None,
) -> tuple[Float[Tensor, "batch time hidden"], S]:
    """All steps of all sequences.

    Args:
        cell: one that `serves` says yes to.
        inputs: finite everywhere, with padding at the end if there is any.
        state: before the first step.
        held: the mask if padding must be held, see `must_hold_padding`.

    Returns: h at every step, and the state after the very last.
    """
    W_xh, *others = weights(cell)
    if held is not None:
        inputs, W_xh = hold_padding(cell, inputs, W_xh, held)
    parts = [part[None].contiguous() for part in state]
    outputs, *final = FUSED[kind(cell)](
        inputs,
        parts if isinstance(cell, LSTM) else parts[0],
        [W_xh, *others],
        True,  # biases
        1,  # layers
        0.0,  # dropout
        torch.is_grad_enabled(),  # oneDNN keeps what a backward pass needs only in training
        False,  # bidirectional
        True,  # batch first
    )
    return outputs, remake(state, (part[0] for part in final))
