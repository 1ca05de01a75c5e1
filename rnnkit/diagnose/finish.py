"""The diagnosis of a trained run: what lacks is measured, and verdicts are reached."""

from collections.abc import Mapping
from typing import Any

import torch

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.diagnose.judging import measure, verdicts
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.diagnose.verdict import shown
from rnnkit.diagnose.watch import Watch, weights_of
from rnnkit.evaluation.verdict import deciding
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import Task, task_for
from rnnkit.tasks.predictions import Predictions


def diagnose(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    scores: Mapping[str, Any],
    predictions: Predictions,
) -> dict[str, Any]:
    """Verdicts on a trained run, and what they rest on.

    Args:
        folder: the run, with its journal and checkpoints.
        experiment: the trained one.
        prepared: its data.
        scores: of the test split, as in result.json.
        predictions: of the test split.

    Returns: `verdicts`, those to show, the weightiest first (`Verdict.to_json`), and `measured`,
        the measurements of the trained network by name.
    """
    Watch(folder, experiment, prepared).complete()
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator()).eval()
    tensors, _ = folder.best_checkpoint()
    network.load_state_dict(weights_of(tensors))
    measured = measure(Subject(experiment, task, network, prepared, predictions))
    case = Case(experiment, task, folder.records(), measured, learned(task, scores))
    return {"verdicts": [v.to_json() for v in shown(verdicts(case))], "measured": measured}


def learned(task: Task, scores: Mapping[str, Any]) -> bool | None:
    """Whether a network beats its best baseline, by the interval of their difference where it has
    one; None: no baseline has a metric that decides.

    Args:
        scores: as in result.json.
    """
    difference = scores.get("difference")
    if difference is not None and difference["low"] is not None:
        return bool(difference["verdict"] == "better")
    if (chosen := deciding(task, scores["test"], scores["baselines"])) is None:
        return None
    metric, baseline = chosen
    score, rival = scores["test"][metric], scores["baselines"][baseline][metric]
    return bool(score > rival if task.params.metrics[metric] == "maximize" else score < rival)
