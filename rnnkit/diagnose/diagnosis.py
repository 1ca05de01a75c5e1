"""The diagnosis of a run, or of params before a training: measurements and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.diagnose.clip import clip_report
from rnnkit.diagnose.judging import measure, verdicts
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.diagnose.verdict import shown
from rnnkit.diagnose.watch import Watch, weights_of
from rnnkit.errors import InputError
from rnnkit.evaluation.finalize import predictions_of
from rnnkit.evaluation.verdict import deciding
from rnnkit.params import Experiment
from rnnkit.params.block import FrozenDict
from rnnkit.runs.run_folder import DIAGNOSIS, RunFolder
from rnnkit.tasks import Task, prepare, task_for
from rnnkit.tasks.predictions import Predictions


@dataclass(frozen=True)
class Diagnosis:
    """What was measured of a training, and why it learns or does not.

    Args:
        name: the run's id, or that of the params.
        lines: records of the kind "diagnosis", by epoch; none for networks without recurrence.
        verdicts: those to show, the weightiest first, as in result.json.
        measured: of the trained network, by name, as in result.json; empty before its end.
        clip: report of the clip threshold; empty before the first step.
    """

    name: str
    lines: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]
    measured: Mapping[str, Mapping[str, Any]] = FrozenDict()
    clip: Mapping[str, Any] = FrozenDict()


def diagnose(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    scores: Mapping[str, Any],
    predictions: Predictions,
) -> dict[str, Any]:
    """Measure what lacks of a trained run, and reach verdicts, for result.json.

    Args:
        folder: the run, with its journal and checkpoints.
        experiment: the trained one.
        prepared: its data.
        scores: of the test split, as in result.json.
        predictions: of the test split.

    Returns: `verdicts`, as in `Diagnosis`, and `measured`, the measurements of the trained network
        by name.
    """
    Watch(folder, experiment, prepared).complete()
    return _judged(folder, experiment, prepared, scores, predictions, folder.records())


def diagnose_run(folder: RunFolder, home: Path) -> Diagnosis:
    """The diagnosis of a run of any status; its folder is not changed.

    Args:
        home: the output folder.

    Raises:
        InputError: a sweep that is not finished has no network yet.
    """
    is_finished = folder.status == "finished"
    experiment = folder.trained if is_finished else folder.experiment
    if experiment.tune is not None:
        raise InputError(
            f"{folder.id} is a sweep that is not finished, and its trials are not diagnosed; "
            f"go on with: rnnkit resume {folder.id}"
        )
    if is_finished and "verdicts" in (result := folder.result):
        lines = folder.records()
        reached, measured = result["verdicts"], result["measured"]
        return Diagnosis(folder.id, _by_epoch(lines), reached, measured, clip_report(lines))
    prepared = prepare(experiment.data, experiment.task, home)
    watch = Watch(folder, experiment, prepared)
    lacking = [{"kind": DIAGNOSIS, **line} for line in watch.lacking()]
    journal = [*folder.records(), *lacking]
    measured = {}
    if is_finished:  # by a version that did not diagnose
        predictions = predictions_of(folder)
        judged = _judged(folder, experiment, prepared, folder.result, predictions, journal)
        reached, measured = judged["verdicts"], judged["measured"]
    else:
        case = Case(experiment, task_for(experiment.task, prepared), journal, {}, None)
        reached = [verdict.to_json() for verdict in shown(verdicts(case))]
    return Diagnosis(folder.id, _by_epoch(journal), reached, measured, clip_report(journal))


def diagnose_params(experiment: Experiment, home: Path) -> Diagnosis:
    """The diagnosis of the network before its training, with its initial weights."""
    prepared = prepare(experiment.data, experiment.task, home)
    folder = RunFolder(home / "diagnosis" / experiment.name)  # has no journal
    watch = Watch(folder, experiment, prepared)
    journal = [{"kind": DIAGNOSIS, **line} for line in watch.lacking()]
    case = Case(experiment, task_for(experiment.task, prepared), journal, {}, None)
    reached = [verdict.to_json() for verdict in shown(verdicts(case))]
    return Diagnosis(experiment.name, _by_epoch(journal), reached)


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


def _judged(
    folder: RunFolder,
    experiment: Experiment,
    prepared: Prepared,
    scores: Mapping[str, Any],
    predictions: Predictions,
    journal: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """As `diagnose`, from a journal that is complete."""
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, torch.Generator()).eval()
    tensors, _ = folder.best_checkpoint()
    network.load_state_dict(weights_of(tensors))
    measured = measure(Subject(experiment, task, network, prepared, predictions))
    case = Case(experiment, task, journal, measured, learned(task, scores))
    return {"verdicts": [v.to_json() for v in shown(verdicts(case))], "measured": measured}


def _by_epoch(journal: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    lines = [line for line in journal if line["kind"] == DIAGNOSIS]
    return sorted(lines, key=lambda line: line["epoch"])
