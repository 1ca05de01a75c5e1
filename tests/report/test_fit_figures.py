"""Figures of the memory span, the gradient norms, the calibration and the range test."""

from typing import Any

import pytest
from drawn_figures import Saver, headings, title_of, told
from small_training import experiment_of

from rnnkit import figures
from rnnkit.report.fit_figures import fit_figures

SPAN: dict[str, Any] = {
    "lags": [0, 1, 2, 3, 100],
    "excess": [1.0, 0.8, 0.4, 0.0, 0.0],
    "error": [0.1] * 5,
    "span": 3,
    "is_bounded": True,
}
DEPENDENCE = {
    "measure": "mutual information",
    "lags": [0, 1, 2],
    "values": [0.9, 0.4, 0.1],
    "reach": 2,
}
CALIBRATION = {
    "error": 0.11,
    "confidence": 0.9,
    "accuracy": 0.8,
    "items": 162,
    "bins": [
        {"from": 0.5, "to": 0.6, "items": 12, "confidence": 0.55, "accuracy": 0.4},
        {"from": 0.9, "to": 1.0, "items": 150, "confidence": 0.97, "accuracy": 0.85},
    ],
}


def test_the_memory_span_stands_beside_the_dependence_and_the_truncation(saved: Saver) -> None:
    figure = saved(figures.memory_span(SPAN, DEPENDENCE, 35))
    assert title_of(figure) == "Memory span: 3 steps"
    assert headings(figure) == [
        "Loss without what is older than the lag",
        "Mutual information of input and target",
    ]
    assert told(figure.axes[0]) == ["span: 3", "train.bptt: 35"]
    assert told(figure.axes[1]) == ["reaches lag 2", "train.bptt: 35"]


def test_a_memory_span_without_bound_dependence_or_truncation(saved: Saver) -> None:
    figure = saved(figures.memory_span({**SPAN, "is_bounded": False}, {}, None))
    assert title_of(figure) == "Memory span: at least 3 steps"
    assert len(figure.axes) == 1
    series = {**DEPENDENCE, "measure": "autocorrelation", "reach": None}
    figure = saved(figures.memory_span(SPAN, series, None))
    assert headings(figure)[1] == "Autocorrelation of the inputs"
    assert told(figure.axes[1]) == []


@pytest.mark.parametrize("norms", [[0.1, 0.2, 5.0], [1.0]])
def test_the_histogram_of_norms_shows_the_thresholds(saved: Saver, norms: list[float]) -> None:
    (axes,) = saved(figures.gradient_norms(norms, 0.5, 0.25, 1 / 3)).axes
    assert axes.get_title(loc="left") == "33.3% of the steps were clipped"
    assert told(axes)[1:] == ["suggested 0.25", "threshold 0.5"]
    assert sum(bar.get_height() for bar in axes.patches) == len(norms)
    (axes,) = saved(figures.gradient_norms(norms, None, 0.25, 0.0)).axes
    assert axes.get_title(loc="left") == "Gradients are not clipped"


def test_calibration_shows_the_accuracy_and_items_of_each_bin(saved: Saver) -> None:
    (axes,) = saved(figures.calibration(CALIBRATION)).axes
    assert [bar.get_height() for bar in axes.patches] == [0.4, 0.85]
    assert [text.get_text() for text in axes.texts] == ["12", "150"]
    assert axes.get_title(loc="left") == "mean confidence 90.0%, accuracy 80.0%"


def test_the_range_test_marks_lowest_suggested_and_present_rate(saved: Saver) -> None:
    rates, losses = [0.001, 0.01, 0.1, 1.0], [2.0, 1.0, 0.5, 1e9]
    (axes,) = saved(figures.range_test(rates, losses, losses, 0.01, 0.003, "a$b")).axes
    assert told(axes) == [
        "moving average",
        "lowest at 0.1",
        "suggested: 0.01",
        "in the params: 0.003",
    ]
    low, high = axes.get_ylim()
    assert low < 0.5
    assert 2.0 < high < 10.0  # the diverged end does not hide the fall


def test_hidden_states_have_a_panel_for_each_series_and_the_tokens(saved: Saver) -> None:
    layers = {"layer0": [[0.1, -0.5, 0.2], [0.0, 0.9, 0.3]], "layer0_reverse": [[0.0, 0.0, 0.0]]}
    figure = saved(figures.hidden_states(layers, ["a", " ", "$\n"], 7))
    assert title_of(figure) == "Hidden states over time, item 7"
    assert headings(figure)[:2] == ["layer0", "layer0 reverse"]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["a", "·", r"\$⏎"]
    numbered = saved(figures.hidden_states(layers, [], 7))
    assert numbered.axes[0].get_xlabel() == "step"


def test_only_what_was_measured_is_drawn() -> None:
    experiment = experiment_of({})
    assert fit_figures(experiment, [], {}) == {}
    step = {
        "kind": "step",
        "epoch": 1,
        "step": 1,
        "gradient_norm": 2.0,
        "gradient_norm_max": 2.0,
        "clipped_fraction": 0.0,
        "threshold": 5.0,
        "refused": 0,
    }
    states = {"item": 1, "tokens": [], "layers": {"layer0": [[0.5, 0.1]]}}
    fit = {"calibration": CALIBRATION}
    measured = {"memory_span": SPAN, "fit": fit, "hidden_states": states}
    drawn = fit_figures(experiment, [step], measured)
    assert list(drawn) == ["memory_span", "gradient_norms", "calibration", "hidden_states"]
