"""Baselines of music."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.prepare.part import Part, positions
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics, NoteMeter


def independent_keys(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Each key sounds as often as in the training part, whatever came before."""
    sounding = _frames(prepared.parts["train"], "target")
    probabilities = (sounding.sum(dim=0) + 1) / (len(sounding) + 2)
    truth = _frames(part, "target")
    return _notes(probabilities.expand_as(truth), truth)


def each_key_by_itself(task: Any, prepared: Prepared, part: Part) -> Metrics:
    """Each key sounds as often as in the training part after a frame in which it did, or did not.

    Counts begin at one.
    """
    train = prepared.parts["train"]
    before, sounding = _frames(train, "input"), _frames(train, "target")
    on = ((before * sounding).sum(dim=0) + 1) / (before.sum(dim=0) + 2)
    off = (((1 - before) * sounding).sum(dim=0) + 1) / ((1 - before).sum(dim=0) + 2)
    probabilities = torch.where(_frames(part, "input") > 0, on, off)
    return _notes(probabilities, _frames(part, "target"))


def _frames(part: Part, which: str) -> Tensor:
    """[frames, keys] all input or target frames of a part's pieces, one piece after the other."""
    if which == "input":
        return part.inputs[positions(part.input_start, part.input_length)].double()
    return part.targets[positions(part.target_start, part.target_length)].double()


def _notes(probabilities: Tensor, truth: Tensor) -> Metrics:
    meter = NoteMeter()
    meter.update(probabilities > 0.5, truth)
    loss = -float(torch.where(truth > 0, probabilities, 1 - probabilities).log().sum(dim=1).mean())
    return {**meter.compute(), "loss": loss}
