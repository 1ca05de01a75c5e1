"""The compiled recurrence for autograd, and for cells."""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from rnnkit.nn.cells.gru import GRU as GRUCell
from rnnkit.nn.cells.interface import Cell, S, remake
from rnnkit.nn.kernels.compiled import backward as backward_pass
from rnnkit.nn.kernels.compiled import forward as forward_pass
from rnnkit.nn.kernels.compiled.eligibility import kind_of
from rnnkit.nn.kernels.compiled.jit import call
from rnnkit.nn.kernels.compiled.kinds import GATES, GRU, LSTM, STORED
from rnnkit.nn.kernels.compiled.tile import PANEL_BYTES, VECTOR_BYTES
from rnnkit.nn.kernels.packing import Packing, pack_full
from rnnkit.nn.kernels.padding import Padding


def _multiple(numbers: int, of: int) -> int:
    """The next multiple.

    >>> _multiple(17, 16)
    32
    """
    return -(-numbers // of) * of


def _flat(tensor: Tensor) -> ndarray:
    """The numbers of a tensor; a copy where they are not adjacent."""
    # reshape alone would give a view with a stride of 0 of an expanded tensor of one unit
    flat: ndarray = np.ascontiguousarray(tensor.detach().numpy()).reshape(-1)
    return flat


def _rows(tensor: Tensor, packing: Packing) -> tuple[ndarray, ndarray]:
    """The numbers of a tensor [batch, time, …] in the order of its memory, and the place of each
    packed row in it."""
    by_time = tensor.transpose(0, 1)
    if by_time.is_contiguous() and not tensor.is_contiguous():
        return _flat(by_time), packing.place_by_time
    return _flat(tensor), packing.place


def _divided(memory: Tensor, sizes: Iterable[int]) -> list[ndarray]:
    """Parts of a flat tensor, one after the other."""
    ends = list(accumulate(sizes))
    flat = _flat(memory)
    return [flat[begin:end] for begin, end in pairwise([0, *ends])]


class Recurrence(torch.autograd.Function):
    """All steps of a recurrence, from a batch and its packing. The backward pass may run again."""

    @staticmethod
    def forward(
        ctx: Any,
        kind: int,
        packing: Packing,
        keep: bool,
        dropout_mask: Tensor | None,
        inputs: Tensor,
        W_xh: Tensor,
        W_hh: Tensor,
        b_h: Tensor,
        b_hn: Tensor | None,
        h_0: Tensor,
        c_0: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Outputs and final states; see `run`. Without `keep` there is no backward pass."""
        batch, time, features = inputs.shape
        hidden, gates, is_lstm = W_hh.shape[1], GATES[kind], kind == LSTM
        has_dropout = dropout_mask is not None
        units = _multiple(hidden, VECTOR_BYTES // inputs.element_size())
        panels = _multiple(hidden, PANEL_BYTES // inputs.element_size())
        rows = packing.rows if keep else packing.capacity
        new = inputs.new_empty
        of_state = (rows + batch) * units
        sizes = STORED[kind] * rows * units, of_state, of_state * has_dropout, of_state * is_lstm
        kept = new(sum(sizes))
        values, states, recurrent, cells = _divided(kept, sizes)
        work = gates * panels * (features + hidden) + 4 * units, packing.capacity * features
        packed, x = _divided(new(sum(work)), work)
        mask = _in_order(dropout_mask, packing, units) if has_dropout else kept
        if packing.is_full:  # in the order of time, as torch's layers, so that dropout draws alike
            outputs = new((time, batch, hidden)).transpose(0, 1)
        else:
            outputs = inputs.new_zeros((batch, time, hidden))
        h_last = new((batch, hidden))
        c_last = new((batch, hidden)) if is_lstm else None
        W_xh, W_hh = W_xh.contiguous(), W_hh.contiguous()
        (rows_in, place), (rows_out, output_place) = (_rows(t, packing) for t in (inputs, outputs))
        call(
            forward_pass.forward, str(inputs.dtype), kind, gates, (keep, has_dropout, units, rows),
            rows_in, place, output_place, packing.offset, packing.order, packing.block,
            W_xh.detach().numpy(), W_hh.detach().numpy(), _flat(b_h),
            _flat(b_h if b_hn is None else b_hn), _flat(mask), _flat(h_0),
            _flat(h_0 if c_0 is None else c_0), values, states,
            recurrent if has_dropout else states, cells, rows_out, _flat(h_last),
            _flat(h_last if c_last is None else c_last), x, packed,
        )  # fmt: skip
        ctx.kind, ctx.packing, ctx.has_dropout, ctx.sizes = kind, packing, has_dropout, sizes
        ctx.save_for_backward(inputs, W_xh, W_hh, mask, kept)
        return outputs, h_last, c_last

    @staticmethod
    def backward(
        ctx: Any, d_outputs: Tensor, d_h_last: Tensor, d_c_last: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Gradients by the arguments of `forward`.

        Raises:
            NotImplementedError: second derivatives are asked for.
        """
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "train.kernel: numba has no second derivatives (create_graph=True); write torch "
                "or steps"
            )
        kind, packing, capacity = ctx.kind, ctx.packing, ctx.packing.capacity
        inputs, W_xh, W_hh, mask, kept = ctx.saved_tensors
        values, states, recurrent, cells = _divided(kept, ctx.sizes)
        (batch, time, features), size = inputs.shape, inputs.element_size()
        hidden, gates, stored, is_lstm = W_hh.shape[1], GATES[kind], STORED[kind], kind == LSTM
        units, width = (_multiple(k, VECTOR_BYTES // size) for k in (hidden, features))
        panels = sum(_multiple(k, PANEL_BYTES // size) for k in (hidden, features))
        work = (
            *[batch * units] * 4, capacity * width, stored * capacity * units,
            gates * panels * hidden,
            gates * hidden * (width + units) + stored * units + max(width, units) + 1,
        )  # fmt: skip
        new, needs_inputs = inputs.new_empty, ctx.needs_input_grad[4]
        memory = _divided(new(sum(work)), work)
        rows_in, place = _rows(inputs, packing)
        rows_d_out, output_place = _rows(d_outputs, packing)
        make = new if packing.is_full else inputs.new_zeros
        if place is packing.place:
            rows_d_in = d_inputs = make(inputs.shape if needs_inputs else (0,))
        else:
            rows_d_in = make((time, batch, features) if needs_inputs else (0, 0))
            d_inputs = rows_d_in.transpose(0, 1)
        d_W_xh, d_W_hh, d_b_h = new(W_xh.shape), new(W_hh.shape), new((gates * hidden,))
        d_b_hn, d_h_0, d_c_0 = new((hidden,)), new((batch, hidden)), new((batch, hidden))
        call(
            backward_pass.backward, str(inputs.dtype), kind, gates,
            (needs_inputs, ctx.has_dropout, units, width, capacity), rows_in, place, output_place,
            packing.offset, packing.order, packing.block, W_xh.detach().numpy(),
            W_hh.detach().numpy(), _flat(mask), values, states,
            recurrent if ctx.has_dropout else states, cells, rows_d_out, _flat(d_h_last),
            _flat(d_h_last if d_c_last is None else d_c_last), _flat(rows_d_in), _flat(d_W_xh),
            _flat(d_W_hh), _flat(d_b_h), _flat(d_b_hn), _flat(d_h_0), _flat(d_c_0), *memory,
        )  # fmt: skip
        return (
            None, None, None, None, d_inputs if needs_inputs else None, d_W_xh, d_W_hh, d_b_h,
            d_b_hn if kind == GRU else None, d_h_0, d_c_0 if is_lstm else None,
        )  # fmt: skip


def _in_order(dropout_mask: Tensor | None, packing: Packing, units: int) -> Tensor:
    """The mask in packed order, its units padded with zeros."""
    assert dropout_mask is not None
    ordered = dropout_mask[torch.from_numpy(packing.order)]
    return torch.nn.functional.pad(ordered, (0, units - ordered.shape[1])).flatten()


def run(
    cell: Cell[S],
    inputs: Float[Tensor, "batch time inputs"],
    state: S,
    padding: Padding | None,
    reverse: bool,
    dropout_mask: Float[Tensor, "batch hidden"] | None,
) -> tuple[Float[Tensor, "batch time hidden"], S]:
    """All steps of all sequences, with a cell and tensors for which `eligibility.serves` is true.

    Returns: the outputs, zero at padding, and the final state.
    """
    packing = pack_full(*inputs.shape[:2], reverse) if padding is None else padding.packed(reverse)
    tensors = inputs, *cell.parameters(), *state
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    h_0, *rest = state
    outputs, *final = Recurrence.apply(
        kind_of(cell), packing, keep, dropout_mask, inputs, cell.W_xh, cell.W_hh, cell.b_h,
        cell.b_hn if isinstance(cell, GRUCell) else None, h_0, rest[0] if rest else None,
    )  # fmt: skip
    return outputs, remake(state, final[: len(state._fields)])
