"""The only loop over time: direction, mask, and the choice of the cell's step or a kernel.

The loop over `step` is the definition; the kernels of rnnkit.nn.kernels must equal it. Cells are in
rnnkit.nn.cells, layers and directions in rnnkit.nn.model.stack.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rnnkit.nn.cells.interface import Cell, S, remake
from rnnkit.nn.kernels import fused
from rnnkit.nn.kernels.compiled import eligibility
from rnnkit.nn.kernels.padding import Mask, Padding, find_padding, reorder
from rnnkit.params.train import Kernel

Before = TypeVar("Before")


@runtime_checkable
class Steps(Protocol[S]):
    """Anything with a step: a Cell, or a stub in a test."""

    def step(self, inputs: Tensor, state: S, /) -> S: ...


def recur(
    cell: Steps[S],
    inputs: Float[Tensor, "batch time inputs"],
    state: S,
    mask: Mask | Padding | None,
    reverse: bool,
    kernel: Kernel,
    want_final: bool,
    dropout_mask: Float[Tensor, "batch hidden"] | None = None,
) -> tuple[Float[Tensor, "batch time hidden"], S | None]:
    """Run a cell over the real steps of each sequence.

        s_t = step(x_t, s_{t-1}) where the mask is true, else s_{t-1}
        y_t = h_t                where the mask is true, else 0

    with t-1 replaced by t+1 in reverse.

    Args:
        inputs: at least one step; finite also at padding, where they have no effect.
        state: before the first step.
        mask: true at real steps, its Padding, or None: all are real.
        reverse: from the last step to the first; outputs stay at the positions of their inputs.
        kernel: `steps` runs the cell's step; `torch` and `auto` a fused kernel of torch's where an
            equal one exists, and else the step; `numba` the compiled recurrence where it serves
            the call, and else as `torch`. Under torch.func the step runs.
        want_final: whether to return the final state; a padded LSTM of torch's is slower with it.
        dropout_mask: recurrent dropout mask, the same at every step; torch's kernels have none.

    Returns: the outputs, and the state after each sequence's last real step or None.
    """
    if kernel == "numba" and isinstance(cell, Cell) and eligibility.serves(cell, inputs, state):
        from rnnkit.nn.kernels.compiled.recurrence import run  # imports Numba

        padding = mask if isinstance(mask, Padding) else find_padding(mask)
        outputs, final = run(cell, inputs, state, padding, reverse, dropout_mask)
        return outputs, final if want_final else None
    is_fused = kernel != "steps" and dropout_mask is None and not eligibility.is_transformed()
    if is_fused and isinstance(cell, Cell) and fused.serves(cell):
        padding = mask if isinstance(mask, Padding) else find_padding(mask)
        if padding is None or padding.contiguous:
            outputs, final = run_fused(cell, inputs, state, padding, reverse, want_final)
            return outputs, final if want_final else None
    mask = mask.mask if isinstance(mask, Padding) else mask
    outputs, final = run_steps(cell, inputs, state, mask, reverse, dropout_mask)
    return outputs, final if want_final else None


def choose(condition: Bool[Tensor, "batch 1"], state: S, otherwise: S) -> S:
    """torch.where over the tensors of two states."""
    pairs = zip(state, otherwise, strict=True)
    return remake(state, (torch.where(condition, a, b) for a, b in pairs))


def run_steps(
    cell: Steps[S],
    inputs: Float[Tensor, "batch time inputs"],
    state: S,
    mask: Mask | None,
    reverse: bool,
    dropout_mask: Float[Tensor, "batch hidden"] | None = None,
) -> tuple[Float[Tensor, "batch time hidden"], S]:
    """The loop over the cell's steps, which defines `recur`."""
    outputs: list[Tensor] = []
    steps = range(inputs.shape[1])
    for t in reversed(steps) if reverse else steps:
        if dropout_mask is None:
            new = cell.step(inputs[:, t], state)
        else:
            assert isinstance(cell, Cell)
            new = cell.step(inputs[:, t], state, dropout_mask)
        if mask is None:
            state = new
            outputs.append(state.h)
        else:
            real = mask[:, t, None]
            state = choose(real, new, state)
            outputs.append(torch.where(real, state.h, 0.0))
    if reverse:
        outputs.reverse()
    return torch.stack(outputs, dim=1), state


def unroll(
    step: Callable[[Tensor, Before], tuple[Tensor, Before]], inputs: Tensor, before: Before
) -> tuple[Tensor, Before]:
    """Run a step (input, carry) -> (output, carry), such as a decoder's, over [batch, time, ...].

    Returns: the outputs [batch, time, ...] and the final carry.
    """
    outputs = []
    for t in range(inputs.shape[1]):
        output, before = step(inputs[:, t], before)
        outputs.append(output)
    return torch.stack(outputs, dim=1), before


def run_fused(
    cell: Cell[S],
    inputs: Float[Tensor, "batch time inputs"],
    state: S,
    padding: Padding | None,
    reverse: bool,
    want_final: bool,
) -> tuple[Float[Tensor, "batch time hidden"], S]:
    """Run a fused kernel; the state is final only if `want_final`.

    Kernels take no mask, so each sequence's steps are reordered with padding at the end, and the
    outputs are put back in place.
    """
    if padding is None:
        outputs, final = fused.run(cell, inputs.flip(1) if reverse else inputs, state, None)
        return outputs.flip(1) if reverse else outputs, final
    in_place = padding.trailing and not reverse
    mask = padding.mask
    if not in_place:
        order, back = padding.order(reverse)
        inputs = reorder(inputs, order)
        mask = mask.gather(1, order)
    held = mask if fused.must_hold_padding(cell, want_final) else None
    outputs, final = fused.run(cell, inputs, state, held)
    if want_final:
        row = torch.arange(len(outputs), device=outputs.device)
        h = outputs[row, (padding.length - 1).clamp(min=0)]
        final = remake(state, [h, *list(final)[1:]])
        if padding.empty_rows:
            final = choose((padding.length > 0)[:, None], final, state)
    if not in_place:
        outputs = reorder(outputs, back)
    return outputs.masked_fill(~padding.mask[:, :, None], 0.0), final
