"""Figures of a search's trials."""

from typing import Any

import numpy as np
import pytest
from drawn_figures import Saver, stars, title_of, told

from rnnkit import figures
from rnnkit.figures import trials


def trial(number: int, state: str, value: float | None, **values: Any) -> dict[str, Any]:
    keys = {"clip": "train.clip", "depth": "model.depth", "kind": "model.cell.kind"}
    curve = {"complete": [3.0, 2.0, value], "pruned": [3.0, 2.5], "failed": []}[state]
    values = {keys[key]: v for key, v in values.items()}
    return {"number": number, "values": values, "value": value, "state": state, "curve": curve}


def sweep() -> list[dict[str, Any]]:
    return [
        trial(0, "complete", 0.9, clip=0.5, depth=1),
        trial(1, "complete", 0.4, clip=3.0, depth=2),
        trial(2, "pruned", None, clip=8.0, depth=2),
        trial(3, "failed", None, clip=9.0, depth=4),
        trial(4, "complete", 0.7, clip=2.0, depth=3),
    ]


@pytest.mark.parametrize(
    ("direction", "best", "value"), [("minimize", 1, 0.4), ("maximize", 0, 0.9)]
)
def test_a_study_marks_its_best_trial(
    saved: Saver, direction: trials.Direction, best: int, value: float
) -> None:
    figure = saved(figures.study(sweep(), "train.clip", "model.depth", "valid/loss", direction))
    assert title_of(figure) == f"5 trials: best valid/loss {value}, trial {best}"
    places, curves, bar = figure.axes
    assert told(places) == ["best", "complete 3", "pruned 1", "failed 1"]
    (star,) = stars(places)
    where = sweep()[best]["values"]
    assert star[0] == where["train.clip"]
    assert star[1] == pytest.approx(where["model.depth"], abs=0.1)  # moved apart by 0.09 at most
    assert (places.get_xscale(), places.get_yscale()) == ("log", "linear")
    assert all(float(tick).is_integer() for tick in places.get_yticks())
    assert told(curves) == [f"best: trial {best}"]
    assert max(curves.lines, key=lambda line: line.get_linewidth()).get_ydata()[-1] == value
    assert bar.get_ylabel() == "valid/loss"


def test_a_pruned_trial_is_hollow_and_a_failed_one_a_cross() -> None:
    places = figures.study(sweep(), "train.clip", "model.depth", "loss", "minimize").axes[0]
    at = {
        float(np.asarray(p.get_offsets())[0][0]): p
        for p in places.collections
        if len(p.get_offsets())
    }
    assert len(at[8.0].get_facecolor()) == 0
    assert len(at[0.5].get_facecolor()) == 1
    cross, dot = at[9.0].get_paths()[0], at[0.5].get_paths()[0]
    assert len(cross.vertices) == 4 < len(dot.vertices)


def test_a_study_of_one_key_stands_over_the_metric(saved: Saver) -> None:
    figure = saved(figures.study(sweep(), "train.clip", None, "valid/loss", "minimize"))
    places = figure.axes[0]
    assert len(figure.axes) == 2
    assert places.get_ylabel() == "valid/loss"
    assert stars(places) == [(3.0, 0.4)]


def test_a_study_of_names_and_of_keys_that_some_trials_lack(saved: Saver) -> None:
    found = [
        trial(0, "complete", 0.5, kind="lstm", clip=None),
        trial(1, "complete", 0.6, kind="gru", clip=5.0),
        trial(2, "complete", 0.7, clip=1.0),
    ]
    places = saved(
        figures.study(found, "model.cell.kind", "train.clip", "valid/loss", "minimize")
    ).axes[0]
    assert [label.get_text() for label in places.get_xticklabels()] == ["gru", "lstm"]
    assert [label.get_text() for label in places.get_yticklabels()] == ["5.0", "null"]


def test_a_study_in_which_nothing_completed(saved: Saver) -> None:
    found = [trial(0, "failed", None, clip=1.0), trial(1, "pruned", None, clip=2.0)]
    figure = saved(figures.study(found, "train.clip", None, "valid/loss", "minimize"))
    assert title_of(figure) == "2 trials"
    assert told(figure.axes[0]) == ["pruned 1", "failed 1"]
