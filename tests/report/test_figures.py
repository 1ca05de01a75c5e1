"""Each figure is made from small data and saved; what it tells is read back from the Figure."""

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from rnnkit import figures
from rnnkit.figures import confusion, forecast, page, trials
from rnnkit.figures.code import COLOURS, MARK, legend_of
from rnnkit.figures.style import RED

Saver = Callable[[Figure], Figure]


@pytest.fixture
def saved(tmp_path: Path) -> Saver:
    """Saves a figure, checks that the file is a picture of its size, and gives the figure back."""

    def save(figure: Figure) -> Figure:
        path = tmp_path / "figure.png"
        figures.save(figure, path)
        with Image.open(path) as image:
            wanted = [round(float(side) * figure.dpi) for side in figure.get_size_inches()]
            assert image.format == "PNG"
            np.testing.assert_allclose(image.size, wanted, atol=1)  # pixels are whole
            assert len(image.convert("RGB").getcolors(1 << 24)) > 5, "the picture is empty"
        assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]
        return figure

    return save


def title_of(figure: Figure) -> str:
    return str(figure.get_suptitle())


def headings(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def told(axes: Axes) -> list[str]:
    """The texts of the legend."""
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


# --- the package ---


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


# --- one training ---


def journal(epochs: int, valid: bool = True, steps: int = 8) -> list[dict[str, Any]]:
    """A run's journal whose validation loss is best in epoch 2."""
    records: list[dict[str, Any]] = [{"kind": "started", "time": 0}]
    for epoch in range(1, epochs + 1):
        for step in range(epoch * 80 - 70, epoch * 80 + 1, 10)[:steps]:
            norms = {"gradient_norm": 1.0, "gradient_norm_max": 3.0, "clipped_fraction": 0.25}
            line = {"kind": "step", "time": step, "epoch": epoch, "step": step, "refused": 0}
            records += [{**line, **norms, "loss": 2.0 / (1 + step / 80)}]
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
    assert title_of(figure) == "How the training went"
    expected = ["Loss", "F1 on the validation part", "Gradient norm before clipping", ""]
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


def test_values_that_are_not_finite_are_gaps_and_refused_steps_are_told(saved: Saver) -> None:
    records = journal(3)
    records[2] |= {"loss": "nan", "gradient_norm": "nan", "refused": 5}
    records[-1]["valid"]["loss"] = "inf"
    records[-1]["gradient"]["refused"] = 5
    figure = saved(figures.learning_curves(records, "valid/loss"))
    assert figure.axes[-1].get_xlabel() == "epoch (5 steps refused: gradient not finite)"
    assert math.isnan(figure.axes[0].lines[0].get_ydata()[1])


# --- labels ---


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
    assert {r"\$7\$ □", r"\$29\$ □"} <= set(shown)


# --- numbers ---


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
    assert headings(figure)[:2] == ["a: mean absolute error 0.25", "Error by step ahead"]
    bars = [bar.get_height() for bar in errors.patches]
    np.testing.assert_allclose(bars, [0.1, 0.2, 0.3, 0.4])
    assert told(first) == ["truth", "forecast, each from its dot"]
    assert sum(to_hex(line.get_color()) == RED for line in first.lines) == 10


def test_forecasts_of_one_step_are_one_line(saved: Saver) -> None:
    figure = saved(figures.forecasts(windows(1, ("a",)), ("a",)))
    assert title_of(figure) == "Forecasts 1 step ahead over the truth"
    assert told(figure.axes[0]) == ["truth", "forecast"]
    assert len(figure.axes) == 1


def test_forecasts_show_four_targets_and_long_horizons_as_lines(saved: Saver) -> None:
    targets = tuple("abcde")
    figure = saved(figures.forecasts(windows(30, targets), targets))
    assert title_of(figure).endswith("(first 4 of 5 targets)")
    assert len(figure.axes) == 8
    assert told(figure.axes[1]) == ["middle half", "mean"]
    assert not figure.axes[1].patches


@pytest.mark.parametrize("horizon", [1, 4, 30, 100])
def test_chosen_windows_are_whole_and_never_overlap(horizon: int) -> None:
    chosen = forecast.last_windows(windows(horizon, ("a",), count=250), horizon)
    assert chosen["row"].is_unique
    assert (chosen.groupby("start").size() == horizon).all()
    assert chosen["row"].max() == 100 + 250 + horizon - 2, "the last window is shown"


# --- text ---


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


# --- searches ---


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


def stars(axes: Axes) -> list[tuple[float, float]]:
    """Where the best is marked: the only points in the best's colour."""
    return [
        tuple(offset)
        for points in axes.collections
        if len(points.get_facecolor()) and to_hex(points.get_facecolor()[0]) == RED
        for offset in np.asarray(points.get_offsets())
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


# --- code ---

SOURCE = 'def f(x):\n\treturn "é中\x07"  # seen\n'
TAGS = (
    ["keyword"] * 3 + ["space", "definition", "operator", "name"] + ["operator"] * 2 + ["space"] * 2
    + ["keyword"] * 6 + ["space"] + ["string"] * 5 + ["space"] * 2 + ["comment"] * 6 + ["space"]
)  # fmt: skip
LABELS = tuple(sorted(COLOURS))


def pieces(predicted: list[str]) -> list[tuple[list[str], list[str], list[str]]]:
    """The source in pieces of seven characters."""
    cut = [slice(i, i + 7) for i in range(0, len(SOURCE), 7)]
    return [(list(SOURCE[c]), TAGS[c], predicted[c]) for c in cut]


def test_code_is_drawn_in_runs_and_its_wrong_characters_are_marked(saved: Saver) -> None:
    guess = list(TAGS)
    guess[4] = "name"
    figure = saved(figures.coloured_code(pieces(guess), LABELS))
    network, truth, below = figure.axes
    title = figure.texts[0].get_text()
    assert title == "The network colours 97.0% of this page's 33 characters right"
    assert headings(figure)[:2] == ["By the network", "By the truth"]
    drawn = {t.get_text().strip(): to_hex(t.get_color()) for t in truth.texts}
    assert drawn == {
        "def": COLOURS["keyword"],
        "f": COLOURS["definition"],
        "(": COLOURS["operator"],
        "x": COLOURS["name"],
        "):": COLOURS["operator"],
        "return": COLOURS["keyword"],
        '"é□□"': COLOURS["string"],
        "# seen": COLOURS["comment"],
    }
    assert {t.get_text(): to_hex(t.get_color()) for t in network.texts}["f"] == COLOURS["name"]
    marks, lines = network.collections
    assert len(marks.get_paths()) == len(lines.get_paths()) == 1
    assert to_hex(marks.get_facecolor()[0]) == MARK
    assert marks.get_paths()[0].get_extents().x0 == 4
    assert not truth.collections
    named = {t.get_text() for t in below.texts}
    assert {*LABELS, "wrong class"} <= named


def test_every_run_stands_at_its_column() -> None:
    lines = page.page_of(page.lines_of(pieces(TAGS)))
    places = [(run.line, run.column, run.text) for run in page.runs(lines, predicted=False)]
    assert places[:3] == [(0, 0, "def"), (0, 4, "f"), (0, 5, "(")]
    assert places[5:] == [(1, 4, "return"), (1, 11, '"é□□"'), (1, 18, "# seen")]


def test_a_tab_goes_to_the_next_stop() -> None:
    (line,) = page.lines_of([(list("ab\tc\r\n"), ["name"] * 6, ["name"] * 6)])
    assert "".join(cell.character for cell in line) == "ab  c"


def test_a_long_line_is_cut_and_says_so() -> None:
    long = ["x"] * 200
    (line,) = page.page_of(page.lines_of([(long, ["name"] * 200, ["name"] * 200)]))
    assert "".join(cell.character for cell in line) == "x" * 79 + "…"


def test_the_page_is_where_the_most_classes_show_and_begins_behind_an_empty_line() -> None:
    dull = [("x" * 10, "comment")] * 60
    lively = [("x", tag) for tag in ("name", "string", "number", "keyword")] * 10
    text = [*dull, ("", ""), *lively, ("", ""), *dull]
    tokens = [c for line, _ in text for c in [*line, "\n"]]
    tags = [t for line, tag in text for t in [*([tag] * len(line)), "space"]]
    shown = page.page_of(page.lines_of([(tokens, tags, tags)]))
    assert [line[0].truth if line else "" for line in shown[:4]] == [
        "name", "string", "number", "keyword",
    ]  # fmt: skip
    assert len(shown) <= page.LINES
    assert {cell.truth for line in shown for cell in line} >= {"name", "string", "number"}


def test_names_of_many_classes_take_several_lines() -> None:
    legend = legend_of([f"class {i} 中" for i in range(40)])
    assert legend[-1].line > 0
    assert legend[0].text == "class 0 □"
    assert all(run.column + len(run.text) + 2 <= 2 * page.COLUMNS for run in legend)


def test_code_without_any_character(saved: Saver) -> None:
    figure = saved(figures.coloured_code([], LABELS))
    assert (
        figure.texts[0].get_text() == "The network colours 0.0% of this page's 0 characters right"
    )
