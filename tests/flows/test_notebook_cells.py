"""What a notebook's cell shows: a run's table, one line for an error, a run of a dict."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import ROOT, SMALL
from trained_runs import finish_in

from flows import notebook
from flows.launcher import Failure
from flows.notebook import Interrupted, load, run, tune
from rnnkit.errors import InputError
from rnnkit.params import load as load_params
from rnnkit.params.tree import read


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_a_run_is_a_table_with_its_verdict_and_links(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_in(tmp_path / "mlruns", load_params(small), "small-1")
    monkeypatch.chdir(tmp_path)
    done = load("small-1")
    html = done._repr_html_()
    assert "<strong>GRU, 1 layer of 8</strong>" in html
    assert html.count("<tr>") == 2 + len(done.result["baselines"])
    for baseline in done.result["baselines"]:
        assert f">{baseline}</td>" in html
    assert done.result["verdict"] in html
    assert '<a href="mlruns/runs/small-1/report.html"' in html
    assert "MLflow" not in html
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert f'<a href="{(tmp_path / "mlruns/runs/small-1/report.html").as_uri()}"' in (
        load("small-1", tmp_path / "mlruns")._repr_html_()
    )
    pages = {"mlflow": "http://127.0.0.1:5000", "prefect": "http://127.0.0.1:4200/api"}
    monkeypatch.setattr(notebook, "announced", lambda _: pages)
    html = load("small-1", tmp_path / "mlruns")._repr_html_()
    assert '<a href="http://127.0.0.1:5000" ' in html
    assert '<a href="http://127.0.0.1:4200" ' in html


def test_names_in_a_run_are_escaped() -> None:
    from rnnkit.report.summary import run_summary

    result = {"network": "<b>", "test": {"f1": 1.0}, "shown": ["f1"], "baselines": {"<i>": {}}}
    html = run_summary("<a>", {**result, "verdict": "<u>", "tuned": {"<s>": 1}}, {"<p>": "x"})
    assert not any(f"<{tag}>" in html for tag in ("b", "i", "u", "s"))
    assert html.count("&lt;") == 6


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            InputError("a.yaml:3: model.hiden: unknown key"),
            "InputError: a.yaml:3: model.hiden",
        ),
        (
            Failure("a-1 failed: RuntimeError: no\nmore"),
            "Failure: a-1 failed: RuntimeError: no more",
        ),
        (Interrupted(notebook.STOPPED), "interrupted; the same call goes on where it stopped"),
    ],
)
def test_an_error_is_one_line(error: Any, line: str) -> None:
    """IPython shows what `_render_traceback_` gives in place of a traceback."""
    (shown,) = error._render_traceback_()
    assert shown.startswith(line)
    assert "\n" not in shown


def test_an_interrupted_cell_is_one_line(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(notebook, "run_all", interrupt)
    monkeypatch.setattr(notebook, "_settings", lambda _: None)
    with pytest.raises(KeyboardInterrupt) as outside:
        run(small, mlruns=tmp_path)
    assert not isinstance(outside.value, Interrupted)
    monkeypatch.setattr(notebook, "in_notebook", lambda: True)
    monkeypatch.setattr(notebook, "print_notes_as_lines", lambda: None)  # else for all tests
    with pytest.raises(Interrupted, match="the same call goes on where it stopped"):
        run(small, mlruns=tmp_path)


def test_a_dict_is_the_same_experiment_as_its_file(small: Path, tmp_path: Path) -> None:
    tree = read(small).values
    it = load_params(small)
    assert notebook._experiment(tree, {}) == it
    changed = notebook._experiment(tree, {"model.hidden": 9})
    assert (changed.model.hidden, tree["model"]["hidden"]) == (9, 8)  # the dict stays as it is
    table = tmp_path / "a.csv"
    own = {"name": "a", "task": {"kind": "classification"}, "data": {}}
    own["data"] = {"source": {"kind": "labelled_text", "path": table}}  # a Path
    assert notebook._experiment(own, {}).data.source.path == str(table)  # type: ignore[union-attr]
    split = {"kind": "fractions", "valid": 0.1, "test": 0.1}
    tuples = {**tree, "seeds": (0, 1), "data": {**tree["data"], "split": split}}
    assert list(notebook._experiment(tuples, {}).seeds) == [0, 1]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"name": "a"}, "params: task is missing"),
        ({"nme": "a"}, "params: nme: unknown key; did you mean 'name'?"),
        ({"name": "a", "task": {"kind": "taging"}}, "params: task.kind must be one of"),
    ],
)
def test_a_dict_that_is_wrong_is_refused_as_a_file_is(
    tree: dict[str, Any], message: str, tmp_path: Path
) -> None:
    for door in (run, tune):
        with pytest.raises(InputError) as refusal:
            door(tree, mlruns=tmp_path)
        assert str(refusal.value).startswith(message), str(refusal.value)


NOTEBOOK = [
    "from flows.notebook import run\ndone = run('small.yaml', {'train.epochs': 2})",
    "done",
    "run('small.yaml', {'model.hiden': 3})",
    "run({'name': 'a', 'task': {'kind': 'taging'}})",
]


@pytest.mark.slow
def test_the_cells_of_a_kernel(small: Path, tmp_path: Path) -> None:
    """A notebook as Jupyter runs it, without a browser."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in NOTEBOOK]
    path = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(notebook, timeout=300, resources=path, allow_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        client.execute()
    progress, table, *errors = [cell["outputs"] for cell in notebook.cells]
    shown = [output["data"]["text/html"] for output in progress if "data" in output]
    assert len(shown) == 1  # one table, drawn again
    for stage in ("prepare", "train", "evaluate", "draw"):
        assert f"<td>{stage}</td>" in shown[0]
    assert "<td>2/2</td>" in shown[0]
    assert "report.html" in table[0]["data"]["text/html"]
    for (output,) in errors:
        assert output["output_type"] == "error"
        assert output["ename"] == "InputError"
        assert len(output["traceback"]) == 1
        assert "\n" not in output["traceback"][0]
    assert "Traceback" not in json.dumps([progress, table])
    streams = [output["text"] for output in progress if output["output_type"] == "stream"]
    assert not any("Warning" in text for text in streams)
