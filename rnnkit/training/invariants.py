"""What every network must keep on its own data, measured: `rnnkit check --deep`.

    determinism          the same output twice
    batch_invariance     the same output alone, in a batch, pre- or post-padded
    padding_invariance   values at padded steps have no effect
    causality            output t does not depend on inputs after t
    finite_gradients     every gradient is finite

The tests hold the cells that come with rnnkit to these; the command does it for a user's own.
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

ITEMS = 6
TOLERANCE = 1e-12
"""Largest difference of float64 outputs that must be equal: rounding."""

INVARIANTS: Mapping[str, str] = {
    "determinism": "same output twice",
    "batch_invariance": "same output alone, in a batch, pre- or post-padded",
    "padding_invariance": "values at padded steps have no effect",
    "causality": "output t does not depend on inputs after t",
    "finite_gradients": "every gradient is finite",
}
"""Key -> what it means."""


@dataclass(frozen=True)
class Measured:
    """An invariant on some training items.

    Args:
        holds: whether the network keeps it.
        value: the largest difference between outputs that must be equal; of finite_gradients, how
            many parameters have a gradient that is not finite. None: no number, outputs have
            another shape or are not finite.
        fault: what breaks it, or nothing.
    """

    holds: bool
    value: float | None
    fault: str


NOTHING_COMPARED = Measured(True, 0.0, "")


def guards(experiment: Experiment, prepared: Prepared) -> dict[str, Measured | None]:
    """Every invariant by its key; None: it does not apply, as causality of a network that reads in
    both directions."""
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task).double().eval()
    part = prepared.parts["train"]
    order = part.input_length.argsort(stable=True)
    several = order[torch.linspace(0, len(part) - 1, min(ITEMS, len(part))).long()].unique()
    return {
        "determinism": _determinism(network, task, part, several),
        "batch_invariance": _batch_invariance(network, task, part, several),
        "padding_invariance": _padding_invariance(network, task, part, several),
        "causality": _causality(network, task, experiment, part, several),
        "finite_gradients": _finite_gradients(network, task, part, several),
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
        for row, (item, alone) in enumerate(_each(part, items)):
            own = outputs[row] if real.ndim == 1 else outputs[row][real[row]]
            expected = task.forward(network, alone)[0]
            measured.append(_compared(own, expected, f"item {item}, {padding}-padded: "))
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
    for item, alone in _each(part, items):
        other = task.other_future(alone)
        if other is None:
            continue
        changed, steps = other
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


def _each(part: Part, items: Tensor) -> Iterator[tuple[int, Batch]]:
    for item in items:
        batch = gather(part, item[None], "post", torch.float64)
        yield int(item), replace(batch, mask=None)


def _compared(outputs: Tensor, expected: Tensor, where: str = "") -> Measured:
    """Whether outputs are equal but for rounding.

    Args:
        outputs, expected: the same, computed in two ways.
        where: what the fault begins with.
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
    """The largest difference; one without a number is worse than any."""
    return max(
        measured,
        key=lambda one: float("inf") if one.value is None else one.value,
        default=NOTHING_COMPARED,
    )
