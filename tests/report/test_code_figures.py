"""Figures of tagged code."""

from drawn_figures import Saver, headings
from matplotlib.colors import to_hex

from rnnkit import figures
from rnnkit.figures import code
from rnnkit.figures.code import COLOURS, MARK, legend_of

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
        '"é[4E2D][0007]"': COLOURS["string"],
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
    lines = code.page_of(code.lines_of(pieces(TAGS)))
    runs = code.runs(lines, lambda cell: cell.truth)
    places = [(run.line, run.column, run.text) for run in runs if not run.text.isspace()]
    assert places[:3] == [(0, 0, "def"), (0, 4, "f"), (0, 5, "(")]
    assert places[5:] == [(1, 4, "return"), (1, 11, '"é[4E2D][0007]"'), (1, 28, "# seen")]


def test_a_tab_goes_to_the_next_stop() -> None:
    (line,) = code.lines_of([(list("ab\tc\r\n"), ["name"] * 6, ["name"] * 6)])
    assert "".join(cell.character for cell in line) == "ab  c"


def test_a_long_line_is_cut_and_says_so() -> None:
    long = ["x"] * 200
    (line,) = code.page_of(code.lines_of([(long, ["name"] * 200, ["name"] * 200)]))
    assert "".join(cell.character for cell in line) == "x" * 79 + "…"


def test_the_page_is_where_the_most_classes_show_and_begins_behind_an_empty_line() -> None:
    dull = [("x" * 10, "comment")] * 60
    lively = [("x", tag) for tag in ("name", "string", "number", "keyword")] * 10
    text = [*dull, ("", ""), *lively, ("", ""), *dull]
    tokens = [c for line, _ in text for c in [*line, "\n"]]
    tags = [t for line, tag in text for t in [*([tag] * len(line)), "space"]]
    shown = code.page_of(code.lines_of([(tokens, tags, tags)]))
    assert [line[0].truth if line else "" for line in shown[:4]] == [
        "name", "string", "number", "keyword",
    ]  # fmt: skip
    assert len(shown) <= code.LINES
    assert {cell.truth for line in shown for cell in line} >= {"name", "string", "number"}


def test_names_of_many_classes_take_several_lines() -> None:
    legend = legend_of([f"class {i} 中" for i in range(40)])
    assert legend[-1].line > 0
    assert legend[0].text == "class 0 U+4E2D"
    assert all(run.column + len(run.text) + 2 <= 2 * code.COLUMNS for run in legend)


def test_code_without_any_character(saved: Saver) -> None:
    figure = saved(figures.coloured_code([], LABELS))
    assert (
        figure.texts[0].get_text() == "The network colours 0.0% of this page's 0 characters right"
    )
