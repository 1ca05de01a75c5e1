"""Characters that matplotlib's font lacks: another font of the machine, else code points."""

from collections.abc import Iterator

import numpy as np
import pandas
import pytest
from drawn_figures import Saver
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.text import Text

from rnnkit import figures
from rnnkit.figures import code, fonts


@pytest.fixture
def square(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A font with one character, 中, as the machine's only further one."""
    pen = TTGlyphPen(None)
    for corner in ((100, 0), (100, 700), (900, 700), (900, 0)):
        (pen.lineTo if corner != (100, 0) else pen.moveTo)(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "middle"])
    builder.setupCharacterMap({ord("中"): "middle"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "middle": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "middle": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path_factory.mktemp("fonts") / "square.ttf"
    builder.save(path)
    monkeypatch.undo()  # of no_further_fonts
    fonts.installed.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(path)])
    listed = list(font_manager.fontManager.ttflist)
    shipped = [entry for entry in listed if "mpl-data" in entry.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", shipped)
    yield "Square"
    fonts.installed.cache_clear()
    fonts.glyphs.cache_clear()


def test_an_installed_font_is_used_for_what_matplotlibs_lacks(square: str, saved: Saver) -> None:
    assert fonts.installed() == (square,)
    assert fonts.readable("中a") == "中a"
    assert fonts.readable("中文") == "中 U+6587"
    labels = ("中", "a", "文")
    table = pandas.DataFrame({"truth": labels, "predicted": labels})
    figure = saved(figures.confusion_matrix(table, labels))  # else with a warning, an error
    names = figure.axes[0].get_yticklabels()
    assert [name.get_text() for name in names] == ["中", "a", "U+6587"]
    assert [square in name.get_fontfamily() for name in names] == [True, False, False]


def test_characters_of_other_fonts_take_two_columns_of_code(square: str, saved: Saver) -> None:
    tokens, tags = list("a中文b"), ["x", "y", "y", "x"]
    (line,) = code.lines_of([(tokens, tags, tags)])
    assert "".join(cell.character for cell in line) == "a中\0[6587]b"
    assert sum(cell.begins for cell in line) == 4
    figure = saved(figures.coloured_code([(tokens, tags, tags)], ("x", "y")))
    assert "page's 4 characters" in figure.texts[0].get_text()
    places = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert places == {"a": 0, "中": 1, "[6587]": 3, "b": 9}
    assert all(
        square in text.get_fontfamily()
        for text in figure.findobj(Text)
        if "中" in text.get_text()  # type: ignore[attr-defined]
    )


def test_without_a_font_two_labels_are_told_apart(saved: Saver) -> None:
    labels = ("正面", "负面", "非常长的标签甲", "非常长的标签乙", "x" * 30, "x" * 31)
    table = pandas.DataFrame({"truth": labels, "predicted": labels})
    figure = saved(figures.confusion_matrix(table, labels))
    names = [name.get_text() for name in figure.axes[0].get_yticklabels()]
    long = "U+975E U+5E38 U+957F U+7684 …"
    assert names[:4] == ["U+6B63 U+9762", "U+8D1F U+9762", f"{long} (3)", f"{long} (4)"]
    assert len(set(names)) == len(names)


def test_attention_of_words_without_glyphs_shows_their_code_points(saved: Saver) -> None:
    figure = saved(figures.attention([(["猫", "が"], ["cat"], np.full((1, 2), 0.5))]))
    source = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in source] == ["U+732B", "U+304C"]
    assert {label.get_rotation() for label in source} == {60}


def test_the_target_of_a_regression_may_have_any_name(saved: Saver) -> None:
    table = pandas.DataFrame({"truth $中": [1.0, 2.0], "predicted $中": [1.0, 2.0]})
    figure = saved(figures.predicted(table, ["$中"]))
    assert figure.axes[0].get_title(loc="left") == r"\$ U+4E2D"
