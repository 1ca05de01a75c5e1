"""Of what a memory problem asks."""

import torch

from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.metrics import AnswerMeter, Metrics
from rnnkit.tasks.baselines.flat import inputs_of, targets_of
from rnnkit.tasks.memory import NEAR, Memory


def constant_answer(task: Memory, prepared: Prepared, part: Part) -> Metrics:
    """Always the same answer: the most frequent one of the training part, or its mean.

    The loss is that of one number, of one distribution over classes, or, where there is an answer
    at every step, of the next symbol given the last one alone: what can be had without a memory.
    """
    train = prepared.parts["train"]
    known, asked = task.answers(train), task.answers(part)
    meter = AnswerMeter()
    if task.params.numbers:
        mean = known.double().mean()
        meter.update((asked - mean).abs() < NEAR)
        return {**meter.compute(), "loss": float((asked - mean).square().mean())}
    meter.update(asked == torch.bincount(known, minlength=task.outputs).argmax())
    counts = torch.ones(len(prepared.vocabulary or ()), task.outputs, dtype=torch.float64)
    synced = train.synced
    before = inputs_of(train) if synced else torch.zeros_like(known)
    ones = torch.ones(len(before), dtype=torch.float64)
    counts.index_put_((before, targets_of(train)), ones, accumulate=True)
    nats = -(counts / counts.sum(dim=1, keepdim=True)).log()
    scored = inputs_of(part) if synced else torch.zeros_like(asked)
    return {**meter.compute(), "loss": float(nats[scored, targets_of(part)].mean())}
