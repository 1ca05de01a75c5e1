"""Linear probe: how well the targets can be read from each layer by a linear map.

    W = argmin ‖X W - Y‖² + λ n ‖W‖²

X are the hidden states of a layer, standardized, with a constant; Y are the targets, labels as
one-hot vectors. The map is fitted on training items and scored on test items, by the accuracy of
the largest output, or by R² of numbers. Row `inputs` has what the first layer reads: the vectors of
the step, or their mean over the item where there is one target.

Reference: G. Alain, Y. Bengio, Understanding intermediate layers using linear classifier probes,
arXiv:1610.01644, 2016.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch, gather
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.diagnose.recording import REVERSE, Recorder, recording
from rnnkit.diagnose.subject import Subject
from rnnkit.runtime import numerics

PROBE = "linear_probe"
"""Name of the measurement."""
RIDGE = 1e-3
ITEMS: Mapping[str, Mapping[str, int]] = {
    "steps": {"train": 32, "test": 16},
    "end": {"train": 256, "test": 128},
}
"""Where the loss is -> split -> items."""
MAX_STEPS = 256
"""Longer items are left out."""
MAX_CLASSES = 64
"""Labels that are distinguished; rarer ones count as one."""
MIN_TARGETS = 32


@torch.no_grad()
def measure(subject: Subject) -> Mapping[str, Any]:
    """The scores of the layers.

    Returns: measure: accuracy or r2; layers: name -> score; constant: the score without any input;
        targets: of the test items. Empty where the loss is at no known place, targets are
        sequences of their own, or there are too few.
    """
    splits = subject.prepared.splits
    if subject.task.loss_at is None or splits["train"].is_sequence_to_sequence:
        return {}
    sides = {name: _states(subject, splits[name], name) for name in ("train", "test")}
    (fitted_on, known), (scored_on, asked) = sides["train"], sides["test"]
    if min(len(known), len(asked)) < MIN_TARGETS or not fitted_on:
        return {}
    known, asked = _classes(known, asked)
    layers = {
        name: round(_score(fitted_on[name], known, scored_on[name], asked), 4) for name in fitted_on
    }
    is_number = known.is_floating_point()
    return {
        "measure": "r2" if is_number else "accuracy",
        "layers": layers,
        "constant": 0.0 if is_number else float((asked == known.mode().values).float().mean()),
        "targets": len(asked),
    }


def _states(subject: Subject, split: EncodedSplit, name: str) -> tuple[dict[str, Tensor], Tensor]:
    """[targets, units] of each layer, and the targets."""
    place = str(subject.task.loss_at)
    usable = (split.input_length <= MAX_STEPS).nonzero()[:, 0]
    draw = numerics.generator(subject.experiment.seed, "linear probe", name)
    order = torch.randperm(len(usable), generator=draw)[: ITEMS[place][name]]
    if not len(order):
        return {}, torch.empty(0)
    batch = gather(split, usable[order], "post", torch.float32)
    with recording(subject.network) as recorders:
        subject.task.forward(subject.network, batch)
    rows = len(batch.inputs)
    kept = {name: r for name, r in recorders.items() if r.after and len(r.after[0].h) == rows}
    steps = batch.inputs.shape[1]
    if not kept or any(len(recorder.after) != steps for recorder in kept.values()):
        return {}, torch.empty(0)  # segments, or a series for each channel
    mask = torch.ones(batch.inputs.shape[:2]).bool() if batch.mask is None else batch.mask
    layers: dict[str, list[Tensor]] = {"inputs": [_read(kept, mask, place)]}
    for series, recorder in kept.items():
        layer = series.removesuffix(REVERSE)
        is_reverse = series.endswith(REVERSE)
        layers.setdefault(layer, []).append(_given(recorder, mask, place, is_reverse))
    return {layer: torch.cat(states, 1) for layer, states in layers.items()}, _asked(
        batch, mask, place
    )


def _read(recorders: Mapping[str, Recorder], mask: Tensor, place: str) -> Tensor:
    """What the first layer reads: at each real step, or its mean over them."""
    first = next(iter(recorders.values()))
    read = torch.stack(first.inputs, 1)
    if place == "steps":
        return read[mask]
    return (read * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def _given(recorder: Recorder, mask: Tensor, place: str, is_reverse: bool) -> Tensor:
    """h at each real step, or after the last one in the order of processing."""
    states = torch.stack([state.h for state in recorder.after], 1)
    if place == "steps":
        return (states.flip(1) if is_reverse else states)[mask]
    if is_reverse:  # padding lies behind the items and is processed first
        return states[:, -1]
    return states[torch.arange(len(states)), mask.sum(1) - 1]


def _asked(batch: Batch, mask: Tensor, place: str) -> Tensor:
    """[targets] labels, or [targets, numbers]."""
    targets = batch.targets[mask] if place == "steps" else batch.targets
    if targets.is_floating_point():
        return targets.flatten(1) if targets.ndim > 1 else targets[:, None]
    return targets


def _classes(known: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
    """Labels below `MAX_CLASSES` + 1, those that are rare in training as the last one; numbers as
    they are."""
    if known.is_floating_point():
        return known, asked
    counts = torch.bincount(known, minlength=int(torch.cat([known, asked]).max()) + 1)
    rank = counts.argsort(descending=True, stable=True).argsort()
    return rank[known].clamp(max=MAX_CLASSES), rank[asked].clamp(max=MAX_CLASSES)


def _score(states: Tensor, known: Tensor, others: Tensor, asked: Tensor) -> float:
    """Accuracy or R² on the other states of a map that is fitted to the first."""
    mean, spread = states.double().mean(0), states.double().std(0).clamp(min=1e-8)
    fitted_on, scored_on = ((side.double() - mean) / spread for side in (states, others))
    is_number = known.is_floating_point()
    wanted = known.double() if is_number else torch.nn.functional.one_hot(known).double()
    center = wanted.mean(0)
    unit = RIDGE * len(states) * torch.eye(states.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(fitted_on.T @ fitted_on + unit, fitted_on.T @ (wanted - center))
    outputs = scored_on @ weights + center
    if not is_number:
        return float((outputs.argmax(1) == asked).double().mean())
    errors = (outputs - asked.double()).square().sum()
    total = (asked.double() - asked.double().mean(0)).square().sum()
    return float(1 - errors / total.clamp(min=1e-12))
