"""Recurrent weights and units of a layer: spectrum, Jacobian gain, gates, saturation."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from rnnkit.diagnose.recording import Recorder
from rnnkit.nn.cells import GRU, LSTM, RNN
from rnnkit.nn.cells.interface import Cell

MAX_SAMPLES = 2048
"""Recorded steps from which gates and activations are measured."""
FLAT = 0.02
"""A unit is saturated where the activation's slope is below this fraction of its largest."""

Samples = Float[Tensor, "samples hidden"]


class Gate(NamedTuple):
    """A gate at the recorded steps.

    Args:
        value: its activation.
        slope: derivative by its recurrent preactivation W_hh h.
        steepest: the largest slope of its activation function.
    """

    value: Samples
    slope: Samples
    steepest: float


def spectrum(cell: Cell[Any]) -> dict[str, dict[str, float]]:
    """Of each gate's W_hh: `radius`, the largest |eigenvalue|, and `largest`, the largest singular
    value. Below 1 the latter suffices for gradients of a tanh network to vanish; above 1 it is
    necessary for them to explode (Pascanu et al. 2013)."""
    blocks = cell.W_hh.detach().double().view(-1, cell.hidden, cell.hidden)
    measured = {}
    for gate, block in zip(cell.gates, blocks, strict=True):
        if bool(block.isfinite().all()):
            radius = float(torch.linalg.eigvals(block).abs().max())
            largest = float(torch.linalg.matrix_norm(block, 2))
        else:
            radius = largest = math.inf
        measured[gate] = {"radius": radius, "largest": largest}
    return measured


@torch.no_grad()
def units(recorder: Recorder, real: Bool[Tensor, "rows time"] | None) -> dict[str, Any]:
    """Activations and gates of a layer at its recorded steps.

    Args:
        real: true where a step is no padding, in the order of processing; None: all are.

    Returns: `activation`, the largest |h|; of gates `gain`, the root mean square of
        ‖diag(f'(a)) W_hh v‖ over random unit vectors v, the gain of its Jacobian, and `mean`, its
        mean activation; of a vanilla network `saturated`, a fraction of activations, and of ReLU
        `dead`, the fraction of units that are 0 at every step; of LSTM and GRU `memory`, the steps
        after which a unit keeps 1/e of its state, by its mean gate (mean of the units), and
        `longest`, of the unit that keeps it longest.
    """
    after = torch.stack([state.h for state in recorder.after], dim=1)
    chosen = torch.ones(after.shape[:2], dtype=torch.bool) if real is None else real
    h = after[chosen]
    measured: dict[str, Any] = {"activation": float(h.abs().max()) if len(h) else 0.0}
    cell, kind = recorder.cell, type(recorder.cell)
    if kind not in GATES or not len(h):
        return measured
    every = max(1, math.ceil(len(h) / MAX_SAMPLES))
    inputs = torch.stack(recorder.inputs, dim=1)[chosen][::every]
    before = torch.stack([state.h for state in recorder.before], dim=1)[chosen][::every]
    gates = GATES[kind](cell, inputs, before)
    rows = cell.W_hh.view(-1, cell.hidden, cell.hidden).square().sum(dim=2)
    measured["gates"] = {
        name: {
            "gain": float((gate.slope.square() * row).sum(dim=1).mean().div(cell.hidden).sqrt()),
            "mean": float(gate.value.mean()),
        }
        for (name, gate), row in zip(gates.items(), rows, strict=True)
    }
    if kind in KEEPS:
        kept = gates[KEEPS[kind]].value.mean(dim=0).clamp(1e-9, 1 - 1e-9)
        steps = -1 / kept.log()
        measured |= {"memory": float(steps.mean()), "longest": float(steps.max())}
        return measured
    (gate,) = gates.values()
    if cell.activation == "relu":
        return {**measured, "dead": float((h <= 0).all(dim=0).double().mean())}
    flat = gate.slope < FLAT * gate.steepest
    return {**measured, "saturated": float(flat.double().mean())}


def _products(cell: Cell[Any], inputs: Tensor, h: Tensor) -> list[tuple[Tensor, Tensor]]:
    """W_xh x + b_h and W_hh h of each gate."""
    x, recurrent = functional.linear(inputs, cell.W_xh, cell.b_h), functional.linear(h, cell.W_hh)
    count = len(cell.gates)
    return list(zip(x.chunk(count, dim=1), recurrent.chunk(count, dim=1), strict=True))


def _tanh(a: Tensor) -> Gate:
    value = torch.tanh(a)
    return Gate(value, 1 - value.square(), 1.0)


def _sigmoid(a: Tensor) -> Gate:
    value = torch.sigmoid(a)
    return Gate(value, value * (1 - value), 0.25)


def _relu(a: Tensor) -> Gate:
    return Gate(torch.relu(a), (a > 0).to(a.dtype), 1.0)


ACTIVATIONS = {"tanh": _tanh, "relu": _relu, "sigmoid": _sigmoid}


def _of_rnn(cell: Any, inputs: Tensor, h: Tensor) -> dict[str, Gate]:
    ((x, recurrent),) = _products(cell, inputs, h)
    return {"h": ACTIVATIONS[cell.activation](x + recurrent)}


def _of_lstm(cell: Any, inputs: Tensor, h: Tensor) -> dict[str, Gate]:
    sums = [x + recurrent for x, recurrent in _products(cell, inputs, h)]
    shapes = {"i": _sigmoid, "f": _sigmoid, "g": _tanh, "o": _sigmoid}
    return {name: shape(a) for (name, shape), a in zip(shapes.items(), sums, strict=True)}


def _of_gru(cell: Any, inputs: Tensor, h: Tensor) -> dict[str, Gate]:
    (x_r, h_r), (x_z, h_z), (x_n, h_n) = _products(cell, inputs, h)
    r, z = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z)
    n = _tanh(x_n + r.value * (h_n + cell.b_hn))
    return {"r": r, "z": z, "n": n._replace(slope=r.value * n.slope)}


GATES: Mapping[type, Callable[[Any, Tensor, Tensor], dict[str, Gate]]] = {
    RNN: _of_rnn,
    LSTM: _of_lstm,
    GRU: _of_gru,
}
"""Cell -> its gates, from inputs and states before the steps, in the order of `Cell.gates`."""
KEEPS: Mapping[type, str] = {LSTM: "f", GRU: "z"}
"""Cell -> the gate that keeps its state."""
