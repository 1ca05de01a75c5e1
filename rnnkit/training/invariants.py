"""Whether a network does on its own data what every network here must: `rnnkit check --deep`.

What is right for the cells that come with rnnkit is shown by its tests; this holds a user's own
cell to the same.
"""

from collections.abc import Iterator
from dataclasses import replace
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
NEAR = 1e-12
"""Of float64 outputs that must be equal."""


def guards(experiment: Experiment, prepared: Prepared) -> dict[str, str | None]:
    """The guards by name, each with an empty text if it holds, or with what was found; None: the
    network is of another form, as one that reads in both directions."""
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task).double().eval()
    part = prepared.parts["train"]
    order = part.input_length.argsort(stable=True)
    several = order[torch.linspace(0, len(part) - 1, min(ITEMS, len(part))).long()].unique()
    return {
        "twice the same": _twice(network, task, part, several),
        "alone as in company, padded behind or before": _company(network, task, part, several),
        "nothing comes of what lies under the padding": _under(network, task, part, several),
        "no step knows what comes after it": _causal(network, task, experiment, part, several),
        "every gradient is finite": _gradients(network, task, part, several),
    }


def _twice(network: nn.Module, task: Task, part: Part, items: Tensor) -> str:
    batch = gather(part, items, "post", torch.float64)
    with torch.no_grad():
        return _same(task.forward(network, batch), task.forward(network, batch))


def _company(network: nn.Module, task: Task, part: Part, items: Tensor) -> str:
    sides: tuple[Literal["post", "pre"], ...] = ("post", "pre")
    for padding in sides:
        together = gather(part, items, padding, torch.float64)
        with torch.no_grad():
            outputs = task.forward(network, together)
            for row, (item, alone) in enumerate(_each(part, items)):
                expected = task.forward(network, alone)[0]
                real = task.real(together)
                own = outputs[row] if real.ndim == 1 else outputs[row][real[row]]
                if found := _same(own, expected):
                    return f"item {item}, padded {padding}: {found}"
    return ""


def _under(network: nn.Module, task: Task, part: Part, items: Tensor) -> str:
    batch = gather(part, items, "post", torch.float64)
    if batch.mask is None:
        return ""
    inputs = batch.inputs.clone()
    inputs[~batch.mask] = 7.25 if inputs.is_floating_point() else 1
    with torch.no_grad():
        before = task.forward(network, batch)
        after = task.forward(network, replace(batch, inputs=inputs))
    real = task.real(batch)
    return _same(after[real], before[real])


def _causal(
    network: nn.Module, task: Task, experiment: Experiment, part: Part, items: Tensor
) -> str | None:
    if experiment.model.bidirectional and task.synced:
        return None
    for item, alone in _each(part, items):
        other = task.other_future(alone)
        if other is None:
            continue
        changed, steps = other
        with torch.no_grad():
            before, after = task.forward(network, alone), task.forward(network, changed)
        if fault := _same(after[:, steps], before[:, steps]):
            return f"item {item}: {fault}"
    return ""


def _gradients(network: nn.Module, task: Task, part: Part, items: Tensor) -> str:
    batch = gather(part, items, "post", torch.float64)
    network.zero_grad()
    task.training_loss(task.forward(network, batch), batch).backward()
    for name, value in network.named_parameters():
        if value.grad is not None and not bool(value.grad.isfinite().all()):
            return f"that of {name} is not"
    return ""


def _each(part: Part, items: Tensor) -> Iterator[tuple[int, Batch]]:
    for item in items:
        batch = gather(part, item[None], "post", torch.float64)
        yield int(item), replace(batch, mask=None)


def _same(found: Tensor, expected: Tensor) -> str:
    if found.shape != expected.shape:
        return f"the shape is {tuple(found.shape)} and must be {tuple(expected.shape)}"
    if not bool(found.isfinite().all()):
        return "outputs are not finite"
    difference = float((found - expected).abs().max()) if found.numel() else 0.0
    return "" if difference <= NEAR else f"outputs differ by {difference:.3g}"
