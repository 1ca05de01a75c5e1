"""A step of rnnkit.nn.cells.lstm after its matrix products, and its derivative."""

from typing import no_type_check

from rnnkit.nn.kernels.compiled.activations import sigmoid, tanh
from rnnkit.nn.kernels.compiled.jit import jit


@no_type_check
@jit
def advance(i, f, g, o, c_before, c, h):
    """From the sums in the gates to their values, and to the next c and h."""
    for j in range(i.size):
        i[j] = sigmoid(i[j])
        f[j] = sigmoid(f[j])
        g[j] = tanh(g[j])
        o[j] = sigmoid(o[j])
        c[j] = f[j] * c_before[j] + i[j] * g[j]
        h[j] = o[j] * tanh(c[j])


@no_type_check
@jit
def differentiate(i, f, g, o, c_before, d, dc, di, df, dg, do):
    """Gradients of the sums in the gates from d = dL/dh and dc; dc becomes that of c_before."""
    one = d.dtype.type(1)
    for j in range(i.size):
        tanh_c = tanh(f[j] * c_before[j] + i[j] * g[j])
        e = dc[j] + d[j] * o[j] * (one - tanh_c * tanh_c)
        di[j] = e * g[j] * i[j] * (one - i[j])
        df[j] = e * c_before[j] * f[j] * (one - f[j])
        dg[j] = e * i[j] * (one - g[j] * g[j])
        do[j] = d[j] * tanh_c * o[j] * (one - o[j])
        dc[j] = e * f[j]
