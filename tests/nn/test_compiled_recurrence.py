"""Numba's recurrence against the loop over the cell's steps, and when it is used."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_cells import VARIANTS, drawn

from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.kernels.compiled import cache
from rnnkit.nn.kernels.compiled.eligibility import serves
from rnnkit.nn.kernels.packing import pack_full, pack_padded
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import GRU as GRUBlock

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}
"""Of a tensor's largest number: rounding of sums of some 100 terms, over 12 steps."""


def is_compiled(outputs: torch.Tensor) -> bool:
    """Whether they come from the compiled recurrence."""
    return type(outputs.grad_fn).__name__ == "RecurrenceBackward"


class Problem:
    """A cell and its inputs, drawn by hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        draw = data.draw
        self.variant = draw(st.sampled_from([variant.values for variant in VARIANTS]))
        # in float32 rounding moves a ReLU over its kink once in some million steps
        is_relu = getattr(self.variant[1], "activation", "") == "relu"
        self.dtype = draw(st.sampled_from([torch.float64, torch.float32][: 1 if is_relu else 2]))
        self.batch, self.steps = draw(st.integers(1, 20)), draw(st.integers(1, 12))
        self.inputs, self.hidden = draw(st.integers(1, 40)), draw(st.integers(1, 40))
        self.padding = draw(st.sampled_from(["none", "post", "pre", "anywhere", "holes"]))
        self.reverse, self.has_dropout, self.needs_inputs = (draw(st.booleans()) for _ in "abc")
        self.is_strided, self.same_start = (draw(st.booleans()) for _ in "ab")
        self.seed = draw(st.integers(0, 2**31))

    def mask(self) -> torch.Tensor | None:
        """Real steps; a row may have none."""
        time = torch.arange(self.steps)
        length = torch.randint(0, self.steps + 1, (self.batch, 1))
        if self.padding == "none":
            return None
        if self.padding == "holes":
            return torch.rand(self.batch, self.steps) < 0.6
        first = {
            "post": torch.zeros_like(length),
            "pre": self.steps - length,
            "anywhere": (torch.rand(self.batch, 1) * (self.steps - length + 1)).long(),
        }[self.padding]
        return (time >= first) & (time < first + length)

    def results(self, kernel: Any) -> dict[str, torch.Tensor]:
        """Outputs, final state and gradients by name."""
        torch.manual_seed(self.seed)
        kind, block = self.variant
        cell, _ = drawn(kind, block, self.inputs, self.hidden)
        torch.manual_seed(self.seed)
        cell.to(self.dtype)
        with torch.no_grad():  # of a size at which states stay small
            cell.W_xh.mul_(1 / math.sqrt(self.inputs))
            cell.W_hh.mul_(1 / math.sqrt(self.hidden))
        shape = self.batch, self.steps, self.inputs
        x = torch.randn(shape[::-1] if self.is_strided else shape, dtype=self.dtype)
        x.requires_grad_(self.needs_inputs)
        zeros = cell.zeros(1, self.dtype, torch.device("cpu"))
        rows = 1 if self.same_start else self.batch
        start = {
            name: torch.randn(rows, self.hidden, dtype=self.dtype, requires_grad=True)
            for name in zeros._fields
        }
        state = type(zeros)(*(value.expand(self.batch, -1) for value in start.values()))
        keep = torch.rand(self.batch, self.hidden).gt(0.3).to(self.dtype) / 0.7
        outputs, final = recur(
            cell, x.permute(2, 1, 0) if self.is_strided else x, state, self.mask(), self.reverse,
            kernel, True, keep if self.has_dropout else None,
        )  # fmt: skip
        assert final is not None
        assert is_compiled(outputs) == (kernel == "numba")
        loss = outputs.sin().sum() + sum((p * (k + 2)).sin().sum() for k, p in enumerate(final))
        loss.backward()
        gradients = {"inputs": x, **start, **dict(cell.named_parameters())}
        found = {f"d{name}": value.grad for name, value in gradients.items()}
        if not self.needs_inputs:
            assert found.pop("dinputs") is None
        found |= {f"final {n}": getattr(final, n).detach() for n in start}
        return {"outputs": outputs.detach(), **found}


def compare(data: st.DataObject) -> None:
    problem = Problem(data)
    expected = problem.results("steps")
    for name, value in problem.results("numba").items():
        largest = max(1.0, float(expected[name].abs().max()))
        torch.testing.assert_close(
            value, expected[name], rtol=0, atol=TOLERANCE[problem.dtype] * largest,
            msg=lambda m, n=name: f"{vars(problem)}: {n}: {m}",
        )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_compiled_recurrence_equals_the_loop_of_steps(data):
    compare(data)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_compiled_recurrence_equals_the_loop_of_steps_in_many_cases(data):
    compare(data)


def compiled(kind="gru", batch=3, steps=4, dtype=torch.float32, **changes):
    """A cell, inputs and state, and the outputs of the compiled recurrence."""
    block = dict(variant.values for variant in VARIANTS)[kind]
    cell, _ = drawn(kind, block)
    cell.to(dtype)
    inputs = torch.randn(batch, steps, 3, dtype=dtype)
    state = cell.zeros(batch, dtype, torch.device("cpu"))
    mask, reverse = changes.get("mask"), changes.get("reverse", False)
    outputs, final = recur(cell, inputs, state, mask, reverse, "numba", True)
    return cell, inputs, state, outputs, final


def test_the_backward_pass_can_run_again():
    cell, _, _, outputs, _ = compiled("lstm")
    first = torch.autograd.grad(outputs.sum(), list(cell.parameters()), retain_graph=True)
    again = torch.autograd.grad(outputs.sum(), list(cell.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_second_derivatives_are_refused():
    cell, _, _, outputs, _ = compiled()
    with pytest.raises(NotImplementedError, match=r"numba has no second derivatives .*write torch"):
        torch.autograd.grad(outputs.sum(), list(cell.parameters()), create_graph=True)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_sequence_has_the_same_bits_alone_and_in_a_batch(kind):
    mask = torch.tensor([[True] * 9, [False] * 2 + [True] * 4 + [False] * 3, [True] * 8 + [False]])
    cell, inputs, state, outputs, final = compiled(kind, steps=9, mask=mask)
    alone, last = recur(
        cell, inputs[1:2, 2:6], type(state)(*(part[1:2] for part in state)), None, False, "numba",
        True,
    )  # fmt: skip
    assert torch.equal(outputs[1, 2:6], alone[0])
    assert all(torch.equal(a[1], b[0]) for a, b in zip(final, last, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("steps", [5, 700])
def test_without_gradients_the_values_of_one_block_are_kept(kind, steps, dtype):
    _, inputs, state, outputs, final = compiled(kind, steps=steps, dtype=dtype)
    cell, _ = drawn(kind, dict(variant.values for variant in VARIANTS)[kind])
    with torch.no_grad():
        bare, last = recur(cell.to(dtype), inputs, state, None, False, "numba", True)
    assert torch.equal(outputs, bare)
    assert all(torch.equal(a, b) for a, b in zip(final, last, strict=True))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("kind", "block"), VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_not_finite_shows_as_in_the_loop_of_steps(kind, block, value, dtype):
    cell, _ = drawn(kind, block)
    cell.to(dtype)
    inputs = torch.randn(2, 4, 3, dtype=dtype)
    inputs[1, 1, 0] = value
    state = cell.zeros(2, dtype, torch.device("cpu"))
    finite = []
    for kernel in ("steps", "numba"):
        cell.zero_grad()
        outputs, _ = recur(cell, inputs, state, None, False, kernel, False)
        outputs.sum().backward()
        finite.append((outputs.isfinite(), [v.grad.isfinite().all() for v in cell.parameters()]))
    assert torch.equal(finite[0][0], finite[1][0])
    assert finite[0][1] == finite[1][1]


def test_inputs_at_padding_are_never_read():
    mask = torch.tensor([[True, True, False], [False, True, True]])
    cell, inputs, state, *_ = compiled(batch=2, steps=3, mask=mask)
    inputs[~mask] = math.nan
    inputs.requires_grad_()
    outputs, _ = recur(cell, inputs, state, mask, False, "numba", False)
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert inputs.grad.isfinite().all()
    assert not inputs.grad[~mask].any()


def test_tanh_of_every_size_in_float32():
    from rnnkit.nn.kernels.compiled import rnn
    from rnnkit.nn.kernels.compiled.kinds import SIGMOID, TANH

    x = np.concatenate([np.linspace(-12, 12, 200_001), np.logspace(-30, 30, 1001)])
    x = x.astype(np.float32)
    for kind, exact in ((TANH, np.tanh), (SIGMOID, lambda v: 1 / (1 + np.exp(-v)))):
        a, h = x.copy(), np.empty_like(x)
        with np.errstate(over="ignore"):
            expected = exact(x.astype(np.float64))
        rnn.advance(kind, a, h)
        assert np.array_equal(a, h)
        assert np.abs(h - expected).max() < 4e-7  # float32 has 6e-8 near 1
        assert np.abs(h).max() <= 1
    small = x[(np.abs(x) < 0.1) & (x != 0)]
    a, h = small.copy(), np.empty_like(small)
    rnn.advance(TANH, a, h)
    assert np.abs(h / np.tanh(small.astype(np.float64)) - 1).max() < 4e-7


def test_other_calls_do_without_it():
    cell, inputs, state, outputs, _ = compiled()
    assert is_compiled(outputs)

    class Other(GRU):
        pass

    assert not serves(Other(3, 5, GRUBlock()), inputs, state)
    assert not serves(cell, inputs.to("meta"), state)
    assert not serves(cell, inputs.double(), state)
    assert not serves(cell.half(), inputs.half(), type(state)(state.h.half()))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_transforms_and_tracing_do_without_it():
    """torch imports its rules for forward derivatives with a warning of its own."""
    cell, inputs, state, outputs, _ = compiled()

    def run(x):
        return recur(cell, x, state, None, False, "numba", False)[0]

    _, tangent = torch.func.jvp(run, (inputs,), (torch.ones_like(inputs),))
    assert tangent.isfinite().all()
    mapped = torch.func.vmap(lambda x: run(x.expand(3, -1, -1))[0], randomness="error")(inputs)
    torch.testing.assert_close(mapped, outputs, rtol=1e-5, atol=1e-6)


def test_rows_are_packed_by_step_the_longest_sequence_first():
    mask = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0]], dtype=bool)
    packing = pack_padded(mask, mask.sum(1), False)
    assert packing.order.tolist() == [1, 0, 3, 2]
    assert packing.offset.tolist() == [0, 3, 6, 7]
    assert packing.place.tolist() == [5, 0, 12, 6, 1, 14, 7]
    assert pack_padded(mask, mask.sum(1), True).place.tolist() == [7, 1, 14, 6, 0, 12, 5]
    assert not packing.is_full


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (1, 1000), (300, 3), (64, 100)])
def test_blocks_hold_whole_steps(batch, steps):
    packing = pack_full(batch, steps, False)
    assert packing.block[0] == 0
    assert packing.block[-1] == steps
    rows = [packing.offset[b] - packing.offset[a] for a, b in pairwise(packing.block)]
    assert max(rows) == packing.capacity
    assert all(size >= 256 for size in rows[:-1])
    assert packing.capacity < 256 + batch


def test_a_folder_that_cannot_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    installed = cache.cache_folder()
    assert installed is not None
    assert installed.parent == Path(cache.__file__).parent / "__pycache__"
    monkeypatch.setattr(cache.os, "access", lambda path, mode: tmp_path in path.parents)
    user = cache.cache_folder()
    assert user is not None
    assert user.parent == tmp_path / "user" / "rnnkit"
    assert user.name == installed.name
    monkeypatch.setattr(cache.os, "access", lambda path, mode: False)
    assert cache.cache_folder() is None


def test_the_folder_is_chosen_by_numbas_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = cache.cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path
