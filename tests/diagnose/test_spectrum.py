"""Spectrum and gates against numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from rnnkit.diagnose.recording import Recorder
from rnnkit.diagnose.spectrum import GATES, KEEPS, spectrum, units
from rnnkit.nn.cells import CELLS, make
from rnnkit.nn.cells.interface import Cell
from rnnkit.nn.recurrence import run_steps
from rnnkit.params import model as blocks

HIDDEN, INPUTS, ROWS, STEPS = 6, 3, 4, 9
KINDS: list[Any] = [
    blocks.RNN(),
    blocks.RNN(activation="relu"),
    blocks.RNN(activation="sigmoid"),
    blocks.LSTM(),
    blocks.GRU(),
]


def random_cell(params: Any) -> Cell[Any]:
    draw = torch.Generator().manual_seed(5)
    cell = make(params, INPUTS, HIDDEN).double()
    with torch.no_grad():
        for value in cell.parameters():
            value.copy_(torch.randn(value.shape, generator=draw, dtype=torch.float64) * 0.7)
    return cell


def recorded(cell: Cell[Any]) -> Recorder:
    draw = torch.Generator().manual_seed(6)
    inputs = torch.randn(ROWS, STEPS, INPUTS, generator=draw, dtype=torch.float64)
    recorder = Recorder(cell)
    run_steps(recorder, inputs, cell.zeros(ROWS, torch.float64, inputs.device), None, False)
    return recorder


def test_every_cell_of_the_table_has_its_gates() -> None:
    assert set(GATES) == set(CELLS.values())
    assert set(KEEPS) < set(GATES)


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_spectrum_equals_numpy(params: Any) -> None:
    cell = random_cell(params)
    measured = spectrum(cell)
    assert tuple(measured) == cell.gates
    for k, values in enumerate(measured.values()):
        block = cell.W_hh.detach().numpy()[k * HIDDEN : (k + 1) * HIDDEN]
        radius = np.abs(np.linalg.eigvals(block)).max()
        assert values["radius"] == pytest.approx(radius, rel=1e-10)
        assert values["largest"] == pytest.approx(np.linalg.norm(block, 2), rel=1e-10)


def test_spectrum_of_weights_that_are_not_finite_is_infinite() -> None:
    cell = random_cell(blocks.RNN())
    with torch.no_grad():
        cell.W_hh[0, 0] = torch.nan
    assert spectrum(cell) == {"h": {"radius": np.inf, "largest": np.inf}}


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_gates_are_those_of_the_cells_step(params: Any) -> None:
    """Values and slopes against the step's own derivative by the recurrent preactivation."""
    cell = random_cell(params)
    draw = torch.Generator().manual_seed(7)
    x = torch.randn(ROWS, INPUTS, generator=draw, dtype=torch.float64)
    h = torch.randn(ROWS, HIDDEN, generator=draw, dtype=torch.float64)
    gates = GATES[type(cell)](cell, x, h)
    assert tuple(gates) == cell.gates
    state = cell.zeros(ROWS, torch.float64, h.device)._replace(h=h)
    after = cell.step(x, state)
    values = {name: gate.value for name, gate in gates.items()}
    if "f" in values:
        rebuilt = values["o"] * torch.tanh(values["f"] * state.c + values["i"] * values["g"])
    elif "z" in values:
        rebuilt = (1 - values["z"]) * values["n"] + values["z"] * h
    else:
        rebuilt = values["h"]
    assert torch.allclose(rebuilt, after.h, rtol=0, atol=1e-12)
    for k, gate in enumerate(gates.values()):
        rows, step = slice(k * HIDDEN, (k + 1) * HIDDEN), 1e-6
        moved = {}
        for sign in (1, -1):
            changed = random_cell(params)
            bias = changed.b_hn if cell.gates[k] == "n" else changed.b_h[rows]
            with torch.no_grad():
                bias += sign * step
            moved[sign] = list(GATES[type(cell)](changed, x, h).values())[k].value
        slope = (moved[1] - moved[-1]) / (2 * step)
        assert torch.allclose(gate.slope, slope, rtol=0, atol=1e-7)


def test_gain_is_the_root_mean_square_over_directions() -> None:
    cell = random_cell(blocks.RNN())
    recorder = recorded(cell)
    measured = units(recorder, None)
    h = torch.stack([state.h.detach() for state in recorder.after]).reshape(-1, HIDDEN)
    jacobians = (1 - h.square())[:, :, None] * cell.W_hh
    gain = (jacobians.square().sum(dim=(1, 2)).mean() / HIDDEN).sqrt()
    assert measured["gates"]["h"]["gain"] == pytest.approx(gain.item(), rel=1e-10)
    assert measured["activation"] == pytest.approx(float(h.abs().max()), rel=1e-12)


def test_padding_counts_nowhere() -> None:
    """Half of each sequence is padding in which a unit would be the largest."""
    cell = random_cell(blocks.RNN(activation="relu"))
    recorder = recorded(cell)
    real = torch.arange(STEPS).expand(ROWS, -1) < STEPS // 2
    expected = units(recorder, real)
    for states in (recorder.after, recorder.before):
        for t in range(STEPS // 2, STEPS):
            states[t] = states[t]._replace(h=states[t].h + 1e6)  # type: ignore[attr-defined]
    assert units(recorder, real) == expected
    assert units(recorder, None)["activation"] > 1e5


def test_dead_saturated_and_long_units() -> None:
    relu = random_cell(blocks.RNN(activation="relu"))
    with torch.no_grad():
        relu.b_h[:2] = -1e3
    assert units(recorded(relu), None)["dead"] >= 2 / HIDDEN
    tanh = random_cell(blocks.RNN())
    with torch.no_grad():
        tanh.b_h.fill_(50.0)
    assert units(recorded(tanh), None)["saturated"] == 1.0
    with torch.no_grad():
        tanh.b_h.zero_()
        tanh.W_hh.zero_()
        tanh.W_xh.mul_(0.1)
    assert units(recorded(tanh), None)["saturated"] == 0.0
    lstm = random_cell(blocks.LSTM())
    with torch.no_grad():
        lstm.W_xh.zero_()
        lstm.W_hh.zero_()
        lstm.b_h[HIDDEN : 2 * HIDDEN] = torch.logit(torch.tensor(0.9, dtype=torch.float64))
        lstm.b_h[HIDDEN] = torch.logit(torch.tensor(0.99, dtype=torch.float64))
    measured = units(recorded(lstm), None)
    assert measured["longest"] == pytest.approx(-1 / np.log(0.99))
    assert measured["memory"] == pytest.approx(-(5 / np.log(0.9) + 1 / np.log(0.99)) / 6)
    assert measured["gates"]["f"]["mean"] == pytest.approx((5 * 0.9 + 0.99) / 6)
