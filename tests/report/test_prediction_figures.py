"""Figures of predictions: confusion, forecasts and surprise."""

import math

import numpy as np
import pandas
import pytest
from drawn_figures import Saver, headings, title_of, told
from matplotlib.colors import to_hex

from rnnkit import figures
from rnnkit.figures import confusion, forecast
from rnnkit.figures.style import RED


def test_confusion_counts_and_shares(saved: Saver) -> None:
    table = pandas.DataFrame({"truth": list("aaab"), "predicted": list("aabb")})
    figure = saved(figures.confusion_matrix(table, ("a", "b", "c")))
    assert title_of(figure) == "75.0% of 4 labels are right"
    axes = figure.axes[0]
    where = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert where == {(0, 0): "2", (0, 1): "1", (1, 1): "1"}
    wanted = [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 0]]  # c never came: no share, no error
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), wanted)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_rows_of_labels_count_as_their_labels() -> None:
    flat = pandas.DataFrame({"truth": list("aaab"), "predicted": list("aabb")})
    rows = pandas.DataFrame(
        {"truth": [["a", "a"], ["a", "b"]], "predicted": [["a", "a"], ["b"] * 2]}
    )
    arrays = rows.map(np.array)  # as Parquet gives lists back
    for table in (rows, arrays):
        found = confusion.confusions(table, ("a", "b"))
        np.testing.assert_array_equal(found, confusion.confusions(flat, ("a", "b")))


def test_of_many_classes_the_most_confused_are_shown(saved: Saver) -> None:
    labels = tuple(f"${i}$ 中" for i in range(30))  # neither mathematics nor a glyph the font has
    truth = [label for label in labels for _ in range(3)]
    predicted = list(truth)
    predicted[3 * 7], predicted[3 * 29] = labels[29], labels[7]
    table = pandas.DataFrame({"truth": truth, "predicted": predicted})
    figure = saved(figures.confusion_matrix(table, labels))
    assert headings(figure)[0].startswith("The 20 most confused of 30 classes")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(shown) == 20
    assert {r"\$7\$ U+4E2D", r"\$29\$ U+4E2D"} <= set(shown)


def windows(horizon: int, targets: tuple[str, ...], count: int = 40) -> pandas.DataFrame:
    """Windows from every row; the forecast is off by a tenth of the step."""
    rows = [(s + h, h + 1) for s in range(100, 100 + count) for h in range(horizon)]
    table = pandas.DataFrame(rows, columns=["row", "step"])
    for target in targets:
        table[f"truth {target}"] = np.sin(table["row"])
        table[f"forecast {target}"] = table[f"truth {target}"] + table["step"] / 10
    return table


def test_forecasts_over_the_truth_and_the_error_by_step(saved: Saver) -> None:
    figure = saved(figures.forecasts(windows(4, ("a", "b")), ("a", "b")))
    assert title_of(figure) == "Forecasts 4 steps ahead over the truth"
    first, errors = figure.axes[:2]
    assert headings(figure)[:2] == ["a: MAE 0.25", "Error by step ahead"]
    bars = [bar.get_height() for bar in errors.patches]
    np.testing.assert_allclose(bars, [0.1, 0.2, 0.3, 0.4])
    assert told(first) == ["truth", "forecast, each from its dot"]
    assert sum(to_hex(line.get_color()) == RED for line in first.lines) == 10


def test_forecasts_of_one_step_are_one_line(saved: Saver) -> None:
    figure = saved(figures.forecasts(windows(1, ("a",)), ("a",)))
    assert title_of(figure) == "Forecasts 1 step ahead over the truth"
    assert told(figure.axes[0]) == ["truth", "forecast"]
    assert len(figure.axes) == 1


def test_forecasts_show_eight_targets_and_long_horizons_as_lines(saved: Saver) -> None:
    targets = tuple("abcdefghi")
    figure = saved(figures.forecasts(windows(30, targets), targets))
    assert title_of(figure).endswith("(first 8 of 9 targets)")
    assert len(figure.axes) == 16
    assert told(figure.axes[1]) == ["middle half", "mean"]
    assert not figure.axes[1].patches


@pytest.mark.parametrize("horizon", [1, 4, 30, 100])
def test_chosen_windows_are_whole_and_never_overlap(horizon: int) -> None:
    chosen = forecast.last_windows(windows(horizon, ("a",), count=250), horizon)
    assert chosen["row"].is_unique
    assert (chosen.groupby("start").size() == horizon).all()
    assert chosen["row"].max() == 100 + 250 + horizon - 2, "the last window is shown"


def test_surprise_is_averaged_over_tokens(saved: Saver) -> None:
    bits = np.array([1.0, 3.0])
    tokens = np.array([10, 30])
    table = pandas.DataFrame({"tokens": tokens, "log_probability": -bits * tokens * math.log(2)})
    figure = saved(figures.surprise(table, "token"))
    assert title_of(figure) == "2.5 bits per token: perplexity 5.657"
    assert "mean over tokens 2.5" in told(figure.axes[0])
    assert headings(figure) == ["How surprising each of 2 windows is"]


def test_surprise_leaves_out_what_was_held_impossible(saved: Saver) -> None:
    table = pandas.DataFrame({"tokens": [1, 1], "log_probability": [-1.0, -math.inf]})
    figure = saved(figures.surprise(table, "token"))
    assert title_of(figure) == "inf bits per token: perplexity inf"
    assert "(1 held impossible are left out)" in headings(figure)[0]


def test_surprise_of_one_window(saved: Saver) -> None:
    table = pandas.DataFrame({"tokens": [5], "log_probability": [-5.0]})
    assert headings(saved(figures.surprise(table, "token"))) == [
        "How surprising the only window is"
    ]
