"""A step of rnnkit.nn.cells.gru after its matrix products, and its derivative."""

from typing import no_type_check

from rnnkit.nn.kernels.compiled.activations import sigmoid, tanh
from rnnkit.nn.kernels.compiled.jit import jit


@no_type_check
@jit
def advance(r, z, n, hn, h_before, h):
    """From the sums in the gates to their values, where hn = W_hn h + b_hn, and to the next h."""
    for j in range(r.size):
        r[j] = sigmoid(r[j])
        z[j] = sigmoid(z[j])
        n[j] = tanh(n[j] + r[j] * hn[j])
        h[j] = n[j] + z[j] * (h_before[j] - n[j])


@no_type_check
@jit
def differentiate(r, z, n, hn, h_before, d, dh, dr, dz, dn, dhn):
    """Gradients of the sums in the gates from d = dL/dh; dh = z ⊙ d is that of h_before apart from
    the matrix products."""
    one = d.dtype.type(1)
    for j in range(r.size):
        e = d[j] * (one - z[j]) * (one - n[j] * n[j])
        dr[j] = e * hn[j] * r[j] * (one - r[j])
        dz[j] = d[j] * (h_before[j] - n[j]) * z[j] * (one - z[j])
        dn[j] = e
        dhn[j] = e * r[j]
        dh[j] = d[j] * z[j]
