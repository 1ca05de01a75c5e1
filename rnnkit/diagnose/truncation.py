"""The memory of a network beside that of its data, and beside the truncation length."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rnnkit.diagnose.dependence import dependence, spread_lags
from rnnkit.diagnose.memory_span import memory_span
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case, Subject
from rnnkit.diagnose.verdict import Verdict, accepted

SPAN, DEPENDENCE = "memory_span", "dependence"
"""Names of the measurements that these verdicts read."""
MAX_POINTS = 64
"""Lags of a curve that are all kept."""


def measure_span(subject: Subject) -> Mapping[str, Any]:
    """The fields of `MemorySpan`, of long curves at fewer lags, and `worth`."""
    span = memory_span(subject.network, subject.task, subject.prepared, subject.experiment)
    if span is None:
        return {}
    kept = {*spread_lags(span.lags[-1]), span.span, span.lags[-1]}
    points = [
        (lag, float(f"{excess:.6g}"), float(f"{error:.6g}"))
        for lag, excess, error in zip(span.lags, span.excess, span.error, strict=True)
        if lag in kept or len(span.lags) <= MAX_POINTS
    ]
    lags, excess, error = zip(*points, strict=True)
    curve = {"lags": lags, "excess": excess, "error": error}
    return {**asdict(span), **curve, "worth": span.worth}


def measure_dependence(subject: Subject) -> Mapping[str, Any]:
    """The fields of `Dependence`, of the training split."""
    split, seed = subject.prepared.splits["train"], subject.experiment.seed
    depends = dependence(split, subject.task, seed)
    return {} if depends is None else asdict(depends)


def sentence(span: Mapping[str, Any], depends: Mapping[str, Any]) -> str:
    """Both spans in one sentence without a full stop."""
    bound = "" if span["is_bounded"] else "at least "
    network = f"the network uses inputs up to {bound}{span['span']} steps back"
    if not depends:
        return network
    if depends["reach"] is None:
        return f"{network}; the data show no dependence on their past ({depends['measure']})"
    return f"{network}; the data depend on theirs up to {depends['reach']} ({depends['measure']})"


def judge(case: Case) -> Iterator[Verdict]:
    """Verdicts on memory that is too short, and on the truncation length."""
    span, depends = case.measured.get(SPAN, {}), case.measured.get(DEPENDENCE, {})
    if not span:
        return
    experiment, bptt = case.experiment, case.experiment.train.bptt
    steps, reach = int(span["span"]), depends.get("reach") or 0
    evidence = {"span": steps, "is_bounded": span["is_bounded"], "reach": reach, "bptt": bptt}
    text = sentence(span, depends)
    rule = RULES["forgets"]
    if not case.learned and span["is_bounded"] and steps < rule["fraction"] * reach:
        overrides = accepted(
            experiment,
            {"model.cell.kind": "lstm"},
            {"model.cell.kind": "gru"},
            {"model.initialization.recurrent": "orthogonal"},
        )
        yield rule.verdict(f"forgets too early: {text}", evidence, overrides)
    if bptt is None:
        return
    if steps > bptt:
        longer = accepted(experiment, {"train.bptt": 2 * steps})
        text = f"training is truncated to {bptt} steps, and {text}"
        yield RULES["truncation_too_short"].verdict(text, evidence, longer)
    rule = RULES["truncation_too_long"]
    used = max(1, steps, reach)
    if span["is_bounded"] and bptt > rule["times"] * used and bptt >= rule["steps"]:
        shorter = accepted(experiment, {"train.bptt": int(rule["times"] / 2 * used)})
        text = f"training goes back {bptt} steps for nothing: {text}"
        yield RULES["truncation_too_long"].verdict(text, evidence, shorter)
