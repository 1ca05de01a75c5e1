"""Baselines' predictions of single items: what their metrics are of, in the order of the network's.

The paired bootstrap of a run's verdict needs both.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from test_properties import NAMES, experiment, folder, prepared_for, sources

from rnnkit.tasks import predictions_of, task_for
from rnnkit.tasks.baselines import predictions, score
from rnnkit.tasks.predictions import MEASURES, RISES_WITH
from rnnkit.training.evaluate import evaluate

__all__ = ["folder", "sources"]  # fixtures


@pytest.mark.parametrize("name", NAMES)
def test_items_of_every_baseline_have_its_score_and_are_those_of_the_network(
    name: str, sources: Any, folder: Path
) -> None:
    it = experiment(name, sources)
    prepared = prepared_for(it, folder)
    task, split = task_for(it.task, prepared), prepared.splits["test"]
    network = task.network(it.model, torch.Generator().manual_seed(0))
    scores = evaluate(network, task, split, it, predictions=True)
    assert scores.predictions is not None
    ours, metric = predictions_of(it, scores.predictions), task.shown[0]
    measure = RISES_WITH.get(metric, metric)
    beside = score(task, prepared, split)
    deciding = {name: metrics for name, metrics in beside.items() if metric in metrics}
    assert deciding
    for metrics in deciding.values():
        theirs = predictions(task, split, metrics)
        assert theirs is not None
        items = [side.measured(measure).items for side in (ours, theirs)]
        assert items[0].index.equals(items[1].index)
        for found, expected in zip(items, (scores.metrics, metrics), strict=True):
            terms = found.drop(columns="source", errors="ignore").to_numpy().T
            value = MEASURES[measure].of(terms.sum(axis=1))
            assert float(value) == pytest.approx(expected[RISES_WITH.get(metric, metric)], rel=1e-5)
