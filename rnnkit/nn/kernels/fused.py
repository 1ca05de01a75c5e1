"""torch's fused recurrences, for cells that they compute exactly.

torch has two biases per gate; the second is zero here, except the GRU's b_hn. There is no fused
sigmoid RNN. The kernels take no mask: rnnkit.nn.recurrence moves padding to the end, and
`hold_padding` freezes the state there.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.cells.interface import Cell, S, remake
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.cells.rnn import RNN
from rnnkit.nn.kernels.padding import Mask

FUSED: dict[tuple[type, str | None], Callable[..., Any]] = {
    (RNN, "tanh"): torch.rnn_tanh,
    (RNN, "relu"): torch.rnn_relu,
    (LSTM, None): torch.lstm,
    (GRU, None): torch.gru,
}
"""By cell class and activation. Subclasses do not match: their step may differ."""

HELD: dict[tuple[type, str | None], tuple[int, ...]] = {
    (RNN, "relu"): (-1,),
    (LSTM, None): (-1, 1, 0, 0),
}
"""Gates that `hold_padding` closes (-1) or opens (1) at padding."""


def kind(cell: object) -> tuple[type, str | None]:
    """The cell's key in FUSED and HELD."""
    return type(cell), cell.activation if isinstance(cell, RNN) else None


def serves(cell: object) -> bool:
    """Whether torch has a fused function equal to this cell's steps."""
    return kind(cell) in FUSED


def must_hold_padding(cell: Cell[S], want_final: bool) -> bool:
    """Whether steps at padding would change the result.

    A ReLU network's state can overflow there, and infinity times a zero gradient is not zero.
    An LSTM's final c, unlike h, is returned only for the last step.
    """
    return kind(cell) in HELD and (want_final or not isinstance(cell, LSTM))


def hold_padding(
    cell: Cell[S],
    inputs: Float[Tensor, "batch time inputs"],
    W_xh: Float[Tensor, "rows inputs"],
    mask: Mask,
) -> tuple[Float[Tensor, "batch time inputs+1"], Float[Tensor, "rows inputs+1"]]:
    """Append an input feature, 1 at padding, whose weights saturate the gates there.

        ReLU:  h = relu(-huge) = 0
        LSTM:  i = sigmoid(-huge) = 0,  f = sigmoid(huge) = 1,  so c_t = c_{t-1}

    These are exact, and their gradients are exactly 0. A packed sequence is 4 times slower.
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
    held: Mask | None,
) -> tuple[Float[Tensor, "batch time hidden"], S]:
    """All steps of all sequences, with a cell for which `serves` is true.

    Args:
        inputs: finite everywhere, with padding only at the end.
        held: the mask if `must_hold_padding`, else None.

    Returns: h at every step, and the state after the last step, padding included.
    """
    W_xh: Tensor = cell.W_xh
    second = torch.zeros_like(cell.b_h)
    if isinstance(cell, GRU):
        second = torch.cat([second[: 2 * cell.hidden], cell.b_hn])
    if held is not None:
        inputs, W_xh = hold_padding(cell, inputs, W_xh, held)
    parts = [part[None].contiguous() for part in state]
    outputs, *final = FUSED[kind(cell)](
        inputs,
        parts if isinstance(cell, LSTM) else parts[0],
        [W_xh, cell.W_hh, cell.b_h, second],
        True,  # biases
        1,  # layers
        0.0,  # dropout
        torch.is_grad_enabled(),  # training: oneDNN then stores what the backward pass needs
        False,  # bidirectional
        True,  # batch first
    )
    return outputs, remake(state, (part[0] for part in final))
