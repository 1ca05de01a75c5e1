"""The loop over time, and the kernels against it: outputs, final state, every gradient by name."""

from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_cells import VARIANTS, drawn

from rnnkit.nn.cells import CELLS
from rnnkit.nn.cells.rnn import RNN
from rnnkit.nn.kernels import fused
from rnnkit.nn.kernels.padding import find_padding
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import LSTM as LSTMBlock
from rnnkit.params.model import RNN as Block

KERNELS = ("torch", "numba")
CLOSE = {"rtol": 0, "atol": 1e-12}  # float64; sums of some 100 terms in another order


class Sum(NamedTuple):
    h: torch.Tensor


ADDER = SimpleNamespace(step=lambda x, state: Sum(state.h + x))
DIGITS = SimpleNamespace(step=lambda x, state: Sum(10 * state.h + x))  # shows the order


def masks(steps, places):
    """A mask with, in each row, real steps from `first` on, `length` of them."""
    time = torch.arange(steps)
    return torch.stack([(time >= first) & (time < first + length) for first, length in places])


POST = masks(7, [(0, 7), (0, 3), (0, 1), (0, 5), (0, 0)])
PRE = masks(7, [(0, 7), (4, 3), (6, 1), (2, 5), (7, 0)])
MIDDLE = masks(7, [(0, 7), (2, 3), (3, 1), (1, 5), (2, 2)])
HOLES = torch.tensor([[1, 0, 1, 1, 0, 0, 1]] * 5, dtype=torch.bool)
MASKS = {
    "none": None, "full": POST | True, "post": POST, "pre": PRE, "middle": MIDDLE, "holes": HOLES
}  # fmt: skip


