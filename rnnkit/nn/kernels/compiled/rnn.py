"""A step of rnnkit.nn.cells.rnn after its matrix products, and its derivative."""

from typing import no_type_check

from rnnkit.nn.kernels.compiled.activations import sigmoid, tanh
from rnnkit.nn.kernels.compiled.jit import jit
from rnnkit.nn.kernels.compiled.kinds import RELU, TANH


@no_type_check
@jit
def advance(kind, a, h):
    """h = f(a); a becomes h, too."""
    zero = a.dtype.type(0)
    if kind == TANH:
        for j in range(a.size):
            a[j] = h[j] = tanh(a[j])
    elif kind == RELU:
        for j in range(a.size):
            a[j] = h[j] = max(a[j], zero)  # NaN stays
    else:
        for j in range(a.size):
            a[j] = h[j] = sigmoid(a[j])


@no_type_check
@jit
def differentiate(kind, h, d, da):
    """da = d ⊙ f'(a), in terms of h = f(a)."""
    zero, one = d.dtype.type(0), d.dtype.type(1)
    if kind == TANH:
        for j in range(h.size):
            da[j] = d[j] * (one - h[j] * h[j])
    elif kind == RELU:
        for j in range(h.size):
            da[j] = zero if h[j] <= zero else d[j]
    else:
        for j in range(h.size):
            da[j] = d[j] * h[j] * (one - h[j])
