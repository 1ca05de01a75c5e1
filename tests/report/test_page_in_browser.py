"""A report in a browser: long values wrap, and numbers stay whole."""

from pathlib import Path

import pytest
from browser import CHROMIUM, opened

from rnnkit.report.page import picture, render

LONG = "a_name_without_any_place_to_break_it_" * 10
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCROLLED = """Math.max(...[...document.querySelectorAll('.scroll')].map(
    table => table.scrollWidth - table.clientWidth))"""
LINES = """Math.max(...[...document.querySelectorAll('td')].filter(
    cell => cell.innerText.startsWith('0.2601')).map(cell => {
        const range = document.createRange(); range.selectNodeContents(cell);
        return new Set([...range.getClientRects()].map(line => line.top)).size; }))"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_long_values_wrap_and_numbers_do_not(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    from rnnkit import figures

    figures.save(Figure(figsize=(12, 2)), tmp_path / "figure.png")
    image = picture(tmp_path / "figure.png")
    scores = [{"": "GRU, 1 layer of 8", "accuracy": 0.123456, "loss": 12.3456, "ours": True}]
    page = render(
        "run.html", title="a-0123456789", network="GRU", task="tagging", parameters=1234,
        verdict="x " * 200, scores=scores, start={}, params="a: 1", notes=[LONG], training="",
        diagnosed=[], verdicts=[],
        chosen={"data.source.path": LONG, "model.representation.characters.hidden": 50},
        data={"labels": ", ".join(f"label{k}" for k in range(90)), "sha256": "0" * 64},
        pictures={"network": image, "learning_curves": image}, trials=[], trials_summary="",
        searched=[], others=[], tables=[("By type", [{"type": "LOC", "f1": 0.123456}])],
        samples=[{"text": LONG}], heading="Mistakes", seconds={"train": 1.5},
        mistakes=[{"item": 123456, "truth": "a", "probability": 0.98765, "text": LONG * 3}],
        versions={"python": "3.11", "data": "0" * 64},
    )  # fmt: skip
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "profile").mkdir()
    with opened((tmp_path / "page.html").as_uri(), tmp_path / "profile") as tab:
        assert tab.shows("Mistakes")
        assert tab.evaluate("innerWidth") <= 1000
        assert tab.evaluate(WIDE) <= 0
        assert tab.evaluate(SCROLLED) <= 0


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_figures_of_a_comparison_stay_whole(tmp_path: Path) -> None:
    row = {"variant": "a variant with a long name", "network": "bidirectional GRU, 2 layers of 48"}
    row |= {f"metric{number}": "0.2601" for number in range(12)}
    row |= {"difference": "+0.2874 [+0.195, +0.379] better", "parameters": 123456}
    page = render(
        "comparison.html", title="a", told="", verdicts=[], rows=[row, row], pictures={},
        differing=[], runs=[row],
    )  # fmt: skip
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "profile").mkdir()
    with opened((tmp_path / "page.html").as_uri(), tmp_path / "profile") as tab:
        assert tab.shows("The runs")
        assert tab.evaluate("document.body.innerText.includes('What differs')") is False
        assert tab.evaluate(LINES) == 1
