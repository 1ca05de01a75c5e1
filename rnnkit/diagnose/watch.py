"""Measure a training as it goes on: at the start, after epochs and at the end, into its journal.

The measurements use networks of their own, with copies of the weights, so that a training that is
watched has the bits of one that is not.
"""

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.diagnose.not_finite import describe_refusal
from rnnkit.diagnose.probe import Probe
from rnnkit.errors import Note
from rnnkit.nn.model.stack import Stack
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import DIAGNOSIS, NOT_FINITE, RunFolder
from rnnkit.training.state import Epoch, Refused, Step
from rnnkit.training.trainer import make_network

COST = 0.03
"""Fraction of the training's time for measurements, by the estimate of `epochs_between`."""
MAX_LINES = 200
"""Approximate number of measurements of a training."""
STEP_SECONDS, KERNEL_SECONDS = 2.5e-4, 2e-5
"""Estimated time of one step of a cell, forward and backward: recorded, and by a fast kernel."""
FLOPS = 1e10
"""Estimated operations per second in float32; half of it in float64."""

Record = Step | Refused | Epoch


class Watch:
    """Measures a training and appends records of the kinds "diagnosis" and "not_finite".

    Args:
        folder: the training's.
        experiment: the trained one.
        prepared: its data.
    """

    def __init__(self, folder: RunFolder, experiment: Experiment, prepared: Prepared) -> None:
        self._folder, self._experiment = folder, experiment
        self._probe = Probe(experiment, prepared)
        self._every = epochs_between(experiment, prepared, self._probe)
        self._prepared = prepared

    def records(self, training: Iterator[Record]) -> Iterator[Record]:
        """Pass on the records of a training, after what was measured on them is on disk."""
        self.complete(only_due=True)
        for record in training:
            if isinstance(record, Refused):
                self._describe(record)
            elif isinstance(record, Epoch) and (record.last or not record.epoch % self._every):
                for line in self._line(record.epoch, record.step, record.state.weights):
                    self._folder.append(DIAGNOSIS, **line)
            yield record

    def complete(self, only_due: bool = False) -> None:
        """Measure the start, the newest and the best epoch, and those that were due and have a
        checkpoint, where that is lacking.

        Args:
            only_due: only the start and what was due.
        """
        for line in self.lacking(only_due):
            self._folder.append(DIAGNOSIS, **line)

    def lacking(self, only_due: bool = False) -> Iterator[dict[str, Any]]:
        """As `complete`, without writing: the measurements, by epoch."""
        measured = {line["epoch"] for line in self._folder.records(DIAGNOSIS)}
        if 0 not in measured:
            network = make_network(self._experiment, self._probe.task)
            yield from self._line(0, 0, network.state_dict())
        checkpoints = sorted(self._folder.checkpoints.whole(), key=lambda c: c.position)
        ends = [c for c in checkpoints if c.facts.get("within") is None]
        # When checkpoints are written within an epoch, and so which others are kept, depends on the
        # clock.
        last = {ends[-1].position[0], ends[-1].facts["best_epoch"]} if ends else set()
        for checkpoint in ends:
            epoch, step = checkpoint.position
            is_due = not epoch % self._every or (epoch in last and not only_due)
            if is_due and epoch not in measured:
                yield from self._line(epoch, step, weights_of(checkpoint.tensors))
                measured.add(epoch)

    def _line(self, epoch: int, step: int, weights: dict[str, Tensor]) -> Iterator[dict[str, Any]]:
        """The measurement of these weights; none where there is nothing to measure."""
        try:
            measured = self._probe.measure(weights)
        except RuntimeError as error:  # a custom cell may need float32
            warnings.warn(f"not diagnosed: {error}", Note, stacklevel=2)
            return
        if measured:
            yield {"epoch": epoch, "step": step, **measured}

    def _describe(self, refused: Refused) -> None:
        if self._folder.records(NOT_FINITE):
            return
        task = self._probe.task
        self._folder.append(NOT_FINITE, **describe_refusal(self._experiment, task, refused))


def epochs_between(experiment: Experiment, prepared: Prepared, probe: Probe) -> int:
    """Epochs from one measurement to the next, by an estimate that is the same on every machine."""
    stacks = [module for module in probe.network.modules() if isinstance(module, Stack)]
    cells, hidden = sum(len(stack.cells) for stack in stacks), experiment.model.hidden
    rows, steps = probe.batch.inputs.shape[:2]
    weights = sum(_matrices(module) for module in probe.network.modules())
    gates = sum(len(stack.cell(name).gates) for stack in stacks for name in stack.cells)
    of_step = 6 * weights / FLOPS  # of one row, forward and backward
    measurement = steps * (cells * STEP_SECONDS + 2 * rows * of_step)
    measurement += 30 * gates * hidden**3 / FLOPS  # eigenvalues
    all_steps = int(prepared.splits["train"].input_length.sum())
    epoch = all_steps * (cells * KERNEL_SECONDS / experiment.train.batch_size + of_step)
    by_cost = measurement / (COST * epoch)
    return max(1, math.ceil(by_cost), math.ceil(experiment.train.epochs / MAX_LINES))


def _matrices(module: nn.Module) -> int:
    """Weights of a linear layer or of a stack's cells."""
    is_counted = isinstance(module, nn.Linear | Stack)
    own = module.parameters(recurse=isinstance(module, Stack)) if is_counted else ()
    return sum(value.numel() for value in own if value.ndim == 2)


def weights_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights among the tensors of a checkpoint."""
    prefix = "weights/"
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
