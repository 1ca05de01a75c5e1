"""From a finished training to a finished run: scores, baselines, verdict, predictions, model."""

import shutil
from pathlib import Path
from typing import Any

import pandas
import torch

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import Metrics
from rnnkit.nn.model.network import count_parameters, describe
from rnnkit.params import Experiment, dump
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files
from rnnkit.tasks import Task, baselines, task_for
from rnnkit.tasks import predictions_of as typed_predictions
from rnnkit.tasks.predictions import Predictions
from rnnkit.training.evaluate import evaluate
from rnnkit.training.pretrained import start

PREDICTIONS = "predictions.parquet"


def conclude(
    folder: RunFolder, experiment: Experiment, prepared: Prepared, cache: Path
) -> dict[str, Any]:
    """Scores the best epoch on the test part, and leaves predictions and model in the folder.

    Args:
        folder: the run; its best checkpoint is scored.
        experiment: what was trained, with tuned values in place.
        prepared: its data.
        cache: where prepared data lie.

    Returns:
        network, test, baselines, shown (metrics, the one that decides first), verdict, start (what
        word vectors or another run gave), counted (metric -> how it was), best_epoch, parameters:
        the run in numbers.
    """
    tensors, facts = folder.best_checkpoint()
    prefix = "weights/"
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator())
    begun = start(network, experiment, prepared)
    network.load_state_dict(weights)
    scores = evaluate(network, task, prepared.parts["test"], experiment, predictions=True)
    beside = baselines.score(task, prepared, prepared.parts["test"])
    assert scores.predictions is not None
    _write_predictions(scores.predictions, folder.path / PREDICTIONS)
    _write_model(weights, experiment, cache / prepared.sha256, folder.path / "model")
    return {
        "network": describe(experiment.model, task.topology),
        "test": scores.metrics,
        "baselines": beside,
        "shown": task.shown,
        "verdict": verdict(task, scores.metrics, beside),
        "start": begun,
        "counted": {name: how for name, how in scores.counted.items() if name in task.shown},
        "best_epoch": facts["best_epoch"],
        "parameters": count_parameters(network),
    }


NOT_SEARCHED: dict[str, Any] = {
    "tuned": {},
    "trials": {"complete": 0, "pruned": 0, "failed": 0},
    "importance": {},
}
"""What `gathered` takes of a run without a sweep."""


def gathered(
    result: dict[str, Any],
    prepared: Prepared,
    seconds: dict[str, float],
    searched: dict[str, Any],
) -> dict[str, Any]:
    """The whole result.json.

    Args:
        result: of `conclude`.
        prepared: the run's data.
        seconds: what each step took.
        searched: tuned (params path -> value), trials (state -> how many), importance.
    """
    facts = {"data": dict(prepared.facts), "prepared": prepared.sha256}
    return {**result, **searched, **facts, "seconds": seconds}


def verdict(task: Task, test: Metrics, beside: dict[str, Metrics]) -> str:
    """Whether the network beats its best baseline, in a sentence.

    The first shown metric decides, and where baselines have the same one, the next that all of
    these have: BLEU, for one, is 0 for all texts of fewer than four words.
    """
    told, rivals = "", dict(beside)
    for name in task.shown:
        sign = 1 if task.params.metrics[name] == "maximize" else -1
        scores = {baseline: found[name] for baseline, found in rivals.items() if name in found}
        if not scores or (told and len(scores) < len(rivals)):
            continue
        best = max(scores, key=lambda baseline: sign * scores[baseline])
        ours, theirs = test[name], scores[best]
        against = f"its best baseline, {best}: {name} {ours:.4g} against {theirs:.4g}."
        if ours != theirs:
            relation = "beats" if sign * ours > sign * theirs else "LOSES TO"
            return f"The network {relation} {against}"
        told = told or f"The network is no better than {against}"
        rivals = {baseline: beside[baseline] for baseline in scores if scores[baseline] == ours}
    return told


def predictions_of(run: RunFolder) -> Predictions:
    """The table of a finished run's predictions, with its type."""
    return typed_predictions(run.experiment, pandas.read_parquet(run.path / PREDICTIONS))


def _write_predictions(table: pandas.DataFrame, path: Path) -> None:
    temporary = path.with_name("." + path.name)
    table.to_parquet(temporary)
    temporary.replace(path)


def _write_model(
    weights: dict[str, Any], experiment: Experiment, prepared: Path, place: Path
) -> None:
    """`model/`: the weights, the params, and how inputs become tensors."""
    from safetensors.torch import save

    place.mkdir(exist_ok=True)
    files.write_atomic(place / "weights.safetensors", save(weights))
    files.write_atomic(place / "params.yaml", dump(experiment))
    shutil.copyfile(prepared / "prepared.json", place / "prepared.json")
    for name in ("tokenizer.json", "target.json"):  # of tokens, and of those that are written
        if (prepared / name).exists():
            shutil.copyfile(prepared / name, place / name)
