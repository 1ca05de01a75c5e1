"""Finalize a trained run: test metrics, baselines, verdict, predictions, model folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas
import torch
from torch import nn

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.stored import RECORD, TARGET, TOKENIZER
from rnnkit.evaluation.samples import samples
from rnnkit.evaluation.verdict import verdict
from rnnkit.nn.model.network import count_parameters, describe
from rnnkit.params import Experiment, dump
from rnnkit.runs.model_folder import CALIBRATION, WEIGHTS
from rnnkit.runs.run_folder import PARAMS, RunFolder
from rnnkit.runtime import files
from rnnkit.tasks import Task, baselines, task_for
from rnnkit.tasks import predictions_of as typed_predictions
from rnnkit.tasks.predictions import Predictions
from rnnkit.training.evaluate import calibrate, evaluate
from rnnkit.training.pretrained import start
from rnnkit.training.state import HalfRate

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
        the keys of `scored` and `training_summary`, samples (of tasks that generate text), start
        (notes on pretrained weights), best_epoch, half_rate (None, or where the training went back:
        epoch, step, refused_from), parameters.
    """
    tensors, facts = folder.best_checkpoint()
    prefix = "weights/"
    weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator())
    pretrained = start(network, experiment, prepared)
    network.load_state_dict(weights)
    calibrate(network, task, prepared, experiment)
    result, predictions = scored(network, task, experiment, prepared, prepared.splits["test"])
    generated = samples(task, network, experiment.seed)
    files.write_atomic(folder.path / PREDICTIONS, predictions.to_parquet())
    place = folder.path / "model"
    _write_model(weights, experiment, cache / prepared.sha256, task.calibration, place)
    summary = training_summary(experiment, folder.records("epoch"), facts["best_epoch"])
    half_rate = None
    for line in folder.records("half_rate"):  # one at the most
        half_rate = HalfRate(line["epoch"], line["step"], line["refused_from"])
        summary["training"] += f" {half_rate.sentence}"
    return {
        **result,
        **({"samples": generated} if generated else {}),
        "start": pretrained,
        "best_epoch": facts["best_epoch"],
        **summary,
        "half_rate": None if half_rate is None else vars(half_rate),
        "parameters": count_parameters(network),
    }


def training_summary(
    experiment: Experiment, epochs: Sequence[Mapping[str, Any]], best: int
) -> dict[str, Any]:
    """How a training went: epochs (that were trained), stopped_early, and training, a sentence.

    Args:
        epochs: the journal's lines.
        best: the best epoch.
    """
    count, params = epochs[-1]["epoch"], experiment.train
    stopped_early = count < params.epochs
    sentence = f"{experiment.monitor} was best in epoch {best} of {params.epochs}."
    if not epochs[-1]["valid"]:
        sentence = f"Trained for {count} epochs, without a validation split."
    elif stopped_early:
        sentence = (
            f"Early stopping ended the training after epoch {count} of {params.epochs}: "
            f"{experiment.monitor} was best in epoch {best} (train.early_stopping: null trains for "
            "all epochs)."
        )
    return {"epochs": count, "stopped_early": stopped_early, "training": sentence}


def scored(
    network: nn.Module, task: Task, experiment: Experiment, prepared: Prepared, split: EncodedSplit
) -> tuple[dict[str, Any], pandas.DataFrame]:
    """Scores of a network and of the baselines on a part, and the network's predictions.

    Returns:
        network, test, baselines, shown (metrics, the deciding one first), verdict and difference
        (see `rnnkit.evaluation.verdict`), counted (metric -> how it was computed); and the table of
        predictions.
    """
    scores = evaluate(network, task, split, experiment, predictions=True)
    baseline_metrics = baselines.score(task, prepared, split)
    assert scores.predictions is not None
    predictions = typed_predictions(experiment, scores.predictions)
    sentence, change = verdict(task, split, scores.metrics, predictions, baseline_metrics)
    result = {
        "network": describe(experiment.model, task.topology),
        "test": scores.metrics,
        "baselines": {name: dict(metrics) for name, metrics in baseline_metrics.items()},
        "shown": task.shown,
        "verdict": sentence + few_items(split),
        "difference": change,
        "counted": {name: text for name, text in scores.counted.items() if name in task.shown},
    }
    return result, scores.predictions


NO_SWEEP: dict[str, Any] = {
    "tuned": {},
    "trials": {"complete": 0, "pruned": 0, "failed": 0},
    "importance": {},
    "advice": [],
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
        searched: tuned (params path -> value), trials (state -> count), importance, advice
            (sentences).
    """
    facts = {"data": dict(prepared.facts), "prepared": prepared.sha256}
    return {**result, **searched, **facts, "seconds": seconds}


FEW_ITEMS = 100
"""Below this a 95 % interval of an accuracy is up to .2 wide."""


def few_items(split: EncodedSplit) -> str:
    """A sentence behind the verdict on a split of few items; else nothing."""
    if len(split) >= FEW_ITEMS:
        return ""
    return f" The test split has few items: {len(split)}; another one may decide otherwise."


def predictions_of(run: RunFolder) -> Predictions:
    """The typed predictions of a run; of a finished one verified."""
    return typed_predictions(run.experiment, pandas.read_parquet(run.verified(PREDICTIONS)))


def _write_model(
    weights: dict[str, Any], experiment: Experiment, prepared: Path, calibration: Any, place: Path
) -> None:
    """Write `model/`: weights, params, fitted preprocessing, calibration, and their manifest
    last."""
    from safetensors.torch import save

    place.mkdir(exist_ok=True)
    files.write_atomic(place / WEIGHTS, save(weights))
    files.write_atomic(place / PARAMS, dump(experiment))
    fitted = [prepared / name for name in (RECORD, TOKENIZER, TARGET)]
    written = [source for source in fitted if source.exists()]
    for source in written:
        files.write_atomic(place / source.name, source.read_bytes())
    names = [WEIGHTS, PARAMS, *(source.name for source in written)]
    if calibration is not None:
        files.write_json(place / CALIBRATION, calibration.to_json())
        names.append(CALIBRATION)
    files.write_manifest(place, names)
