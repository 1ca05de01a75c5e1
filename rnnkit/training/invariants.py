"""Invariants of every network, measured on its own data: `rnnkit check --deep`.

The tests check the cells of rnnkit; the command also checks a custom cell.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch, gather
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.nn.model.stack import use_kernel
from rnnkit.params import Experiment
from rnnkit.tasks import Task, task_for
from rnnkit.training.trainer import make_network

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
Run = Callable[[Batch], Tensor]
Items = dict[int, Batch]
"""By number, each alone and without padding."""


def measure_invariants(experiment: Experiment, prepared: Prepared) -> dict[str, Measured | None]:
    """Measure every invariant, by key; None: it does not apply, such as causality of a
    bidirectional network."""
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task).double().eval()
    use_kernel(network, experiment.train.kernel)
    run = partial(task.forward, network)
    split = prepared.splits["train"]
    order = split.input_length.argsort(stable=True)
    items = order[torch.linspace(0, len(split) - 1, min(CHECKED_ITEMS, len(split))).long()].unique()
    batch = gather(split, items, "post", torch.float64)
    other_side = gather(split, items, "pre", torch.float64)
    singles = [gather(split, item[None], "post", torch.float64) for item in items]
    alone = {int(item): replace(one, mask=None) for item, one in zip(items, singles, strict=True)}
    sees_future = task.synced and experiment.model.bidirectional
    with torch.no_grad():
        measured = {
            "determinism": _compared(run(batch), run(batch)),
            "batch_invariance": _batch_invariance(run, task, alone, post=batch, pre=other_side),
            "padding_invariance": _padding_invariance(run, task, batch),
            "causality": None if sees_future else _causality(run, task, alone),
        }
    return {**measured, "finite_gradients": _finite_gradients(network, task, batch)}


def _batch_invariance(run: Run, task: Task, alone: Items, **padded: Batch) -> Measured:
    measured = []
    for padding, together in padded.items():
        outputs, real = run(together), task.real(together)
        for row, (item, single) in enumerate(alone.items()):
            output = outputs[row] if real.ndim == 1 else outputs[row][real[row]]
            measured.append(_compared(output, run(single)[0], f"item {item}, {padding}-padded: "))
    return _worst(measured)


def _padding_invariance(run: Run, task: Task, batch: Batch) -> Measured:
    if batch.mask is None:
        return NOTHING_COMPARED
    inputs = batch.inputs.clone()
    inputs[~batch.mask] = 7.25 if inputs.is_floating_point() else 1
    real = task.real(batch)
    return _compared(run(replace(batch, inputs=inputs))[real], run(batch)[real])


def _causality(run: Run, task: Task, alone: Items) -> Measured | None:
    measured = []
    for item, single in alone.items():
        changed_future = task.other_future(single)
        if changed_future is not None:
            changed, steps = changed_future
            outputs, expected = run(changed)[:, steps], run(single)[:, steps]
            measured.append(_compared(outputs, expected, f"item {item}: "))
    return _worst(measured) if measured else None


def _finite_gradients(network: nn.Module, task: Task, batch: Batch) -> Measured:
    task.training_loss(task.forward(network, batch), batch).backward()
    infinite = [
        name
        for name, value in network.named_parameters()
        if value.grad is not None and not bool(value.grad.isfinite().all())
    ]
    fault = f"the gradient of {', '.join(infinite)} is not finite" if infinite else ""
    return Measured(not infinite, len(infinite), fault)


def _compared(outputs: Tensor, expected: Tensor, where: str = "") -> Measured:
    """Whether outputs computed in two ways are equal up to rounding; `where` begins the fault."""
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
    return max(measured, key=lambda m: math.inf if m.value is None else m.value)
