"""The figures of a diagnosis: gradients through time, recurrent weights, and their page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_figures import Saver, headings, told

from rnnkit import figures
from rnnkit.diagnose.diagnosis import Diagnosis
from rnnkit.diagnose.gradient import Curve
from rnnkit.diagnose.tables import frames_of
from rnnkit.diagnose.verdict import Verdict
from rnnkit.report.diagnosis import write_diagnosis

GATES: dict[str, Any] = {"h": {"radius": 1.0, "largest": 1.5, "gain": 0.8, "mean": 0.0}}


def line(epoch: int, factors: dict[str, float], units: dict[str, Any]) -> dict[str, Any]:
    """A measurement of exact decays over 50 lags."""
    lags = np.arange(50)
    with np.errstate(over="ignore"):
        norms = {name: 0.1 * factor**lags for name, factor in factors.items()}
    curves = {name: Curve(lags, values).to_json() for name, values in norms.items()}
    cells = {name: {"activation": 0.9, "gates": GATES, **units} for name in factors}
    return {"epoch": epoch, "gradient": curves, "cells": cells, "depends": 40.0}


def test_curves_and_heat_map_of_a_vanishing_gradient(saved: Saver) -> None:
    lines = [line(0, {"layer0": 0.95}, {}), line(3, {"layer0": 0.5}, {})]
    figure = saved(figures.gradient_through_time(lines))
    curves, heat = figure.axes[:2]
    assert headings(figure)[:2] == ["Norm of dL/dh against the lag", "layer0 over the training"]
    assert told(curves) == ["layer0, x0.5 per step"]
    assert "lag 20" in [text.get_text() for text in curves.texts]
    assert curves.get_xlabel() == "steps back from the loss (dashed: epoch 0)"
    np.testing.assert_allclose(curves.lines[0].get_ydata(), 0.5 ** np.arange(50), rtol=1e-5)
    decades = heat.collections[0].get_array()
    assert decades.shape == (50, 2)
    assert decades[10, 0] == pytest.approx(10 * np.log10(0.95), abs=1e-4)
    assert decades[49, 1] == -12
    assert [text.get_text() for text in heat.get_xticklabels()] == ["0", "3"]


def test_norms_that_are_not_finite_leave_a_gap(saved: Saver) -> None:
    exploding = {"layer0": 1e30}
    lines = [line(0, exploding, {}), line(1, {"layer0": 0.0}, {})]
    assert None in lines[0]["gradient"]["layer0"]["norms"]
    assert lines[0]["gradient"]["layer0"]["explodes"] == 1
    saved(figures.gradient_through_time(lines))
    saved(figures.gradient_through_time(lines[:1]))


@pytest.mark.parametrize(
    ("units", "heading"),
    [
        ({"longest": 12.0, "memory": 3.0}, "Steps that the longest unit keeps its state"),
        ({"saturated": 0.2}, "Saturated activations, fraction"),
        ({"dead": 0.5}, "Dead units, fraction"),
        ({}, "Largest activation"),
    ],
)
def test_recurrent_weights_show_what_the_units_have(
    saved: Saver, units: dict[str, Any], heading: str
) -> None:
    lines = [line(epoch, {"layer0": 0.9, "layer1": 0.8}, units) for epoch in range(3)]
    figure = saved(figures.recurrent_weights(lines))
    assert headings(figure) == ["Spectral radius of W_hh", "Jacobian gain, diag(f') W_hh", heading]
    assert told(figure.axes[0]) == ["layer0", "layer1"]


def test_many_gates_are_drawn_by_their_largest(saved: Saver) -> None:
    lines = [line(0, {f"layer{k}": 0.9 for k in range(3)}, {})]
    for cell in lines[0]["cells"].values():
        cell["gates"] = {gate: {"radius": k, "gain": "inf"} for k, gate in enumerate("ifgo")}
    figure = saved(figures.recurrent_weights(lines))
    assert told(figure.axes[0])[0] == "layer0, largest of the gates"
    assert figure.axes[0].lines[0].get_ydata() == [3]


def test_the_page_has_verdicts_options_and_figures(tmp_path: Path) -> None:
    verdict = Verdict("a", "it <fails>", overrides=({"train.clip": 1.0}, {"seed": 1})).to_json()
    diagnosis = Diagnosis("x", [line(0, {"layer0": 0.9}, {})], [verdict])
    page = write_diagnosis(diagnosis, tmp_path / "home").read_text()
    assert "it &lt;fails&gt;. Try <code>--set train.clip=1.0</code>, or <code>--set seed=1" in page
    assert page.count("data:image/png") == 2
    nothing = write_diagnosis(Diagnosis("y", [], []), tmp_path / "home").read_text()
    assert "No rule of the diagnosis is met." in nothing
    assert "data:image/png" not in nothing


def test_frames_have_a_row_for_each_number() -> None:
    lines = [line(0, {"layer0": 0.9}, {"dead": 0.5}), line(2, {"layer0": 0.8}, {"dead": "inf"})]
    verdict = Verdict("a", "b", weight=3.0).to_json()
    frames = frames_of(Diagnosis("x", lines, [verdict]))
    assert set(frames) > {"gradient", "decay", "gates", "units", "verdicts"}  # and those measured
    gradient = frames["gradient"]
    assert len(gradient) == 100
    assert list(gradient.columns) == ["epoch", "series", "lag", "norm"]
    assert gradient.groupby("epoch")["norm"].first().tolist() == [0.1, 0.1]
    assert frames["decay"]["factor"].tolist() == pytest.approx([0.9, 0.8])
    assert frames["gates"][["gate", "gain"]].to_dict("list") == {
        "gate": ["h"] * 2,
        "gain": [0.8] * 2,
    }
    assert frames["units"]["dead"].tolist() == [0.5, np.inf]
    assert frames["verdicts"].to_dict("records") == [
        {"name": "a", "sentence": "b", "options": [], "weight": 3.0}
    ]
    empty = frames_of(Diagnosis("x", [], []))
    assert all(not len(frame) and len(frame.columns) for frame in empty.values())
