"""tanh and the logistic function for compiled loops.

float32 has a rational function, which loops turn into vectors; float64 calls the C library.
"""

import math
from typing import no_type_check

import numpy as np
from numba import types
from numba.extending import overload

from rnnkit.nn.kernels.compiled.jit import jit

LARGEST = np.float32(9.02)
"""tanh rounds to 1 beyond."""
P = tuple(map(np.float32, (1.0, 0.1337967217, 3.49398027e-3, 2.0582572688e-5, 1.3317809966e-8)))
Q = tuple(map(np.float32, (1.0, 0.4671298862, 2.587086894e-2, 3.2830031705e-4, 7.761502161e-7)))
"""tanh(x) = x P(x²) / Q(x²) up to LARGEST within 2e-8 of itself: the minimax fit of these degrees,
by least squares with weights that grow where the error is largest. In float32 4e-7 remain."""


@no_type_check
def tanh(x):
    """For float32 and float64; NaN stays NaN."""
    return math.tanh(x)


@no_type_check
@overload(tanh, jit_options={"fastmath": {"contract"}, "error_model": "numpy"})
def _compiled_tanh(x):
    if x == types.float64:
        return lambda x: math.tanh(x)
    (p0, p1, p2, p3, p4), (q0, q1, q2, q3, q4), largest = P, Q, LARGEST
    end = np.float32(1)

    def rational(x):
        x = min(max(x, -largest), largest)  # NaN stays: each is a comparison with it
        s = x * x
        numerator = x * ((((p4 * s + p3) * s + p2) * s + p1) * s + p0)
        y = numerator / ((((q4 * s + q3) * s + q2) * s + q1) * s + q0)
        return min(max(y, -end), end)

    return rational


@no_type_check
@jit
def sigmoid(x):
    """(1 + tanh(x / 2)) / 2."""
    half = type(x)(0.5)
    return half + half * tanh(half * x)
