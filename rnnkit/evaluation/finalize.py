"""Finalize a trained run: test metrics, baselines, verdict, predictions, model folder."""

import shutil
from pathlib import Path
from typing import Any

import pandas
import torch
from torch import nn

from rnnkit.data.prepare.encoded_split import EncodedSplit
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


def finalize(
    folder: RunFolder, experiment: Experiment, prepared: Prepared, cache: Path
) -> dict[str, Any]:
    """Score the best epoch on the test split; write predictions and model to the run folder.

    Args:
        folder: the run, with its best checkpoint.
        experiment: the trained one, with tuned values in place.
        prepared: its data.
        cache: the folder of prepared data.

    Returns:
        the keys of `scored`, start (notes on pretrained weights), best_epoch, parameters.
    """
    tensors, facts = folder.best_checkpoint()
    prefix = "weights/"
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator())
    pretrained = start(network, experiment, prepared)
    network.load_state_dict(weights)
    result, predictions = scored(network, task, experiment, prepared, prepared.splits["test"])
    files.write_atomic(folder.path / PREDICTIONS, predictions.to_parquet())
    _write_model(weights, experiment, cache / prepared.sha256, folder.path / "model")
    return {
        **result,
        "start": pretrained,
        "best_epoch": facts["best_epoch"],
        "parameters": count_parameters(network),
    }


def scored(
    network: nn.Module, task: Task, experiment: Experiment, prepared: Prepared, split: EncodedSplit
) -> tuple[dict[str, Any], pandas.DataFrame]:
    """Scores of a network and of the baselines on a part, and the network's predictions.

    Returns:
        network, test, baselines, shown (metrics, the deciding one first), verdict, counted
        (metric -> how it was computed); and the table of predictions.
    """
    scores = evaluate(network, task, split, experiment, predictions=True)
    baseline_metrics = baselines.score(task, prepared, split)
    assert scores.predictions is not None
    result = {
        "network": describe(experiment.model, task.topology),
        "test": scores.metrics,
        "baselines": baseline_metrics,
        "shown": task.shown,
        "verdict": verdict(task, scores.metrics, baseline_metrics) + few_items(split),
        "counted": {name: text for name, text in scores.counted.items() if name in task.shown},
    }
    return result, scores.predictions


NO_SWEEP: dict[str, Any] = {
    "tuned": {},
    "trials": {"complete": 0, "pruned": 0, "failed": 0},
    "importance": {},
}
"""Argument `searched` of `collect_result` for a run without a sweep."""


def collect_result(
    result: dict[str, Any], prepared: Prepared, seconds: dict[str, float], searched: dict[str, Any]
) -> dict[str, Any]:
    """The content of result.json.

    Args:
        result: from `finalize`.
        prepared: the run's data.
        seconds: duration of each step.
        searched: tuned (params path -> value), trials (state -> count), importance.
    """
    facts = {"data": dict(prepared.facts), "prepared": prepared.sha256}
    return {**result, **searched, **facts, "seconds": seconds}


def verdict(task: Task, test: Metrics, beside: dict[str, Metrics]) -> str:
    """Whether the network beats its best baseline, in a sentence.

    The first shown metric decides; on a tie the next one that all tied baselines have. BLEU, for
    example, is 0 for all texts of fewer than four words.
    """
    tie, rivals = "", dict(beside)
    for name in task.shown:
        sign = 1 if task.params.metrics[name] == "maximize" else -1
        scores = {baseline: values[name] for baseline, values in rivals.items() if name in values}
        if not scores or (tie and len(scores) < len(rivals)):
            continue
        best = max(scores, key=lambda baseline: sign * scores[baseline])
        score, rival = test[name], scores[best]
        against = f"its best baseline, {best}: {name} {score:.4g} against {rival:.4g}."
        if score != rival:
            relation = "beats" if sign * score > sign * rival else "LOSES TO"
            return f"The network {relation} {against}"
        tie = tie or f"The network is no better than {against}"
        rivals = {baseline: beside[baseline] for baseline in scores if scores[baseline] == score}
    return tie


FEW_ITEMS = 100
"""Below this a 95 % interval of an accuracy is up to .2 wide."""


def few_items(split: EncodedSplit) -> str:
    """A sentence behind the verdict on a split of few items; else nothing."""
    if len(split) >= FEW_ITEMS:
        return ""
    return f" The test split has few items: {len(split)}; another one may decide otherwise."


def predictions_of(run: RunFolder) -> Predictions:
    """The typed predictions of a finished run."""
    return typed_predictions(run.experiment, pandas.read_parquet(run.path / PREDICTIONS))


def _write_model(
    weights: dict[str, Any], experiment: Experiment, prepared: Path, place: Path
) -> None:
    """Write `model/`: weights, params and fitted preprocessing."""
    from safetensors.torch import save

    place.mkdir(exist_ok=True)
    files.write_atomic(place / "weights.safetensors", save(weights))
    files.write_atomic(place / "params.yaml", dump(experiment))
    shutil.copyfile(prepared / "prepared.json", place / "prepared.json")
    for name in ("tokenizer.json", "target.json"):  # inputs, targets
        if (prepared / name).exists():
            shutil.copyfile(prepared / name, place / name)
