"""A network on a part of the data: its metrics, and its predictions as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas
import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch, gather, plan
from rnnkit.data.prepare.part import Part
from rnnkit.data.windows import is_carried, streams
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import Synced
from rnnkit.params.block import FrozenDict
from rnnkit.params.experiment import Experiment
from rnnkit.tasks import Task


@dataclass(frozen=True)
class Scores:
    """What an evaluation gives."""

    metrics: Metrics
    predictions: pandas.DataFrame | None
    counted: Mapping[str, str] = FrozenDict()
    """How a metric was counted, where that has a name: sacreBLEU's signature."""


STREAM = 1_000
"""Steps of a carried text that are run at once; the scores do not depend on it."""


@torch.no_grad()
def evaluate(
    network: nn.Module, task: Task, part: Part, experiment: Experiment, predictions: bool
) -> Scores:
    """Scores a network on a part.

    Args:
        network: what `task.network` built; its training mode is left as it was.
        task: decides loss, metrics and columns.
        part: the examples.
        experiment: gives the batch size and the side of the padding.
        predictions: whether the table of predictions is wanted too; then this is the last word,
            and what is written is sought with the task's beam.
    """
    was_training = network.training
    network.eval()
    meter = task.meter()
    total, weight = 0.0, 0.0
    columns: dict[str, list[Any]] = {}
    for batch, outputs in _outputs(network, task, part, experiment):
        answers = task.decode(network, batch, outputs, predictions)
        task.measure(meter, answers, batch)
        total += float(task.loss(outputs, batch)) * task.weight(batch)
        weight += task.weight(batch)
        if predictions:
            for name, values in task.predictions(answers, batch).items():
                columns.setdefault(name, []).extend(values)
    network.train(was_training)
    metrics = {**meter.compute(), "loss": total / weight}
    table = task.whole(pandas.DataFrame(columns)) if predictions else None
    if table is not None:
        keys = list(table.columns[:2])[: 1 if "item" in table else 2]
        table = table.sort_values(keys, kind="stable")  # several rows of an item keep their order
    counted = {
        name: ", ".join([how, *(f"texts {change}" for change in experiment.data.altered)])
        for name, how in getattr(meter, "counted", FrozenDict()).items()
    }
    return Scores(metrics, None if table is None else table.reset_index(drop=True), counted)


def _outputs(
    network: nn.Module, task: Task, part: Part, experiment: Experiment
) -> Iterator[tuple[Batch, Tensor]]:
    """Every item once; a text whose state is carried as one stream, from its first token on."""
    if not is_carried(experiment):
        for indices in plan(part, experiment.train.batch_size, None):
            batch = gather(part, indices, experiment.data.padding, torch.float32)
            yield batch, task.forward(network, batch)
        return
    assert isinstance(network, Synced)
    states = None
    for window in streams(part, 1, STREAM):
        batch = window.batch
        outputs, states = network.run(batch.inputs, batch.mask, states, True, "auto")
        yield batch, outputs
