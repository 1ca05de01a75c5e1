"""Every measurement of a trained network, on every params file, shortened."""

import json
from pathlib import Path

import pytest
import torch
from example_params import FILES, experiment_of

from rnnkit.diagnose.judging import measure
from rnnkit.diagnose.subject import Subject
from rnnkit.report.fit_figures import fit_figures
from rnnkit.report.measured import sentences, tables
from rnnkit.tasks import predictions_of, prepare, task_for
from rnnkit.training.evaluate import evaluate, with_monitor

LARGER = {"python_docstrings": 500}
"""Files that need more than 300 items."""
MORE = {"digit_strings": {f"data.source.join.{split}": 12 for split in ("train", "valid", "test")}}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_measurement_is_json_and_can_be_shown(file: Path, tmp_path: Path) -> None:
    changes = {"tune": None, "data.limit": LARGER.get(file.stem, 300), **MORE.get(file.stem, {})}
    experiment = experiment_of(file, changes)
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    experiment = with_monitor(experiment, prepared)
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator().manual_seed(1)).eval()
    scores = evaluate(network, task, prepared.splits["test"], experiment, predictions=True)
    assert scores.predictions is not None
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predictions = predictions_of(experiment, scores.predictions)
    measured = measure(Subject(experiment, task, network, prepared, predictions))
    assert json.loads(json.dumps(measured))["fit"]["parameters"] > 0
    has_lags = task.loss_at is not None and int(prepared.splits["test"].input_length.max()) > 1
    assert ("memory_span" in measured) == has_lags
    assert set(fit_figures(experiment, [], measured)) <= {
        "memory_span",
        "calibration",
        "hidden_states",
    }
    assert len(sentences(experiment, [], measured)) == has_lags
    assert all(rows for _, rows in tables(measured))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
