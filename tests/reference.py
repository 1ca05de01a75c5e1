"""Slow twins: every equation once more, in plain Python numbers, from the papers and not the code.

A twin is called with the cell's block, its weights as nested lists by name, one input vector and
the parts of the state as lists; it gives the parts of the next state.
"""

import itertools
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


def softmax(scores: Vector) -> Vector:
    most = max(scores)
    shares = [math.exp(score - most) for score in scores]
    return [share / math.fsum(shares) for share in shares]


def additive(weights: Weights, query: Vector, memory: list[Vector]) -> Vector:
    """v · tanh(W_q q + W_m m + b) of each m."""
    units = range(len(weights["v"]))
    scores = []
    for m in memory:
        pre = [
            dot(weights["W_q"][k], query) + dot(weights["W_m"][k], m) + weights["b"][k]
            for k in units
        ]
        scores.append(math.fsum(weights["v"][k] * math.tanh(pre[k]) for k in units))
    return scores


def general(weights: Weights, query: Vector, memory: list[Vector]) -> Vector:
    """q · W m of each m."""
    return [dot(query, [dot(row, m) for row in weights["W"]]) for m in memory]


def mean_of(memory: list[Vector], shares: Vector) -> Vector:
    return [
        math.fsum(share * m[k] for share, m in zip(shares, memory, strict=True))
        for k in range(len(memory[0]))
    ]


def collapse(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """What a path of connectionist temporal classification says."""
    told = []
    for frame, token in enumerate(path):
        if token != blank and (frame == 0 or path[frame - 1] != token):
            told.append(token)
    return tuple(told)


def all_texts(shares: list[Vector], blank: int) -> dict[tuple[int, ...], float]:
    """Every text with its probability: the sum over all paths that say it."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(len(shares[0])), repeat=len(shares)):
        chance = math.prod(shares[t][token] for t, token in enumerate(path))
        text = collapse(path, blank)
        found[text] = found.get(text, 0.0) + chance
    return found