def results(
    kind, block, mask, reverse, kernel, want_final=True, inputs=3, hidden=5, dtype=torch.float64
):
    """Outputs, final state and gradients by name, for a loss of all outputs and that state."""
    cell, _ = drawn(kind, block, inputs, hidden)
    cell.to(dtype)
    batch, steps = (5, 7) if mask is None else mask.shape
    generator = torch.Generator().manual_seed(1)
    zeros = cell.zeros(batch, dtype, torch.device("cpu"))
    leaves = {
        "inputs": torch.randn(batch, steps, inputs, dtype=dtype, generator=generator),
        **{
            part: torch.randn(batch, hidden, dtype=dtype, generator=generator)
            for part in zeros._fields
        },
    }
    for leaf in leaves.values():
        leaf.requires_grad_()
    state = type(zeros)(*(leaves[part] for part in zeros._fields))
    outputs, final = recur(cell, leaves["inputs"], state, mask, reverse, kernel, want_final)
    loss = outputs.sin().sum()
    if final is not None:
        loss = loss + sum((part * (k + 2)).sin().sum() for k, part in enumerate(final))
    loss.backward()
    found = {f"d{name}": leaf.grad for name, leaf in leaves.items()}
    found |= {f"d{name}": value.grad for name, value in cell.named_parameters()}
    found |= {} if final is None else {f"final {n}": getattr(final, n) for n in final._fields}
    return {"outputs": outputs, **found}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], **CLOSE, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("want_final", [True, False], ids=["final", "outputs"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_kernel_equals_the_loop_of_steps(kind, block, mask, reverse, want_final, kernel):
    fast, slow = (
        results(kind, block, mask, reverse, each, want_final) for each in (kernel, "steps")
    )
    assert_same(fast, slow)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_kernel_equals_the_loop_at_any_size(kernel, data):
    kind, block = data.draw(st.sampled_from([variant.values for variant in VARIANTS]))
    batch, steps, inputs, hidden = (data.draw(st.integers(1, 6)) for _ in range(4))
    places = []
    for _ in range(batch):
        length = data.draw(st.integers(0, steps))
        places.append((data.draw(st.integers(0, steps - length)), length))
    reverse = data.draw(st.booleans())
    fast, slow = (
        results(kind, block, masks(steps, places), reverse, each, True, inputs, hidden)
        for each in (kernel, "steps")
    )
    assert_same(fast, slow)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_kernel_equals_the_loop_in_float32(kind, block, mask, reverse, kernel):
    fast, slow = (
        results(kind, block, mask, reverse, each, dtype=torch.float32) for each in (kernel, "steps")
    )
    for name, value in fast.items():
        # float32 has 6e-8; sums of some 100 terms, over 7 steps
        torch.testing.assert_close(
            value, slow[name], rtol=1e-5, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("kernel", ["torch", "numba", "steps"])
@pytest.mark.parametrize(("kind", "block"), VARIANTS)
def test_gradients_are_there_in_evaluation_too(kind, block, kernel):
    cell, _ = drawn(kind, block)
    cell.float().eval()
    outputs, _ = recur(
        cell, torch.randn(2, 4, 3), cell.zeros(2, torch.float32, torch.device("cpu")), None, False,
        kernel, False,
    )  # fmt: skip
    outputs.sum().backward()
    assert all(value.grad.any() for value in cell.parameters())


def test_any_step_can_be_looped_over():
    inputs = torch.ones(2, 3, 1)
    outputs, final = recur(ADDER, inputs, Sum(torch.zeros(2, 1)), None, False, "auto", True)
    assert outputs[:, :, 0].tolist() == [[1, 2, 3], [1, 2, 3]]
    assert final.h.tolist() == [[3], [3]]


@pytest.mark.parametrize(
    ("reverse", "expected", "last"),
    [
        (False, [[0, 2, 23, 0], [1, 12, 0, 0]], [23, 12]),
        (True, [[0, 32, 3, 0], [21, 2, 0, 0]], [32, 21]),
    ],
)
def test_padding_is_skipped_in_either_direction(reverse, expected, last):
    inputs = torch.tensor([[9.0, 2, 3, 9], [1, 2, 9, 9]])[:, :, None]
    mask = masks(4, [(1, 2), (0, 2)])
    outputs, final = recur(DIGITS, inputs, Sum(torch.zeros(2, 1)), mask, reverse, "steps", True)
    assert outputs[:, :, 0].tolist() == expected
    assert final.h[:, 0].tolist() == last


@pytest.mark.parametrize("kernel", ["torch", "numba", "steps"])
@pytest.mark.parametrize("kind", CELLS)
def test_an_empty_sequence_keeps_its_state(kind, kernel):
    block = {variant.values[0]: variant.values[1] for variant in VARIANTS}[kind]
    cell, state = drawn(kind, block)
    inputs = torch.randn(2, 4, 3, dtype=torch.float64)
    outputs, final = recur(cell, inputs, state, masks(4, [(0, 0), (0, 4)]), False, kernel, True)
    assert not outputs[0].any()
    for before, after in zip(state, final, strict=True):
        assert torch.equal(before[0], after[0])
        assert not torch.equal(before[1], after[1])


@pytest.mark.parametrize("kernel", ["torch", "numba", "steps"])
def test_a_growing_relu_network_does_not_overflow_over_padding(kernel):
    cell = RNN(1, 1, Block(activation="relu"))
    with torch.no_grad():
        cell.W_hh.fill_(1e4)
        cell.W_xh.fill_(1)
    inputs = torch.ones(1, 20, 1)
    state = cell.zeros(1, torch.float32, torch.device("cpu"))
    outputs, _ = recur(cell, inputs, state, masks(20, [(0, 3)]), False, kernel, False)
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert all(value.grad.isfinite().all() for value in cell.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_held_lstm_keeps_its_c_to_the_bit(dtype):
    """Compared with held runs alone: a product over another number of columns rounds otherwise."""
    cell, state = drawn("lstm", LSTMBlock())
    cell.to(dtype)
    state = type(state)(*(part.to(dtype) for part in state))
    inputs = torch.randn(2, 300, 3, dtype=dtype)
    inputs[:, 4:] = 0
    _, final = fused.run(cell, inputs, state, masks(300, [(0, 4), (0, 4)]))
    _, unpadded = fused.run(cell, inputs[:, :4], state, masks(4, [(0, 4), (0, 4)]))
    assert torch.equal(final.c, unpadded.c)
    _, plain = fused.run(cell, inputs[:, :4], state, None)
    # a few units in the last place of numbers below 1, over four steps
    tolerance = 1e-15 if dtype == torch.float64 else 5e-7
    torch.testing.assert_close(final.c, plain.c, rtol=0, atol=tolerance)


def test_the_final_state_is_none_where_it_is_not_wanted():
    cell, state = drawn(*VARIANTS[0].values)
    inputs = torch.randn(2, 4, 3, dtype=torch.float64)
    for mask in (None, masks(4, [(0, 2), (0, 4)])):
        for kernel in (*KERNELS, "steps"):
            assert recur(cell, inputs, state, mask, False, kernel, False)[1] is None


def test_kernels_serve_the_very_class_only():
    class Other(RNN):
        pass

    assert fused.serves(RNN(1, 1, Block()))
    assert not fused.serves(Other(1, 1, Block()))
    assert not fused.serves(RNN(1, 1, Block(activation="sigmoid")))


def test_nothing_is_moved_where_nothing_need_be(monkeypatch):
    cell, state = drawn(*VARIANTS[-1].values)
    inputs = torch.randn(2, 4, 3, dtype=torch.float64)
    moved = []
    monkeypatch.setattr("rnnkit.nn.recurrence.reorder", lambda x, order: moved.append(x) or x)
    for mask in (None, torch.ones(2, 4, dtype=torch.bool), masks(4, [(0, 2), (0, 4)])):
        recur(cell, inputs, state, mask, False, "auto", True)
    assert not moved
    recur(cell, inputs, state, masks(4, [(2, 2), (0, 4)]), False, "auto", True)
    assert moved


def test_what_is_known_of_a_mask():
    assert find_padding(POST | True) is None
    post, middle, holes = map(find_padding, (POST, MIDDLE, HOLES))
    assert post.trailing
    assert post.contiguous
    assert post.empty_rows
    assert middle.contiguous
    assert not middle.trailing
    assert not middle.empty_rows
    assert middle.first.tolist() == [0, 2, 3, 1, 2]
    assert middle.length.tolist() == [7, 3, 1, 5, 2]
    assert not holes.contiguous
