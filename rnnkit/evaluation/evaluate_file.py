"""A finished run's model on a file that it has not seen, with the truth, beside the baselines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import verdict
from rnnkit.inference import predict
from rnnkit.nn.model.network import describe
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import verify_manifest
from rnnkit.tasks import baselines, load_prepared, prepare, task_for
from rnnkit.training.evaluate import evaluate


def evaluate_file(run: RunFolder, path: str, home: Path) -> dict[str, Any]:
    """Scores a run's model on a file.

    Args:
        run: finished.
        path: the file, of the same kind as the run's own.
        home: the output folder, where the run's prepared data lie: the baselines and the errors'
            scale are of the training part. Where they are gone they are prepared again.

    Returns:
        network, test, baselines, shown, verdict, counted, as `finalize`, items, and notes on what
        was changed when the file was read.

    Raises:
        InputError: the file cannot be read as the run's own data, or has labels the network does
            not know; or the run's data are gone and their source has changed.
    """
    predictor = predict.load(run.path)
    experiment, fitted = predictor.experiment, predictor.prepared.fitted
    split = experiment.data.split
    frame = sources.read_file(experiment.data.source, path, fitted.columns, split)
    notes = list(frame.attrs.get("notes", []))
    frame, how = fitted.drawn(frame)
    rows = np.arange(len(frame))
    part = fitted.encode(frame, rows, "new")
    references, read = fitted.texts(frame, rows)
    notes += how
    if cut := fitted.cut(part):
        notes.append(f"items cut at data.max_length: {cut:,}")
    prepared = replace(_trained_on(run, experiment, home), references=references, sources=read)
    task = task_for(experiment.task, prepared)
    scores = evaluate(predictor.network, task, part, experiment, predictions=True)
    beside = baselines.score(task, prepared, part)
    return {
        "network": describe(experiment.model, task.topology),
        "test": scores.metrics,
        "baselines": beside,
        "shown": task.shown,
        "verdict": verdict(task, scores.metrics, beside),
        "counted": {name: how for name, how in scores.counted.items() if name in task.shown},
        "items": len(part),
        "notes": notes,
    }


def _trained_on(run: RunFolder, experiment: Experiment, home: Path) -> Prepared:
    """The run's data as they were, though its source may have grown since."""
    sha256 = run.result["prepared"]
    place = home / "prepared" / sha256
    if place.exists() and not verify_manifest(place):
        return load_prepared(place, experiment.data, experiment.task)
    if data_sha256(experiment.data, experiment.task) != sha256:
        raise InputError(
            f"{run.id}: its prepared data are gone, and its source has changed since; give it back "
            "as it was, or run the experiment again"
        )
    return prepare(experiment.data, experiment.task, home)
