"""Baselines of memory problems."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import AnswerMeter, Metrics
from rnnkit.params.task import Memory
from rnnkit.tasks.memory.problems import COPIED, NEAR


def constant_answer(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Always the same answer: the most frequent one of the training part, or its mean.

    The loss is that of one number, of one distribution over classes, or, where there is an answer
    at every step, of the next symbol given the last one alone: what can be had without a memory.
    """
    train = prepared.parts["train"]
    known, asked = answers(task.params, train), answers(task.params, part)
    meter = AnswerMeter()
    if task.params.numbers:
        mean = known.double().mean()
        meter.update((asked - mean).abs() < NEAR)
        return {**meter.compute(), "loss": float((asked - mean).square().mean())}
    meter.update(asked == torch.bincount(known, minlength=task.outputs).argmax())
    counts = torch.ones(
        len(prepared.fitted.inputs.vocabulary or ()), task.outputs, dtype=torch.float64
    )
    synced = train.synced
    before = train.all_inputs if synced else torch.zeros_like(known)
    ones = torch.ones(len(before), dtype=torch.float64)
    counts.index_put_((before, train.all_targets), ones, accumulate=True)
    nats = -(counts / counts.sum(dim=1, keepdim=True)).log()
    scored = part.all_inputs if synced else torch.zeros_like(asked)
    return {**meter.compute(), "loss": float(nats[scored, part.all_targets].mean())}


def answers(task: Memory, part: Part) -> Tensor:
    """What is asked for, of all items of a split, one after the other: sums or labels."""
    if task.topology == "many_to_one":
        return part.targets[part.target_start].flatten()
    ends = part.target_start + part.target_length
    if task.problem == "embedded_reber":
        return part.targets[ends - 2]
    return part.targets[(ends[:, None] - COPIED) + torch.arange(COPIED)].flatten()
