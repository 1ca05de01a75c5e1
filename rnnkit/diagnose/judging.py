"""All measurements of a trained network, and all judges; each stands in a module of its own."""

from collections.abc import Mapping
from typing import Any

from rnnkit.diagnose import clip, fit, hidden_states, learning, linear_probe, neighbours, truncation
from rnnkit.diagnose.dynamics import judge_dynamics
from rnnkit.diagnose.not_finite import judge_not_finite
from rnnkit.diagnose.subject import Case, Judge, Measure, Subject
from rnnkit.diagnose.verdict import Verdict, weightiest_first

MEASURES: Mapping[str, Measure] = {
    truncation.SPAN: truncation.measure_span,
    truncation.DEPENDENCE: truncation.measure_dependence,
    fit.FIT: fit.measure,
    neighbours.NEIGHBOURS: neighbours.measure,
    hidden_states.HIDDEN_STATES: hidden_states.measure,
    linear_probe.PROBE: linear_probe.measure,
}
"""Name -> measurement of a trained network, after the training."""

JUDGES: tuple[Judge, ...] = (
    judge_not_finite,
    judge_dynamics,
    clip.judge,
    truncation.judge,
    fit.judge,
    learning.judge,
)
"""Each reaches the verdicts of some rules; their order does not matter."""


def measure(subject: Subject) -> dict[str, Mapping[str, Any]]:
    """What each measurement gives for a network, where it applies."""
    measured = {name: take(subject) for name, take in MEASURES.items()}
    return {name: values for name, values in measured.items() if values}


def verdicts(case: Case) -> list[Verdict]:
    """Every verdict on a run, the weightiest first."""
    return weightiest_first(verdict for judge in JUDGES for verdict in judge(case))
