"""The stages of a run: lines where no terminal is watched, a table in a notebook."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from flows.console import Stages, Terminal, in_notebook, stages


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard output that is no terminal."""
    file = io.StringIO()
    monkeypatch.setattr(stages, "out", Terminal(file=file, soft_wrap=True))
    return file


def go() -> None:
    with Stages() as shown:
        prepare = shown.begin("prepare", total=None)
        shown.end(prepare, "6 / 3 / 3 items")
        train = shown.begin("train", total=3)
        for epoch in (1, 2, 3):
            shown.show(train, epoch, f"valid/loss {1 / epoch:.2f}")
            shown.show(train, epoch, f"valid/loss {1 / epoch:.2f}")  # nothing has changed
        shown.end(train, "valid/loss 0.33")
        fetch = shown.begin("fetch", total=2)
        shown.show(fetch, 1, "")
        shown.end(fetch, "")


def test_each_epoch_is_a_line_where_there_is_no_terminal(written: io.StringIO) -> None:
    go()
    assert written.getvalue().splitlines() == [
        "prepare: 6 / 3 / 3 items",
        "train 1/3: valid/loss 1.00",
        "train 2/3: valid/loss 0.50",
        "train 3/3: valid/loss 0.33",
        "fetch: done",
    ]


def test_nothing_is_shown_where_the_console_is_quiet(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages.out, "quiet", True)
    go()
    assert written.getvalue() == ""


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The HTML that a notebook's cell shows, newest last; a kernel's modules in small."""
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)

    def display(html: str, display_id: bool) -> Any:
        assert display_id
        shown.append(html)
        return handle

    shell = SimpleNamespace(kernel=None)
    modules = {
        "IPython": SimpleNamespace(get_ipython=lambda: shell),
        "IPython.display": SimpleNamespace(HTML=str, display=display),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return shown


def test_a_notebook_has_one_table_that_is_drawn_again(
    cell: list[str], written: io.StringIO
) -> None:
    go()
    assert written.getvalue() == ""
    assert cell[0].count("<tr>") == 1
    assert cell[-1].count("<tr>") == 3
    assert cell[-1].count("✓") == 3
    assert "valid/loss 0.33" in cell[-1]
    assert 'value="1" max="1"' in cell[-1]
    assert len(cell) == 6  # three begins and three ends: epochs within REFRESH_SECONDS are left out


def test_a_notebook_shows_epochs_while_they_go_on(
    cell: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "REFRESH_SECONDS", 0)
    go()
    assert any("<td>2/3</td>" in html and "valid/loss 0.50" in html for html in cell)


def test_texts_are_escaped_in_a_notebook(cell: list[str]) -> None:
    with Stages() as shown:
        shown.end(shown.begin("<b>\x1b", total=None), "<script>")
    assert "&lt;b&gt;\\x1b" in cell[-1]
    assert "<script>" not in cell[-1]


def test_a_python_without_kernel_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_nothing_is_animated_in_the_output_of_a_kernel(cell: list[str]) -> None:
    """A kernel's standard output calls itself a terminal."""
    file = io.StringIO()
    console = Terminal(file=file, force_terminal=True)
    assert not console.is_terminal
    with console.status("starting"):
        pass
    assert file.getvalue() == ""
