"""The probe: a fixed batch of training items, on which a network is measured during training."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch, gather
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import streams
from rnnkit.diagnose.gradient import through_time
from rnnkit.diagnose.recording import REVERSE, Recorder, real_steps
from rnnkit.diagnose.spectrum import spectrum, units
from rnnkit.params import Experiment
from rnnkit.runtime import numerics
from rnnkit.tasks import Task, task_for

ITEMS = 32
"""Items of the probe, or fewer where they are long or have many outputs."""
MAX_STEPS = 1000
"""Longer items are left out, unless all are longer."""
MAX_NUMBERS = 4_000_000
"""Outputs or states of all steps of the probe, so that memory and time stay small."""


class Probe:
    """A network of its own in float64, and the items on which it is measured.

    Args:
        experiment: the trained one.
        prepared: its data; the items are of the training split.
    """

    def __init__(self, experiment: Experiment, prepared: Prepared) -> None:
        self.task = task_for(experiment.task, prepared)
        weights = numerics.generator(experiment.seed, "weights")
        self.network = self.task.network(experiment.model, weights).double().eval()
        self.batch = probe_batch(experiment, self.task)

    def measure(self, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """The gradient through time and the spectrum of these weights, JSON-able; empty for
        networks without recurrence.

        Returns: `gradient`, series -> `Curve.to_json`; `cells`, series -> `units`, and in `gates`
            also the `spectrum`; `depends`, steps between an output and what it depends on, as
            `depends_on`.
        """
        self.network.load_state_dict(weights)
        curves, recorders = through_time(self.network, self.task, self.batch)
        cells = {}
        for name, recorder in recorders.items():
            measured = units(recorder, real_steps(name, self.batch))
            gates = spectrum(recorder.cell)
            for gate, values in measured.pop("gates", {}).items():
                gates[gate] |= values
            cells[name] = _rounded({**measured, "gates": gates})
        if not curves:
            return {}
        gradient = {name: curve.to_json() for name, curve in curves.items()}
        depends = depends_on(self.task, self.batch, recorders)
        return {"gradient": gradient, "cells": cells, "depends": depends}


def depends_on(task: Task, batch: Batch, recorders: Mapping[str, Recorder]) -> float | None:
    """Mean steps between an output and what it depends on: of a memory problem as it says, with one
    output for each sequence half of its steps to the nearer end if it is read from both, else all.
    None: not known."""
    lags = task.answer_lag(batch)
    if lags is not None:
        return float(lags.double().mean())
    if task.real(batch).ndim == 2 or task.synced:
        return None
    steps = float(len(next(iter(recorders.values())).after))
    if batch.mask is not None:
        steps = float(batch.mask.sum(dim=1).double().mean())
    return steps / 2 if any(name.endswith(REVERSE) for name in recorders) else steps


def probe_batch(experiment: Experiment, task: Task) -> Batch:
    """Items chosen by the seed; of an endless text windows of it, as in training."""
    split, model = task.prepared.splits["train"], experiment.model
    per_step = max(task.outputs if task.synced else 1, model.hidden * model.depth)
    draw = numerics.generator(experiment.seed, "probe")
    if experiment.task.carries_state:
        assert experiment.train.bptt is not None
        rows = _rows(experiment.train.bptt, per_step)
        return next(streams(split, rows, experiment.train.bptt)).batch
    short = (split.input_length <= MAX_STEPS).nonzero()[:, 0]
    usable = short if len(short) else split.input_length.argsort(stable=True)[:ITEMS]
    chosen = usable[torch.randperm(len(usable), generator=draw)[:ITEMS]]
    rows = _rows(int(split.input_length[chosen].max()), per_step)
    return gather(split, chosen[:rows], experiment.data.padding, torch.float64)


def _rows(steps: int, per_step: int) -> int:
    return max(2, min(ITEMS, MAX_NUMBERS // (steps * per_step)))


def _rounded(value: Any) -> Any:
    """Six digits; the journal is no place for noise."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.6g}")
