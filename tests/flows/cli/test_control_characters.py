"""Control characters of data, names and paths: shown as escapes, never sent to the terminal."""

import io
import json
from pathlib import Path

import pytest
from rich.table import Table
from trained_runs import finish_in
from verb_runs import answers, rnnkit

from flows import cli, console
from flows.console import Stages, Terminal
from flows.pipeline import steps
from flows.pipeline.steps import Run, Search
from rnnkit.errors import HIDDEN
from rnnkit.figures.fonts import FIXED, FONT, readable
from rnnkit.params import load

RED, SHOWN = "\x1b[31mred\x9b0m", r"\x1b[31mred\x9b0m"
PARAMS = """
name: controlled
task: {kind: tagging}
data:
  source: {kind: tokens, path: t.jsonl}
  split: {kind: fractions, valid: 0.2, test: 0.2}
model: {hidden: 6}
train: {epochs: 1}
"""


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data full of control characters, and a finished run on them with its page."""
    folder = tmp_path_factory.mktemp("controlled")
    rows = [
        {"tokens": [RED, f"b{i}", "\x07"][: 1 + i % 3], "tags": [RED, "N\u202e", "V"][: 1 + i % 3]}
        for i in range(40)
    ]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "a.yaml").write_text(PARAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        experiment = load(Path("a.yaml"))
        trained = finish_in(folder / "mlruns", experiment, "controlled-0123456789")
        run = Run(experiment, trained.folder, folder / "mlruns", trained.prepared.sha256)
        steps.draw(run, trained.prepared, Search())
        result = steps.whole_result(dict(trained.result), trained.prepared, {}, Search())
        (trained.folder.path / "fingerprint.json").write_text(json.dumps({"cpu": RED}))
        steps.report(run, trained.prepared, result, Search())
    return folder


def test_a_report_shows_them_as_escapes(controlled: Path) -> None:
    page = next(controlled.glob("mlruns/runs/*/report.html")).read_text()
    assert HIDDEN.search(page) is None
    assert page.count(SHOWN) > 1
    assert r"N\u202e" in page


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "a.yaml"),
        ("runs",),
        ("evaluate", "last"),
        ("evaluate", "last", "t.jsonl"),
        ("predict", "last", "t.jsonl"),
        ("predict", f"{RED}"),
        ("predict", "last", f"{RED}.jsonl"),
        ("evaluate", "last", f"{RED}[/b].jsonl"),
        ("check", f"{RED}.yaml"),
        ("run", "a.yaml", "--set", f"name={RED}"),
        ("run", "a.yaml", f"--{RED}"),
        (f"{RED}",),
        ("runs", "--mlruns", f"{RED}"),
        ("clean", "--mlruns", f"{RED}"),
        ("new", f"{RED}"),
        ("data", "fetch", f"{RED}"),
        ("schedule", "a.yaml", "--cron", f"{RED}"),
    ],
)
def test_no_verb_sends_one(controlled: Path, arguments: tuple[str, ...]) -> None:
    done = rnnkit(controlled, *arguments)
    assert done.returncode in (0, 2), done.stderr
    assert HIDDEN.search(done.stdout + done.stderr) is None
    if done.returncode:
        assert len(done.stderr.splitlines()) == 1


def test_json_holds_them_as_escapes_of_json(controlled: Path) -> None:
    done = rnnkit(controlled, "predict", "last", "t.jsonl")
    assert HIDDEN.search(done.stdout) is None
    assert {RED, "\x07"} <= {token for it in answers(done) for token in it["tokens"]}


def test_a_terminal_gets_escapes_in_texts_and_tables() -> None:
    written = io.StringIO()
    terminal = Terminal(file=written, force_terminal=True, color_system=None)
    table = Table(RED, title=RED)
    table.add_row(RED)
    terminal.print(RED, table)
    assert HIDDEN.search(written.getvalue()) is None
    assert written.getvalue().count(SHOWN) == 4


def test_brackets_and_colons_of_data_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(console.out, "_file", written)
    console.out.print(console.comparison("[/b] :fire:", _RESULT))
    assert "[/b] :fire:" in written.getvalue()


_RESULT = {"shown": ["f1"], "test": {"f1": 1.0}, "network": "[red]", "baselines": {}}


def test_progress_bars_show_them_as_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    terminal = Terminal(file=written, force_terminal=True, color_system=None, width=200)
    monkeypatch.setattr(console.stages, "out", terminal)
    with Stages() as stages:
        stage = stages.begin(RED, total=2)
        stages.show(stage, 1, RED)
        stages.end(stage, f"{RED} [b]")
    shown = written.getvalue()
    assert "\x1b[31mred" not in shown
    assert "\x9b" not in shown
    assert SHOWN in shown
    assert f"{SHOWN} [b]" in shown


@pytest.mark.parametrize("font", [FONT, FIXED])
def test_figures_draw_their_code_points(font: str) -> None:
    for code in (*range(0x09), 0x0B, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x202E, 0xD800):
        drawn = readable(f"a{chr(code)}b", font)
        assert HIDDEN.search(drawn) is None
        assert f"U+{code:04X}" in drawn


def test_every_verb_prints_lines_in_this_way() -> None:
    for file in Path(cli.__file__).parent.glob("*.py"):
        if file.name not in ("__init__.py", "options.py"):
            lines = file.read_text(encoding="utf-8").splitlines()
            bare = [line for line in lines if " print(" in line and "as_message" not in line]
            assert bare == [], file.name
