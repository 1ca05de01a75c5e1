"""Whether a network beats its best baseline: the paired bootstrap of the two on the same items."""

from collections.abc import Mapping
from typing import Any

from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.bootstrap import Difference, difference
from rnnkit.metrics import Metrics
from rnnkit.tasks import Task, baselines
from rnnkit.tasks.predictions import RISES_WITH, Predictions


def verdict(
    task: Task,
    split: EncodedSplit,
    test: Metrics,
    predictions: Predictions,
    beside: Mapping[str, Metrics],
) -> tuple[str, dict[str, Any] | None]:
    """The network against its best baseline.

    Args:
        split: what both predict.
        test: the network's metrics.
        predictions: the network's.
        beside: baseline -> its metrics.

    Returns:
        a sentence, empty without baselines; and their difference: baseline, measure, difference,
        low, high, verdict (better, worse or undecided) and items, or None if it has no interval
        because the baseline has no value for each item.
    """
    if (chosen := deciding(task, test, beside)) is None:
        return "", None
    metric, best = chosen
    score, rival = test[metric], beside[best][metric]
    sign = 1 if task.params.metrics[metric] == "maximize" else -1
    higher = "scores better than" if sign * score > sign * rival else "scores worse than"
    against = f"its best baseline, {best}: {metric} {score:.4g} against {rival:.4g}"
    theirs = baselines.predictions(task, split, beside[best])
    try:
        change = _difference(task, metric, predictions, theirs)
    except InputError as error:
        relation = "is no better than" if score == rival else higher
        return f"The network {relation} {against}; no interval: {error}.", None
    difference = {"baseline": best, **change.columns()}
    if score == rival:
        return f"The network is no better than {against}.", difference
    relations = {
        "better": "beats",
        "worse": "LOSES TO",
        "undecided": "cannot be distinguished from",
    }
    relation = relations[change.verdict] if change.has_interval else higher
    return f"The network {relation} {against} ({change}).", difference


def deciding(task: Task, test: Metrics, beside: Mapping[str, Metrics]) -> tuple[str, str] | None:
    """The metric that decides and the best baseline by it; None: no baseline has a shown metric.

    The first shown metric decides; on a tie the next one that all tied baselines have. BLEU, for
    example, is 0 for all texts of fewer than four words.
    """
    tie, rivals = None, dict(beside)
    for name in task.shown:
        if name not in task.params.metrics:  # as coverage, which should be near its own level
            continue
        sign = 1 if task.params.metrics[name] == "maximize" else -1
        scores = {baseline: values[name] for baseline, values in rivals.items() if name in values}
        if not scores or (tie and len(scores) < len(rivals)):
            continue
        best = max(scores, key=lambda baseline: sign * scores[baseline])
        if test[name] != scores[best]:
            return name, best
        tie = tie or (name, best)
        tied = [baseline for baseline in scores if scores[baseline] == scores[best]]
        rivals = {baseline: beside[baseline] for baseline in tied}
    return tie


def _difference(
    task: Task, metric: str, ours: Predictions, theirs: Predictions | None
) -> Difference:
    """By the measure of a metric; raises InputError where it has no value for each item."""
    if theirs is None:
        raise InputError("the baseline gives no predictions of single items")
    measure = RISES_WITH.get(metric, metric)
    if measure not in theirs.measures or measure not in ours.measures:
        raise InputError(f"{metric} is not a sum over items")
    first, second = ([side.measured(measure).items] for side in (ours, theirs))
    return difference(measure, first, second, task.params.window_overlap or 1, seed=0)
