"""Invariants of every network, measured on its own data: `rnnkit check --deep`.

    determinism          the same output twice
    batch_invariance     the same output alone, in a batch, pre- or post-padded
    padding_invariance   values at padded steps have no effect
    causality            output t does not depend on inputs after t
    finite_gradients     every gradient is finite

The tests check the cells of rnnkit; the command also checks a custom cell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch, gather
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.tasks import Task, task_for
from rnnkit.training.loop import make_network

CHECKED_ITEMS = 6
TOLERANCE = 1e-12
"""Largest difference of equal float64 outputs, due to rounding."""

INVARIANTS: Mapping[str, str] = {
    "determinism": "same output twice",
    "batch_invariance": "same output alone, in a batch, pre- or post-padded",
    "padding_invariance": "values at padded steps have no effect",
    "causality": "output t does not depend on inputs after t",
    "finite_gradients": "every gradient is finite",
}
"""Key -> description."""


@dataclass(frozen=True)
class Measured:
    """An invariant measured on some training items.

    Args:
        holds: whether it holds.
        value: the largest difference between outputs that must be equal; for finite_gradients the
            number of parameters without a finite gradient. None: shapes differ, or outputs are
            not finite.
        fault: what violates it, or "".
    """

    holds: bool
    value: float | None
    fault: str


NOTHING_COMPARED = Measured(True, 0.0, "")


def guards(experiment: Experiment, prepared: Prepared) -> dict[str, Measured | None]:
    """Measure every invariant, by key; None: it does not apply, such as causality of a
    bidirectional network."""
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task).double().eval()
    part = prepared.parts["train"]
    order = part.input_length.argsort(stable=True)
    items = order[torch.linspace(0, len(part) - 1, min(CHECKED_ITEMS, len(part))).long()].unique()
    return {
        "determinism": _determinism(network, task, part, items),
        "batch_invariance": _batch_invariance(network, task, part, items),
        "padding_invariance": _padding_invariance(network, task, part, items),
        "causality": _causality(network, task, experiment, part, items),
        "finite_gradients": _finite_gradients(network, task, part, items),
    }


@torch.no_grad()
def _determinism(network: nn.Module, task: Task, part: Part, items: Tensor) -> Measured:
    batch = gather(part, items, "post", torch.float64)
    return _compared(task.forward(network, batch), task.forward(network, batch))


@torch.no_grad()
def _batch_invariance(network: nn.Module, task: Task, part: Part, items: Tensor) -> Measured:
    measured = []
    sides: tuple[Literal["post", "pre"], ...] = ("post", "pre")
    for padding in sides:
        together = gather(part, items, padding, torch.float64)
        outputs, real = task.forward(network, together), task.real(together)
        for row, (item, alone) in enumerate(_single_items(part, items)):
            output = outputs[row] if real.ndim == 1 else outputs[row][real[row]]
            expected = task.forward(network, alone)[0]
            measured.append(_compared(output, expected, f"item {item}, {padding}-padded: "))
    return _worst(measured)


@torch.no_grad()
def _padding_invariance(network: nn.Module, task: Task, part: Part, items: Tensor) -> Measured:
    batch = gather(part, items, "post", torch.float64)
    if batch.mask is None:
        return NOTHING_COMPARED
    inputs = batch.inputs.clone()
    inputs[~batch.mask] = 7.25 if inputs.is_floating_point() else 1
    before = task.forward(network, batch)
    after = task.forward(network, replace(batch, inputs=inputs))
    real = task.real(batch)
    return _compared(after[real], before[real])


@torch.no_grad()
def _causality(
    network: nn.Module, task: Task, experiment: Experiment, part: Part, items: Tensor
) -> Measured | None:
    if experiment.model.bidirectional and task.synced:
        return None
    measured = []
    for item, alone in _single_items(part, items):
        changed_future = task.other_future(alone)
        if changed_future is None:
            continue
        changed, steps = changed_future
        before, after = task.forward(network, alone), task.forward(network, changed)
        measured.append(_compared(after[:, steps], before[:, steps], f"item {item}: "))
    return _worst(measured) if measured else None


def _finite_gradients(network: nn.Module, task: Task, part: Part, items: Tensor) -> Measured:
    batch = gather(part, items, "post", torch.float64)
    network.zero_grad()
    task.training_loss(task.forward(network, batch), batch).backward()
    infinite = [
        name
        for name, value in network.named_parameters()
        if value.grad is not None and not bool(value.grad.isfinite().all())
    ]
    fault = f"the gradient of {', '.join(infinite)} is not finite" if infinite else ""
    return Measured(not infinite, len(infinite), fault)


def _single_items(part: Part, items: Tensor) -> Iterator[tuple[int, Batch]]:
    for item in items:
        batch = gather(part, item[None], "post", torch.float64)
        yield int(item), replace(batch, mask=None)


def _compared(outputs: Tensor, expected: Tensor, where: str = "") -> Measured:
    """Whether outputs are equal up to rounding.

    Args:
        outputs, expected: computed in two ways.
        where: prefix of the fault.
    """
    if outputs.shape != expected.shape:
        shapes = f"shape {tuple(outputs.shape)}, must be {tuple(expected.shape)}"
        return Measured(False, None, where + shapes)
    if not bool(outputs.isfinite().all()):
        return Measured(False, None, f"{where}outputs are not finite")
    difference = float((outputs - expected).abs().max()) if outputs.numel() else 0.0
    if not difference <= TOLERANCE:
        return Measured(False, difference, f"{where}outputs differ by {difference:.3g}")
    return Measured(True, difference, "")


def _worst(measured: list[Measured]) -> Measured:
    """The measurement with the largest difference; None is the largest."""
    return max(
        measured,
        key=lambda m: float("inf") if m.value is None else m.value,
        default=NOTHING_COMPARED,
    )
