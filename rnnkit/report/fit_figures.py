"""Figures of what was measured of a trained network: memory span, gradient norms, calibration, and
hidden states."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from rnnkit import figures
from rnnkit.diagnose.clip import clip_report
from rnnkit.diagnose.fit import FIT
from rnnkit.diagnose.hidden_states import HIDDEN_STATES
from rnnkit.diagnose.truncation import DEPENDENCE, SPAN
from rnnkit.params import Experiment


def fit_figures(
    experiment: Experiment,
    journal: Sequence[Mapping[str, Any]],
    measured: Mapping[str, Mapping[str, Any]],
) -> dict[str, Figure]:
    """The figures that there is something for, by name.

    Args:
        experiment: the trained one.
        journal: of the run.
        measured: what `rnnkit.diagnose.judging.measure` gave.
    """
    drawn = {}
    if span := measured.get(SPAN):
        depends = measured.get(DEPENDENCE, {})
        drawn["memory_span"] = figures.memory_span(span, depends, experiment.train.bptt)
    report = clip_report(journal)
    norms = [float(line["gradient_norm"]) for line in journal if line["kind"] == "step"]
    positive = [norm for norm in norms if math.isfinite(norm) and norm > 0]
    if report and positive:
        share, suggested = report["share"], report["suggested"]
        drawn["gradient_norms"] = figures.gradient_norms(
            positive, report["threshold"], suggested, share
        )
    if calibrated := measured.get(FIT, {}).get("calibration"):
        drawn["calibration"] = figures.calibration(calibrated)
    if states := measured.get(HIDDEN_STATES):
        layers, tokens = states["layers"], states["tokens"]
        drawn["hidden_states"] = figures.hidden_states(layers, tokens, states["item"])
    return drawn
