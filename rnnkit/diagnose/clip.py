"""Clip report: what the clip threshold did to a training, from the journal's gradient norms.

    share   fraction of the steps that were clipped
    scale   mean of threshold / ‖g‖ over the clipped steps and 1 over the others: what plain SGD's
            learning rate was multiplied by
    spike   a step whose norm is above `SPIKE` times the median

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural
networks, ICML 2013.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.data.windows import has_targets, training_windows
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.verdict import Verdict, accepted
from rnnkit.params import Experiment
from rnnkit.params.train import SGD
from rnnkit.runtime import numerics
from rnnkit.tasks import Task

SPIKE = 10.0
MAX_SPIKES = 3
"""Spikes that are reported, the largest of different epochs."""
MAX_ITEMS = 4
"""Items of a batch that a sentence names."""
PERCENTILES = (1, 10, 25, 50, 75, 90, 99)
EVERY, NEVER = 0.95, 0.0
"""Shares at which every step is clipped, and none."""


def clip_report(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report of a journal.

    Args:
        records: the journal's lines, oldest first.

    Returns:
        threshold: of the last step, None without clipping; share; scale (None in journals of older
        versions), means over the step records; percentiles: of the norms of the step records, each
        a mean over some steps; largest: norm; refused: steps without a finite gradient; spikes:
        epoch, step (0: not known), norm; suggested: a threshold that clips a tenth of the records;
        range: low and high of a search for it. Empty without a finite norm.
    """
    steps = [line for line in records if line["kind"] == "step"]
    steps = [line for line in steps if np.isfinite(float(line["gradient_norm"]))]
    if not steps:
        return {}
    norms = np.array([float(line["gradient_norm"]) for line in steps])
    largest = np.array([float(line["gradient_norm_max"]) for line in steps])
    scales = [line.get("clip_scale") for line in steps]
    low, high = (float(np.percentile(norms, q)) for q in (10, 99))
    suggested = float(np.percentile(largest, 90))
    return {
        "threshold": steps[-1]["threshold"],
        "share": float(np.mean([line["clipped_fraction"] for line in steps])),
        "scale": None if None in scales else float(np.mean(np.array(scales, dtype=float))),
        "percentiles": {str(q): float(np.percentile(norms, q)) for q in PERCENTILES},
        "largest": float(largest.max()),
        "refused": sum(int(line["refused"]) for line in steps),
        "spikes": _spikes(steps, largest, SPIKE * float(np.median(norms))),
        "suggested": _short(suggested),
        "range": {"low": _short(low), "high": _short(max(high, 2 * low))},
    }


def _spikes(
    steps: Sequence[Mapping[str, Any]], largest: np.ndarray, above: float
) -> list[dict[str, Any]]:
    """The largest norm of each epoch that has a spike, at most `MAX_SPIKES` of them."""
    spikes: dict[int, dict[str, Any]] = {}
    for line, norm in zip(steps, largest.tolist(), strict=True):
        before = spikes.get(line["epoch"])
        if norm > above and (before is None or norm > before["norm"]):
            place = {"epoch": line["epoch"], "step": line.get("norm_max_step", 0)}
            spikes[line["epoch"]] = {**place, "norm": norm}
    most = sorted(spikes.values(), key=lambda spike: -spike["norm"])[:MAX_SPIKES]
    return sorted(most, key=lambda spike: int(spike["epoch"]))


def sentence(report: Mapping[str, Any], experiment: Experiment) -> str:
    """What clipping did, in one sentence without a full stop."""
    median, largest = report["percentiles"]["50"], report["largest"]
    norms = f"the median norm is {median:.3g}, the largest {largest:.3g}"
    if report["threshold"] is None:
        return f"gradients are not clipped: {norms}"
    at = f"the threshold {report['threshold']:.3g}"
    if report["share"] <= NEVER:
        return f"never clips: {at} does nothing; {norms}"
    if report["share"] < EVERY:
        return f"{at} clips {report['share']:.1%} of the steps; {norms}"
    if report["scale"] is None:
        return f"clips every step: {at} is below nearly all norms; {norms}"
    effect = f"multiplies the gradients by {report['scale']:.2g} on average"
    if isinstance(experiment.train.optimizer, SGD):
        return f"clips every step: {at} only scales the learning rate, it {effect}; {norms}"
    return f"clips every step: {at} {effect}, which Adam undoes where the norms are even; {norms}"


def items_of_step(
    experiment: Experiment, task: Task, epoch: int, step: int, first: int
) -> list[int]:
    """Rows of the source's frame in the batch of a training step.

    Args:
        epoch: of the step.
        step: counted from 1 over the whole training.
        first: the epoch's first step.
    """
    order = numerics.generator(experiment.seed, "order", epoch)
    split, number = task.prepared.splits["train"], first - 1
    for window in training_windows(split, experiment, order):
        number += has_targets(window.batch)
        if number == step:
            return [int(item) for item in window.batch.item]
    return []


def judge(case: Case) -> Iterator[Verdict]:
    """Verdicts on the clip threshold of a training that did not learn, and on spikes."""
    report, experiment = clip_report(case.journal), case.experiment
    if not report:
        return
    try_threshold = {"train.clip": report["suggested"]}
    evidence = {name: report[name] for name in ("threshold", "share", "scale", "suggested")}
    if experiment.train.clip != "auto" and not case.learned:
        rule, scale = RULES["clips_every_step"], report["scale"]
        if scale is not None and report["share"] >= rule["share"] and scale <= rule["scale"]:
            overrides = accepted(experiment, try_threshold)
            yield rule.verdict(sentence(report, experiment), evidence, overrides)
    if (spikes := _unclipped(report)) and _rose(case, spikes):
        named = "; ".join(_spike_words(case, spike) for spike in spikes)
        median = report["percentiles"]["50"]
        text = f"gradients spike and are not clipped: {named}, where the median is {median:.3g}"
        overrides = accepted(experiment, try_threshold)
        yield RULES["spikes"].verdict(text, {**evidence, "spikes": spikes}, overrides)


def _unclipped(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Spikes that clipping left nearly as they were."""
    threshold = report["threshold"]
    kept = RULES["spikes"]["kept"]
    return [s for s in report["spikes"] if threshold is None or threshold > kept * s["norm"]]


def _rose(case: Case, spikes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the training loss of an epoch with a spike is above that of the epoch before."""
    losses = {line["epoch"]: float(line["train"]["loss"]) for line in case.records("epoch")}
    return any(
        losses.get(spike["epoch"], 0.0) > losses.get(spike["epoch"] - 1, np.inf) for spike in spikes
    )


def _spike_words(case: Case, spike: Mapping[str, Any]) -> str:
    words = f"{spike['norm']:.3g} in epoch {spike['epoch']}"
    if not spike["step"]:
        return words
    ends = {0: 0} | {line["epoch"]: line["step"] for line in case.records("epoch")}
    first = ends.get(spike["epoch"] - 1, 0) + 1
    items = items_of_step(case.experiment, case.task, spike["epoch"], spike["step"], first)
    if not items:
        return words
    more = ", …" if len(items) > MAX_ITEMS else ""
    return f"{words} (step {spike['step']}, items {', '.join(map(str, items[:MAX_ITEMS]))}{more})"


def _short(value: float) -> float:
    """Three figures, as a person would write them."""
    return float(f"{value:.3g}")
