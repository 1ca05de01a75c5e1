"""Evaluate a network on a split: its metrics, and its predictions as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas
import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch, gather, plan
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.windows import streams
from rnnkit.errors import InputError
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import Synced
from rnnkit.params.block import FrozenDict
from rnnkit.params.experiment import Experiment
from rnnkit.tasks import Task, task_for


@dataclass(frozen=True)
class Scores:
    """The result of an evaluation."""

    metrics: Metrics
    predictions: pandas.DataFrame | None
    counted: Mapping[str, str] = FrozenDict()
    """How a metric was computed, if that has a name: sacreBLEU's signature."""


def with_monitor(experiment: Experiment, prepared: Prepared) -> Experiment:
    """The experiment with `train.monitor` set: where it is null, to the metric that decides the
    verdict.

    Raises:
        InputError: the monitored metric does not exist for the validation split.
    """
    if experiment.train.monitor is None:
        deciding = task_for(experiment.task, prepared).shown[0]
        experiment = experiment.replace({"train.monitor": f"valid/{deciding}"})
    splits = prepared.splits
    if "valid" not in splits:
        return experiment
    undefined = prepared.fitted.undefined(splits["train"], splits["valid"])
    if (name := experiment.monitored) in undefined:
        others = [
            f"valid/{metric}" for metric in experiment.task.metrics if metric not in undefined
        ]
        raise InputError(
            f"train.monitor: {experiment.monitor} does not exist for the validation split: "
            f"{undefined[name]}; choose one of {', '.join(others)}"
        )
    return experiment


STREAM_STEPS = 1_000
"""Steps per chunk of a text with carried state; the scores do not depend on it."""


@torch.no_grad()
def evaluate(
    network: nn.Module, task: Task, split: EncodedSplit, experiment: Experiment, predictions: bool
) -> Scores:
    """Score a network on a split; its training mode is restored.

    With `predictions` the table of predictions is returned, and sequences are decoded with the
    task's beam.
    """
    was_training = network.training
    network.eval()
    meter = task.meter()
    total, weight = 0.0, 0.0
    columns: dict[str, list[Any]] = {}
    for batch, outputs in evaluated_batches(network, task, split, experiment):
        answers = task.decode(network, batch, outputs, predictions)
        task.measure(meter, answers, batch)
        total += float(task.loss(outputs, batch)) * task.weight(batch)
        weight += task.weight(batch)
        if predictions:
            for name, values in task.predictions(answers, batch).items():
                columns.setdefault(name, []).extend(values)
    network.train(was_training)
    loss = {"loss": total / weight} if weight else {}  # no target has an output: it is undefined
    metrics = {**meter.compute(), **loss}
    table = None
    if predictions:
        table = task.whole(pandas.DataFrame(columns))
        keys = list(table.columns[:2])[: 1 if "item" in table else 2]
        # stable: rows of one item keep their order
        table = table.sort_values(keys, kind="stable", ignore_index=True)
    counted = {
        name: ", ".join([method, *(f"texts {change}" for change in experiment.data.text_changes)])
        for name, method in getattr(meter, "counted", FrozenDict()).items()
    }
    return Scores(metrics, table, counted)


@torch.no_grad()
def calibrate(network: nn.Module, task: Task, prepared: Prepared, experiment: Experiment) -> None:
    """Set the task's calibration by a trained network, if there is a validation split."""
    network.eval()
    if "valid" in prepared.splits:
        valid, test = (
            evaluated_batches(network, task, prepared.splits[name], experiment)
            for name in ("valid", "test")
        )
        task.calibrate(valid, test)


def evaluated_batches(
    network: nn.Module, task: Task, split: EncodedSplit, experiment: Experiment
) -> Iterator[tuple[Batch, Tensor]]:
    """Every item once, in batches; with carried state the text as one stream."""
    if not experiment.task.carries_state:
        for indices in plan(split, experiment.train.batch_size, None):
            batch = gather(split, indices, experiment.data.padding, torch.float32)
            yield batch, task.forward(network, batch)
        return
    assert isinstance(network, Synced)
    states = None
    for window in streams(split, 1, STREAM_STEPS):
        batch = window.batch
        outputs, states = network.run(batch.inputs, batch.mask, states, True, "auto")
        yield batch, outputs
