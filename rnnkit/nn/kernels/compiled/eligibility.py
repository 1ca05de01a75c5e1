"""Which cells and tensors the compiled recurrences serve. Does not import Numba."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.cells.interface import Cell, State
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.cells.rnn import RNN
from rnnkit.nn.kernels.compiled import kinds

KINDS: Mapping[tuple[type, str | None], int] = {
    (RNN, "tanh"): kinds.TANH,
    (RNN, "relu"): kinds.RELU,
    (RNN, "sigmoid"): kinds.SIGMOID,
    (LSTM, None): kinds.LSTM,
    (GRU, None): kinds.GRU,
}
"""By cell class and activation. Subclasses do not match: their step may differ."""
DTYPES = (torch.float32, torch.float64)


def kind_of(cell: object) -> int | None:
    """The cell's number; None: its step is not one of those that are compiled."""
    return KINDS.get((type(cell), cell.activation if isinstance(cell, RNN) else None))


@cache
def is_installed() -> bool:
    """Whether Numba is installed."""
    return find_spec("numba") is not None


def is_transformed() -> bool:
    """Whether a transform of torch.func is under way."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def serves(cell: Cell[State], inputs: Tensor, state: State) -> bool:
    """Whether the compiled recurrence computes this call.

    It does not on a GPU or the meta device, in mixed precision, and where torch traces, exports,
    vectorizes or differentiates forward.
    """
    weight = cell.W_hh
    tensors = (inputs, weight, *state)
    return (
        kind_of(cell) is not None
        and is_installed()
        and inputs.dtype in DTYPES
        and all(t.device.type == "cpu" and t.dtype == inputs.dtype for t in tensors)
        and all(type(t) in (Tensor, torch.nn.Parameter) for t in tensors)
        and not is_transformed()
        and torch.autograd.forward_ad._current_level < 0
        and not torch.compiler.is_compiling()
        and torch._C._get_tracing_state() is None
    )
