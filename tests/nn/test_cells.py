"""Each cell of CELLS: its step against its slow twin and torch's own cell, and its own claims."""

from pathlib import Path

import pytest
import reference
import torch
from random_cells import BLOCKS, VARIANTS, drawn
from torch import nn

import rnnkit.nn.cells
import rnnkit.params.model as blocks
from rnnkit.nn.cells import CELLS


def missing(kind: str, files, rows, kinds, twins) -> str:
    """In one sentence, which of a cell's four places is not there; empty if none."""
    places = {
        f"its file rnnkit/nn/cells/{kind}.py": kind in files,
        "its row in rnnkit.nn.cells.CELLS": kind in rows,
        "its kind in rnnkit.params.model.Cell": kind in kinds,
        "its slow twin in tests/reference.py": kind in twins,
    }
    gone = [place for place, there in places.items() if not there]
    return f"the cell {kind} is missing {' and '.join(gone)}" if gone else ""


def test_every_cell_has_its_four_places():
    folder = Path(rnnkit.nn.cells.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "custom", "interface"}
    places = files, set(CELLS), set(BLOCKS), set(reference.TWINS)
    sentences = [missing(kind, *places) for kind in sorted(set.union(*places))]
    assert not any(sentences), "; ".join(filter(None, sentences))


def test_a_missing_place_is_named():
    assert missing("new", {"new"}, {"new"}, set(), {"new"}) == (
        "the cell new is missing its kind in rnnkit.params.model.Cell"
    )


@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_step_equals_the_equations(kind, block):
    cell, state = drawn(kind, block)
    inputs = torch.randn(2, 3, dtype=torch.float64)
    weights = {name: value.tolist() for name, value in cell.named_parameters()}
    for _ in range(3):
        after = cell.step(inputs, state)
        for row in range(2):
            twin = reference.TWINS[kind](
                block, weights, inputs[row].tolist(), tuple(part[row].tolist() for part in state)
            )
            for part, expected in zip(after, twin, strict=True):
                # a few roundings of float64
                torch.testing.assert_close(
                    part[row], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-14
                )
        state = after


@pytest.mark.parametrize(
    ("kind", "block"), [v for v in VARIANTS if "sigmoid" not in v.id], ids=lambda v: None
)
def test_step_and_gradients_equal_torch(kind, block):
    cell, state = drawn(kind, block)
    theirs = {
        "rnn": lambda: nn.RNNCell(3, 5, nonlinearity=block.activation),
        "lstm": lambda: nn.LSTMCell(3, 5),
        "gru": lambda: nn.GRUCell(3, 5),
    }[kind]().double()
    with torch.no_grad():
        theirs.weight_ih.copy_(cell.W_xh)
        theirs.weight_hh.copy_(cell.W_hh)
        theirs.bias_ih.copy_(cell.b_h)
        theirs.bias_hh.zero_()
        if kind == "gru":
            theirs.bias_hh[10:] = cell.b_hn
    inputs = torch.randn(2, 3, dtype=torch.float64)
    ours = tuple(cell.step(inputs, state))
    expected = theirs(inputs, tuple(state) if kind == "lstm" else state.h)
    expected = expected if kind == "lstm" else (expected,)
    for part, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(part, other, rtol=0, atol=1e-14)  # a few roundings
    sum((part * (k + 1)).sin().sum() for k, part in enumerate(ours)).backward()
    sum((part * (k + 1)).sin().sum() for k, part in enumerate(expected)).backward()
    names = {"W_xh": theirs.weight_ih, "W_hh": theirs.weight_hh, "b_h": theirs.bias_ih}
    for name, other in names.items():
        grad = cell.get_parameter(name).grad
        torch.testing.assert_close(grad, other.grad, rtol=0, atol=1e-13, msg=name)
    if kind == "gru":
        torch.testing.assert_close(cell.b_hn.grad, theirs.bias_hh.grad[10:], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_weights_have_a_block_of_rows_per_gate(kind, block):
    cell = CELLS[kind](3, 5, block)
    rows = 5 * len(cell.gates)
    shapes = {name: tuple(value.shape) for name, value in cell.named_parameters()}
    expected = {"W_xh": (rows, 3), "W_hh": (rows, 5), "b_h": (rows,)}
    if kind == "gru":
        expected["b_hn"] = (5,)
    assert shapes == expected


@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_zeros_has_the_precision_and_size_asked_for(kind, block):
    cell = CELLS[kind](3, 5, block)
    for part in cell.zeros(2, torch.float64, torch.device("cpu")):
        assert part.shape == (2, 5)
        assert part.dtype == torch.float64
        assert not part.any()


def test_the_update_bias_is_where_the_update_gate_starts():
    cell = CELLS["gru"](3, 5, blocks.GRU(update_bias=2.5))
    assert cell.b_h.tolist() == [0.0] * 5 + [2.5] * 5 + [0.0] * 5
    assert CELLS["gru"](3, 5, blocks.GRU()).b_h.abs().sum() == 0


def test_only_the_forget_bias_starts_elsewhere_than_zero():
    cell = CELLS["lstm"](3, 5, blocks.LSTM(forget_bias=1.5))
    biases = dict(zip(cell.gates, cell.b_h.view(4, 5), strict=True))
    assert (biases.pop("f") == 1.5).all()
    assert not any(bias.any() for bias in biases.values())


@pytest.mark.parametrize("kind", CELLS)
def test_docstrings_name_every_gate_paper_and_year(kind):
    text = CELLS[kind].__doc__
    assert "Reference:" in text
    for gate in CELLS[kind].gates:
        assert f"{gate}_t =" in text
