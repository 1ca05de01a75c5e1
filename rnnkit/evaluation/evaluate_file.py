"""A finished run's model on a file that it has not seen, with the truth, beside the baselines."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnkit.data import sources
from rnnkit.data.prepare import data_sha256, prepare
from rnnkit.data.prepare.new_inputs import unseen, with_references
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.store import load as load_prepared
from rnnkit.data.prepare.transcription import joined
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import network_name, verdict
from rnnkit.inference import predict
from rnnkit.params import Experiment
from rnnkit.params.data import Fractions, Given
from rnnkit.params.experiment import as_written
from rnnkit.params.source import Frames, LabelledText, Pairs, Source, Text, Tokens, Vectors
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import verify_manifest
from rnnkit.tasks import baselines, task_for
from rnnkit.training.evaluate import evaluate

FOR_BUILTIN: Mapping[str, Callable[..., Source]] = {
    "labelled_text": LabelledText,
    "tagged": Tokens,
    "text": Text,
    "pairs": Pairs,
}
"""How a file is read for a run whose own data came built in."""


def rescore(run: RunFolder, path: str, home: Path) -> dict[str, Any]:
    """Scores a run's model on a file.

    Args:
        run: finished.
        path: the file, of the same kind as the run's own.
        home: the output folder, where the run's prepared data lie: the baselines and the errors'
            scale are of the training part. Where they are gone they are prepared again.

    Returns:
        network, test, baselines, shown, verdict, counted, as `conclude`, items, and notes on what
        was changed when the file was read.

    Raises:
        InputError: the file cannot be read as the run's own data, or has labels the network does
            not know; or the run's data are gone and their source has changed.
    """
    predictor = predict.load(run.path)
    experiment = predictor.experiment
    source = _source(experiment.data.source, path, predictor.prepared)
    given = isinstance(experiment.data.split, Given)
    try:
        frame = sources.read(source, experiment.data.split if given else Fractions())
    except InputError as error:
        if "data.source" not in str(error) and "set `" not in str(error):
            raise
        own = as_written(source.model_dump(mode="json", exclude_defaults=True))
        raise InputError(f"{error}; it is read as the run's own data were, {own}") from None
    if given:
        frame = frame[frame["part"] == "test"].reset_index(drop=True)
    notes = list(frame.attrs.get("notes", []))
    join = getattr(experiment.data.source, "join", None)
    if join is not None:  # drawn as the run's own test part was
        singles = len(frame)
        frame, _ = joined(frame, {"test": np.arange(singles)}, join)
        notes.append(f"{len(frame):,} strings were joined from {singles:,} recordings")
    prepared = _trained_on(run, experiment, home)
    part = unseen(frame, experiment.data, experiment.task, prepared, predictor.tokenizer)
    if experiment.task.kind in ("classification", "tagging"):
        whole = torch.diff(part.input_start, append=torch.tensor([len(part.inputs)]))
        if cut := int((part.input_length < whole).sum()):
            notes.append(f"items cut at data.max_length: {cut:,}")
    prepared = with_references(prepared, frame, experiment.data)
    task = task_for(experiment.task, prepared)
    scores = evaluate(predictor.network, task, part, experiment, predictions=True)
    beside = baselines.score(task, prepared, part)
    return {
        "network": network_name(experiment),
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
        return load_prepared(place)
    if data_sha256(experiment.data, experiment.task) != sha256:
        raise InputError(
            f"{run.id}: its prepared data are gone, and its source has changed since; give it back "
            "as it was, or run the experiment again"
        )
    return prepare(experiment.data, experiment.task, home)


def _source(own: Source, path: str, prepared: Prepared) -> Source:
    """The file as a source like a run's own; of numbers it is to have the columns that were read,
    by their names."""
    if isinstance(own, Frames | Vectors):
        assert prepared.scaler is not None
        columns = prepared.scaler.columns[: prepared.features]
        return own.model_copy(update={"path": path, "columns": columns})
    if own.kind == "generated":
        raise InputError("drawn sequences come from no file; draw others in a new run")
    if own.kind != "builtin":
        return own.model_copy(update={"path": path})
    if own.form not in FOR_BUILTIN:
        raise InputError(
            f"this run's data, {own.form}, came built in, and no file is read like them; "
            "train on a file of your own"
        )
    return FOR_BUILTIN[own.form](path=path)
