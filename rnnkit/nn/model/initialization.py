"""Initialization of weight matrices. Cells set their biases. No global random state is used."""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnkit.nn.cells.interface import Cell
from rnnkit.params.model import Initialization

Matrix = Float[Tensor, "rows columns"]


def xavier(rows: int, columns: int, generator: torch.Generator) -> Matrix:
    """Uniform in ±sqrt(6 / (rows + columns)).

    Reference: X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward
    neural networks, AISTATS 2010, equation 16.
    """
    bound = math.sqrt(6 / (rows + columns))
    return (2 * torch.rand(rows, columns, dtype=torch.float64, generator=generator) - 1) * bound


def orthogonal(rows: int, columns: int, generator: torch.Generator) -> Matrix:
    """Q of a normal matrix's QR, uniform over the orthogonal matrices.

    Rows are orthonormal if rows <= columns, else columns are. R's diagonal is made positive;
    otherwise Q is not uniformly distributed.

    Reference: A. Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks, arXiv:1312.6120, 2013; the signs: F. Mezzadri, arXiv:math-ph/0609050, 2006.
    """
    longer, shorter = max(rows, columns), min(rows, columns)
    drawn = torch.randn(longer, shorter, dtype=torch.float64, generator=generator)
    q, r = torch.linalg.qr(drawn)
    uniform: Tensor = q * r.diagonal().sign()
    return uniform if rows >= columns else uniform.T


def identity(rows: int, columns: int, generator: torch.Generator) -> Matrix:
    """The identity matrix, for ReLU networks.

    Reference: Q. V. Le et al., A simple way to initialize recurrent networks of rectified linear
    units, arXiv:1504.00941, 2015.
    """
    return torch.eye(rows, columns, dtype=torch.float64)


def normal(rows: int, columns: int, generator: torch.Generator) -> Matrix:
    """Normal with variance 1 / columns; columns are the fan-in.

    Reference: Y. LeCun et al., Efficient BackProp, 1998, section 4.6.
    """
    drawn = torch.randn(rows, columns, dtype=torch.float64, generator=generator)
    return drawn / math.sqrt(columns)


def fan_in(rows: int, columns: int, generator: torch.Generator) -> Matrix:
    """Uniform in ±1 / sqrt(columns), torch's initialization of a linear layer."""
    drawn = torch.rand(rows, columns, dtype=torch.float64, generator=generator)
    return (2 * drawn - 1) / math.sqrt(columns)


MATRICES: dict[str, Callable[[int, int, torch.Generator], Matrix]] = {
    "xavier": xavier,
    "orthogonal": orthogonal,
    "identity": identity,
    "normal": normal,
    "fan_in": fan_in,
}
"""All draw in float64, so that float32 and float64 models start from the same numbers."""


def embedding_scale(params: Initialization) -> float:
    """Standard deviation of the initial vectors of tokens."""
    return 1.0 if params.embedding is None else params.embedding


def initialize_cell(cell: Cell[Any], params: Initialization, generator: torch.Generator) -> None:
    """Draw a cell's W_xh and W_hh, one block per gate; W_hh is multiplied by `scale`."""
    with torch.no_grad():
        for block in cell.W_xh.view(-1, cell.hidden, cell.inputs):
            block.copy_(MATRICES[params.input](cell.hidden, cell.inputs, generator))
        for block in cell.W_hh.view(-1, cell.hidden, cell.hidden):
            drawn = MATRICES[params.recurrent](cell.hidden, cell.hidden, generator)
            block.copy_(params.scale * drawn)


def make_head(
    inputs: int, outputs: int, generator: torch.Generator, start: str = "xavier"
) -> nn.Linear:
    """An affine layer: weights of MATRICES[start], zero bias."""
    with torch.random.fork_rng(devices=[]):  # nn.Linear draws weights, too
        head = nn.Linear(inputs, outputs)
    with torch.no_grad():
        head.weight.copy_(MATRICES[start](outputs, inputs, generator))
        head.bias.zero_()
    return head
