"""Evaluate a finished run's model, and the baselines, on a new labelled file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import scored
from rnnkit.inference import predict
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import verify_manifest
from rnnkit.tasks import load_prepared, prepare, task_for


def evaluate_file(run: RunFolder, path: str, home: Path) -> dict[str, Any]:
    """Score a run's model on a file.

    Args:
        run: finished.
        path: a file in the format of the run's data.
        home: the output folder with the run's prepared data; baselines and scaled errors use the
            training split. Missing data are prepared again.

    Returns:
        the keys of `scored`; items; notes on changes made while reading the file.

    Raises:
        InputError: the file cannot be read like the run's data, or has unknown labels; or the
            run's data are missing and their source has changed.
    """
    predictor = predict.load(run.path)
    experiment, fitted = predictor.experiment, predictor.prepared.fitted
    data = experiment.data
    frame = sources.read_file(data.source, path, fitted.columns, data.split)
    notes = list(frame.attrs.get("notes", []))
    frame, drawn_notes = fitted.items_to_score(frame)
    rows = np.arange(len(frame))
    part = fitted.encode(frame, rows, "new")
    references, texts = fitted.texts(frame, rows)
    notes += drawn_notes
    if cut := fitted.cut(part):
        notes.append(f"items cut at data.max_length: {cut:,}")
    sha256 = run.result["prepared"]
    place = home / "prepared" / sha256
    if place.exists() and not verify_manifest(place):
        trained_on = load_prepared(place, data, experiment.task)
    elif data_sha256(data, experiment.task) == sha256:
        trained_on = prepare(data, experiment.task, home)
    else:
        raise InputError(
            f"{run.id}: its prepared data are gone, and its source has changed since; give it back "
            "as it was, or run the experiment again"
        )
    notes += fitted.metric_notes(trained_on.splits["train"], {"the file": part})
    prepared = replace(trained_on, references=references, sources=texts)
    task = task_for(experiment.task, prepared)
    result, _ = scored(predictor.network, task, experiment, prepared, part)
    return {**result, "items": len(part), "notes": notes}
