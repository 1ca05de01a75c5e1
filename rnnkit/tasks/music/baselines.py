"""Baselines of music."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics, NoteMeter
from rnnkit.tasks.predictions import Scored


def independent_keys(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Each key sounds as often as in the training split, whatever came before."""
    sounding = prepared.splits["train"].all_targets.double()
    probabilities = (sounding.sum(dim=0) + 1) / (len(sounding) + 2)
    truth = split.all_targets.double()
    return _notes(probabilities.expand_as(truth), truth)


def each_key_by_itself(task: Any, prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Each key sounds as often as in the training split after a frame in which it did, or did not.

    Counts begin at one.
    """
    train = prepared.splits["train"]
    before, sounding = train.all_inputs.double(), train.all_targets.double()
    on = ((before * sounding).sum(dim=0) + 1) / (before.sum(dim=0) + 2)
    off = (((1 - before) * sounding).sum(dim=0) + 1) / ((1 - before).sum(dim=0) + 2)
    probabilities = torch.where(split.all_inputs.double() > 0, on, off)
    return _notes(probabilities, split.all_targets.double())


def _notes(probabilities: Tensor, truth: Tensor) -> Metrics:
    meter = NoteMeter()
    meter.update(probabilities > 0.5, truth)
    logs = torch.where(truth > 0, probabilities, 1 - probabilities).log().sum(dim=1)
    return Scored(
        {**meter.compute(), "loss": -float(logs.mean())},
        lambda: {"log_probability": logs.numpy(), "frames": np.ones(len(logs))},
    )
