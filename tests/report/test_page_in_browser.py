"""A report in a browser: long values wrap, and numbers stay whole."""

from pathlib import Path

import pytest
from browser import CHROMIUM, opened

from rnnkit.report.page import picture, render

LONG = "/a/folder/" + "with-a-very-long-name/" * 20 + "file.csv"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SCROLLED = """Math.max(...[...document.querySelectorAll('.scroll')].map(
    table => table.scrollWidth - table.clientWidth))"""


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
        one_line = 2 * float(tab.evaluate("parseFloat(getComputedStyle(document.body).lineHeight)"))
        short = tab.evaluate("document.querySelector('tr.ours td.number').clientHeight")
        assert short < one_line
