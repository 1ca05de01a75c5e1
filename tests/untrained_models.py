"""Models as they are before their first step, for tests of what they read."""

from pathlib import Path
from typing import Any

import torch

from rnnkit.inference.predict import Predictor
from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for


def untrained(
    folder: Path,
    source: dict[str, Any],
    task: str | dict[str, Any],
    tokenizer: str = "words",
    **data: Any,
) -> Predictor:
    """A model as it is before its first step."""
    kind = task if isinstance(task, str) else task["kind"]
    tree: dict[str, Any] = {
        "name": "x",
        "task": {"kind": task} if isinstance(task, str) else task,
        "data": {"source": source, "split": {"kind": "fractions", "valid": 0.2, "test": 0.2}},
    }
    if kind in ("music", "vector", "transcription", "forecasting") or source["kind"] in (
        "frames",
        "ts",
    ):
        tree["model"] = {"representation": {"kind": "raw"}}
    if kind in ("tagging", "transcription", "captioning", "translation") and source["kind"] not in (
        "frames",
        "ts",
    ):
        tree["data"]["tokenizer"] = {"kind": tokenizer}
    tree["data"] |= data
    experiment = Experiment.model_validate(tree)
    prepared = prepare(experiment.data, experiment.task, folder)
    network = task_for(experiment.task, prepared).network(experiment.model, torch.Generator())
    return Predictor(experiment, prepared, network.state_dict())


def sentences(folder: Path, name: str = "own.conll") -> dict[str, Any]:
    """Columns of CoNLL with entities."""
    rows = [f"Ann B-PER\nwas O\nin O\nRome{i} B-LOC\n" for i in range(30)]
    (folder / name).write_text("\n".join(rows))
    return {"kind": "conll", "path": str(folder / name)}
