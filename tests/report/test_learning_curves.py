"""Learning curves; figures leave matplotlib's global state alone."""

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
from drawn_figures import Saver, headings, title_of, told

from rnnkit import figures


def test_nothing_here_touches_the_global_state_of_matplotlib() -> None:
    for path in Path(figures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = {getattr(node, "attr", None), getattr(node, "module", None)}
            names |= {alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")}
            forbidden = {"pyplot", "matplotlib.pyplot", "rcParams", "rc_context", "style.use"}
            assert not names & forbidden, path.name


def test_a_figure_saved_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        figures.save(figures.learning_curves(journal(2), "valid/loss"), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def journal(epochs: int, valid: bool = True, steps: int = 8) -> list[dict[str, Any]]:
    """A run's journal whose validation loss is best in epoch 2."""
    records: list[dict[str, Any]] = [{"kind": "started", "time": 0}]
    for epoch in range(1, epochs + 1):
        for step in range(epoch * 80 - 70, epoch * 80 + 1, 10)[:steps]:
            norms = {"gradient_norm": 1.0, "gradient_norm_max": 3.0, "clipped_fraction": 0.25}
            line = {"kind": "step", "time": step, "epoch": epoch, "step": step, "refused": 0}
            records += [{**line, **norms, "loss": 2.0 / (1 + step / 80), "threshold": 5.0}]
        loss = 1 + 0.1 * abs(epoch - 2)
        records.append(
            {
                "kind": "epoch",
                "time": epoch,
                "epoch": epoch,
                "step": epoch * 80,
                "train": {"loss": 2.0 / epoch},
                "valid": {"loss": loss, "f1": 1 - loss / 2} if valid else {},
                "gradient": {"norm": 1.0, "norm_max": 3.0, "clipped_fraction": 0.25, "refused": 0},
                "seconds": 1.0,
                "improved": epoch <= 2 or not valid,
                "last": epoch == epochs,
            }
        )
    return records


def test_learning_curves_mark_the_best_epoch_in_loss_and_metric(saved: Saver) -> None:
    figure = saved(figures.learning_curves(journal(4), "valid/f1"))
    assert title_of(figure) == "Training"
    expected = ["Loss", "F1 on the validation split", "Gradient norm before clipping", ""]
    assert headings(figure) == expected
    loss, metric, norm, clipped = figure.axes
    assert "best: epoch 2, 1" in told(loss)
    assert told(metric) == ["best: epoch 2, 0.5"]
    stars = [line for line in metric.lines if line.get_marker() == "*"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in stars] == [(2.0, 0.5)]
    assert told(norm) == ["largest", "mean"]
    np.testing.assert_array_equal(norm.lines[0].get_ydata(), [3.0] * 32)
    np.testing.assert_array_equal(clipped.lines[0].get_ydata(), [0.25] * 32)


def test_steps_stand_at_their_part_of_the_epoch() -> None:
    loss = figures.learning_curves(journal(4), "valid/loss").axes[0]
    np.testing.assert_allclose(loss.lines[0].get_xdata(), np.arange(1, 33) / 8)


def test_the_monitored_loss_needs_no_panel_of_its_own(saved: Saver) -> None:
    figure = saved(figures.learning_curves(journal(3), "valid/loss"))
    assert headings(figure) == ["Loss", "Gradient norm before clipping", ""]


def test_learning_curves_of_one_epoch(saved: Saver) -> None:
    figure = saved(figures.learning_curves(journal(1), "valid/f1"))
    assert told(figure.axes[1]) == ["best: epoch 1, 0.45"]


def test_learning_curves_without_validation_mark_no_best(saved: Saver) -> None:
    figure = saved(figures.learning_curves(journal(3, valid=False), "valid/loss"))
    assert told(figure.axes[0]) == ["train, by step", "train, mean of the epoch"]


def test_learning_curves_without_step_records_take_the_gradient_of_epochs(saved: Saver) -> None:
    figure = saved(figures.learning_curves(journal(3, steps=0), "valid/loss"))
    assert list(figure.axes[1].lines[0].get_xdata()) == [1, 2, 3]


def test_records_of_one_step_each_show_no_largest_norm() -> None:
    steps = [r for r in journal(3) if r["kind"] == "step"]
    records = [r | {"gradient_norm_max": r["gradient_norm"]} for r in steps]
    assert told(figures.learning_curves(records, "valid/loss").axes[1]) == ["mean"]


def test_learning_curves_without_a_clip_threshold(saved: Saver) -> None:
    """`train.clip: null`, and steps that were all refused, have none."""
    records = [{**r, "threshold": None} if r["kind"] == "step" else r for r in journal(3)]
    figure = saved(figures.learning_curves(records, "valid/loss"))
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), [3.0] * 24)


def test_values_that_are_not_finite_are_gaps_and_refused_steps_are_told(saved: Saver) -> None:
    records = journal(3)
    records[2] |= {"loss": "nan", "gradient_norm": "nan", "refused": 5}
    records[-1]["valid"]["loss"] = "inf"
    records[-1]["gradient"]["refused"] = 5
    figure = saved(figures.learning_curves(records, "valid/loss"))
    assert figure.axes[-1].get_xlabel() == "epoch (5 steps refused: gradient not finite)"
    assert math.isnan(figure.axes[0].lines[0].get_ydata()[1])
