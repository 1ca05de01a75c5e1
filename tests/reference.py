"""Slow twins: every equation once more, in plain Python numbers, from the papers and not the code.

A twin is called with the cell's block, its weights as nested lists by name, one input vector and
the parts of the state as lists; it gives the parts of the next state.
"""

import math

Vector = list[float]
Weights = dict[str, list]


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def dot(row: Vector, column: Vector) -> float:
    return math.fsum(a * b for a, b in zip(row, column, strict=True))


def rnn(block, weights: Weights, x: Vector, state: tuple[Vector]) -> tuple[Vector]:
    """h_k = f(Σ_j W_xh[k, j] x_j + Σ_j W_hh[k, j] h_j + b_k)."""
    f = {"tanh": math.tanh, "relu": lambda a: max(a, 0.0), "sigmoid": sigmoid}[block.activation]
    (h,) = state
    units = range(len(h))
    W_xh, W_hh, b = weights["W_xh"], weights["W_hh"], weights["b_h"]
    return ([f(dot(W_xh[k], x) + dot(W_hh[k], h) + b[k]) for k in units],)


def lstm(block, weights: Weights, x: Vector, state: tuple[Vector, Vector]):
    """Rows of unit k: k for i, H + k for f, 2H + k for g, 3H + k for o."""
    h, c = state
    hidden = len(h)
    new_h, new_c = [], []
    for k in range(hidden):
        pre = [
            dot(weights["W_xh"][row], x) + dot(weights["W_hh"][row], h) + weights["b_h"][row]
            for row in (k, hidden + k, 2 * hidden + k, 3 * hidden + k)
        ]
        written, kept, shown = sigmoid(pre[0]), sigmoid(pre[1]), sigmoid(pre[3])
        new_c.append(kept * c[k] + written * math.tanh(pre[2]))
        new_h.append(shown * math.tanh(new_c[k]))
    return new_h, new_c


def gru(block, weights: Weights, x: Vector, state: tuple[Vector]) -> tuple[Vector]:
    """Rows of unit k: k for r, H + k for z, 2H + k for n."""
    (h,) = state
    hidden = len(h)
    new = []
    for k in range(hidden):
        of_x = [dot(weights["W_xh"][k + g * hidden], x) for g in range(3)]
        of_h = [dot(weights["W_hh"][k + g * hidden], h) for g in range(3)]
        bias = [weights["b_h"][k + g * hidden] for g in range(3)]
        r = sigmoid(of_x[0] + of_h[0] + bias[0])
        z = sigmoid(of_x[1] + of_h[1] + bias[1])
        n = math.tanh(of_x[2] + bias[2] + r * (of_h[2] + weights["b_hn"][k]))
        new.append((1 - z) * n + z * h[k])
    return (new,)


TWINS = {"rnn": rnn, "lstm": lstm, "gru": gru}
