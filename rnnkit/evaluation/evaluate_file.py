"""Evaluate a finished run's model, and the baselines, on a new labelled file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.facts import alike_notes, cut_note, unseen_note
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import scored
from rnnkit.inference import predict
from rnnkit.params import Experiment
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
        the keys of `scored`; items; duplicates (train, valid: items of the file that are also in
        that split of the run; alike: in train, but for unknown tokens); notes on these and on
        changes made while reading the file.

    Raises:
        InputError: the file cannot be read like the run's data; or the run's data are missing and
            their source has changed.
    """
    predictor = predict.load(run.path)
    experiment, fitted = predictor.experiment, predictor.prepared.fitted
    data = experiment.data
    frame = sources.read_file(data.source, path, fitted.columns, data.split)
    notes = list(frame.attrs.get("notes", []))
    frame, drawn_notes = fitted.items_to_score(frame)
    rows = np.arange(len(frame))
    fitted = fitted.including_labels(fitted.labels_of(frame))
    part = fitted.encode(frame, rows, "new")
    references, texts = fitted.texts(frame, rows)
    notes += drawn_notes
    items, steps = fitted.cut(part)
    if items:
        notes.append(cut_note(path, items, steps, part.synced))
    if unseen := fitted.unseen(part):
        notes += [unseen_note(path, unseen), *alike_notes(fitted.all_labels)]
    trained_on = prepared_of(run, experiment, home)
    duplicates = _duplicates(fitted, part, trained_on)
    if any(duplicates.values()):
        alike = duplicates["alike"]
        notes.append(
            f"items that are also in the run's training split: {duplicates['train']:,}"
            f"{f' ({alike:,} more differ at most in unknown tokens)' if alike else ''}, in its "
            f"validation split: {duplicates['valid']:,}; on these the score is not one on new data"
        )
    notes += fitted.metric_notes(trained_on.splits["train"], {"the file": part})
    prepared = replace(
        trained_on,
        fitted=trained_on.fitted.including_labels(fitted.all_labels),
        references=references,
        sources=texts,
    )
    task = task_for(experiment.task, prepared)
    task.calibration = predictor.task.calibration
    result, _ = scored(predictor.network, task, experiment, prepared, part)
    return {**result, "items": len(part), "duplicates": duplicates, "notes": notes}


def prepared_of(run: RunFolder, experiment: Experiment, home: Path) -> Prepared:
    """The prepared data of a finished run, verified; missing or damaged data are prepared again.

    Args:
        run: finished.
        experiment: the trained one.
        home: the output folder.

    Raises:
        InputError: they would be prepared again, and their source has changed.
    """
    data, task = experiment.data, experiment.task
    sha256 = run.result["prepared"]
    place = home / "prepared" / sha256
    if place.exists() and not verify_manifest(place):
        return load_prepared(place, data, task)
    if data_sha256(data, task) == sha256:
        return prepare(data, task, home, sha256)
    raise InputError(
        f"{run.id}: its prepared data are gone or damaged, and its source has changed since; give "
        "it back as it was, or run the experiment again"
    )


def _duplicates(fitted: Fitted, part: EncodedSplit, trained_on: Prepared) -> dict[str, int]:
    """Numbers of the part's items that are also in the run's train and valid; alike: in train, but
    for unknown tokens."""
    train, valid = (set(fitted.contents(trained_on.splits[name])) for name in ("train", "valid"))
    contents = fitted.contents(part)
    return {
        "train": sum(is_certain and (digest, True) in train for digest, is_certain in contents),
        "valid": sum(is_certain and (digest, True) in valid for digest, is_certain in contents),
        "alike": sum(
            not is_certain and (digest, False) in train for digest, is_certain in contents
        ),
    }
