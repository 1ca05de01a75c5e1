"""Comparisons as commands make them: their page, MLflow, refusals, and runs that fail."""

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas
import pytest
from command import RNNKIT, SMALL, called
from compared_params import TEXT, TREE
from trained_runs import finish_in

from flows import settings as places
from flows.compare import comparison, comparison_folder
from flows.console import Stages
from flows.pipeline.monitor import Monitor
from flows.pipeline.steps import Run
from rnnkit.errors import InputError
from rnnkit.evaluation.comparison.members import members
from rnnkit.evaluation.comparison.table import table
from rnnkit.params import Experiment
from rnnkit.report.comparison import _differing as differing_params
from rnnkit.report.comparison import rows, sentences
from rnnkit.runs.run_folder import RunFolder

VARIANTS = f"""{SMALL}
variants:
  gru: {{}}
  untrained: {{train.optimizer.learning_rate: 1e-9}}
seeds: [0, 1]
"""


class Compared:
    """A finished comparison of the command."""

    def __init__(self, folder: Path, prefect: str) -> None:
        self.prefect = prefect
        self.home, self.params = folder / "mlruns", folder / "small.yaml"
        self.params.write_text(VARIANTS)
        self.status, self.out, self.err = self.command("compare", str(self.params))

    def command(self, *arguments: str) -> tuple[int, str, str]:
        done = called(*RNNKIT, *arguments, "--mlruns", self.home, PREFECT_API_URL=self.prefect)
        return done.returncode, done.stdout, done.stderr

    @property
    def folder(self) -> RunFolder:
        (path,) = (self.home / "comparisons").glob("small-compare-*")
        return RunFolder(path)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Compared:
    return Compared(tmp_path_factory.mktemp("compared"), prefect_api)


def test_the_command_compares_and_says_who_is_better(compared: Compared) -> None:
    assert (compared.status, compared.err) == (0, "")
    assert "untrained is worse than gru: accuracy -" in compared.out
    found = pandas.read_parquet(compared.folder.path / "comparison.parquet")
    assert found["variant"].tolist() == ["gru", "untrained"]
    assert found["runs"].tolist() == [2, 2]
    assert found["verdict"].tolist() == ["", "worse"]
    assert found["accuracy sd"].notna().all()
    assert (found[["parameters", "seconds", "memory"]] > 0).all(axis=None)
    assert sentences(found)[0] in compared.out
    assert rows(found)[0]["accuracy"].count("±") == 1


def test_its_page_stands_alone(compared: Compared) -> None:
    pages = [compared.folder.path / "report.html", *compared.home.glob("runs/*/report.html")]
    assert len(pages) == 5
    for page in pages:
        text = page.read_text()
        addresses = re.findall(r"(?:src|href|url)\s*[=(]\s*\"?([^\"]{0,22})", text)
        assert addresses
        assert set(addresses) == {"data:image/png;base64,"}


def test_mlflow_has_the_comparison_and_its_runs_below_it(compared: Compared) -> None:
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{compared.home / 'mlflow.db'}")
    (experiment,) = (e for e in client.search_experiments() if e.name == "small")
    runs = client.search_runs([experiment.experiment_id])
    by_id = {run.data.tags["rnnkit.run_id"]: run for run in runs}
    parent = by_id.pop(compared.folder.id)
    assert len(by_id) == 4
    for run in by_id.values():
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags["rnnkit.variant"] in ("gru", "untrained")
        assert run.data.metrics["test/accuracy"] >= 0
    artifacts = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert {"report.html", "comparison.parquet", "figures"} <= artifacts
    assert parent.data.metrics["accuracy/gru"] > parent.data.metrics["accuracy/untrained"]


def test_a_finished_comparison_and_its_runs_are_found_again(compared: Compared) -> None:
    journals = {p: p.read_bytes() for p in compared.home.glob("runs/*/journal.jsonl")}
    status, out, _ = compared.command("compare", str(compared.params), "--json")
    assert status == 0
    told = json.loads(out)
    assert told["comparison"] == compared.folder.id
    assert [row["variant"] for row in told["variants"]] == ["gru", "untrained"]
    assert {p: p.read_bytes() for p in journals} == journals


def test_runs_made_at_other_times_are_compared_by_their_ids(compared: Compared) -> None:
    names = {
        (e.seed, e.train.optimizer.learning_rate): p.name
        for p in (compared.home / "runs").glob("small-*")
        if (e := RunFolder(p).experiment)
    }
    chosen = [names[0, 1e-2], names[1, 1e-2], names[0, 1e-9]]
    status, out, err = compared.command("compare", *chosen, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)["variants"]
    assert [row["runs"] for row in told] == [2, 1]
    assert told[1]["verdict"] == "worse"


def test_sweeps_are_grouped_named_and_told_apart_by_the_params_they_chose(tmp_path: Path) -> None:
    """Two sweeps that differ by their seed alone, of which one chose another cell."""
    search = {"model.cell.kind": {"choices": ["rnn", "gru"]}, "model.depth": {"low": 1, "high": 3}}
    chosen = {"a": ("gru", 2), "b": ("rnn", 1), "c": ("gru", 2)}
    runs = []
    for seed, (name, (kind, depth)) in enumerate(chosen.items()):
        run = RunFolder(tmp_path / name)
        sweep = {**TREE, "seed": seed, "tune": {"search": search}}
        run.create(Experiment.model_validate(sweep), {})
        tuned = {"model.cell.kind": kind, "model.depth": depth}
        run.finish({"tuned": tuned, "network": f"{kind.upper()}, {depth} layers"})
        runs.append(run)
    groups = comparison.grouped(runs)
    assert {name: [run.id for run in own] for name, own in groups.items()} == {
        "GRU, 2 layers": ["a", "c"],
        "RNN, 1 layers": ["b"],
    }
    differing = differing_params(groups)
    by_param = {row.pop(""): row for row in differing}
    assert by_param["model.cell.kind"] == {"GRU, 2 layers": "gru", "RNN, 1 layers": "rnn"}
    assert by_param["model.depth"] == {"GRU, 2 layers": "2", "RNN, 1 layers": "1"}
    assert not any(path.startswith("tune") for path in by_param)


REFUSALS = [
    (["nothing.yaml"], "nothing.yaml: there is no such file"),
    (["one"], "one: is one run, and nothing to compare it with; give two or more, or a params"),
    (["one", "two"], "one: there is no such run in"),
    (["one", "one"], "one: is given 2 times; give each run once"),
    (["one", "two", "--set", "seed=1"], "--set changes a params file, and these are runs"),
    (["one", "two", "--workers", "2"], "--workers is for a params file, and these are runs"),
    (
        ["a.yaml", "b.yaml"],
        "a.yaml: is a params file, one of 2 names; give one params file, or runs by their ids",
    ),
    (["one", "b.yml"], "b.yml: is a params file, one of 2 names; give one params file, or"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSALS)
def test_what_cannot_be_compared_is_refused_in_one_line(
    compared: Compared, arguments: list[str], message: str
) -> None:
    status, _, err = compared.command("compare", *arguments)
    assert status == 2
    assert err.startswith(f"rnnkit: {message}")
    assert len(err.splitlines()) == 1


def test_one_run_by_two_of_its_names_is_refused(compared: Compared) -> None:
    run = next((compared.home / "runs").glob("small-*"))
    status, _, err = compared.command("compare", run.name, str(run))
    assert status == 2
    assert err == f"rnnkit: {run.name}: is given 2 times; give each run once\n"


def test_runs_of_different_tasks_are_refused(tmp_path: Path) -> None:
    tree = {"task": {"kind": "language_modeling"}, "data": {"source": TEXT}}
    other = Experiment.model_validate({**TREE, **tree})
    runs = [RunFolder(tmp_path / name) for name in "ab"]
    for run, experiment in zip(runs, (Experiment.model_validate(TREE), other), strict=True):
        run.create(experiment, {})
    with pytest.raises(
        InputError,
        match="runs of one task can be compared, and a is of tagging, b of language_modeling",
    ):
        table({"a": runs[:1], "b": runs[1:]})


def test_runs_whose_true_texts_differ_are_refused(tmp_path: Path) -> None:
    rows = [f"a B {k}\tB a {k}" for k in range(40)]
    (tmp_path / "p.tsv").write_text("\n".join(["source\ttarget", *rows]))
    groups = {}
    for name, lower in (("cased", False), ("lower", True)):
        tree = {
            "name": name,
            "task": {"kind": "translation"},
            "data": {
                "source": {"kind": "pairs", "path": str(tmp_path / "p.tsv")},
                "split": {"kind": "fractions", "valid": 0.2, "test": 0.2},
                "tokenizer": {"kind": "words", "lowercase": lower},
            },
            "model": {"hidden": 4, "target_embedding": 4},
            "train": {"epochs": 1},
        }
        groups[name] = [finish_in(tmp_path, Experiment.model_validate(tree), name).folder]
    with pytest.raises(
        InputError, match="lower: not comparable with cased: the reference texts would"
    ):
        table(groups)


def test_run_says_that_a_file_with_variants_is_compared(compared: Compared) -> None:
    status, _, err = compared.command("run", str(compared.params))
    assert status == 2
    assert err == "rnnkit: small: has variants to compare; rnnkit compare runs them\n"


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ("failed", "lstm, seed 3: ValueError: no luck"),
        ("not at all", "gru, seed 3: it was interrupted"),
        ("dies", "a worker died, as processes do that the system kills for memory"),
    ],
)
def test_a_run_that_does_not_finish_fails_the_comparison_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str, message: str
) -> None:
    variants = {"gru": {}, "lstm": {"model.cell.kind": "lstm"}}
    of_params = members(Experiment.model_validate({**TREE, "variants": variants, "seeds": [3]}))
    names = [member.variant for member in of_params]
    runs = [
        Run(member.experiment, RunFolder(tmp_path / "runs" / member.variant), tmp_path, "")
        for member in of_params
    ]
    for run in runs:
        run.folder.create(run.experiment, {})

    def run_tasks(*_: Any) -> bool:
        if ends == "failed":
            runs[0].folder.finish({"verdict": "It beats its best baseline."})
            runs[1].folder.append("failed", reason="ValueError: no luck")
        return ends != "dies"

    monkeypatch.setattr(comparison, "run_tasks", run_tasks)
    monkeypatch.setattr(Monitor, "send_children", lambda *_: None)  # no MLflow
    settings, stop = places.read(tmp_path), tmp_path / "stop"
    monitor = Monitor(settings, RunFolder(tmp_path / "comparisons" / "c"), Stages())
    with pytest.raises(comparison.ComparisonFailed, match=message):
        comparison._run_all(runs, names, settings, 2, stop, monitor, Mock())


def test_a_comparison_is_found_by_its_runs_their_order_and_their_names(tmp_path: Path) -> None:
    settings = places.read(tmp_path)
    runs = ["a", "b"]
    found = [
        comparison_folder(settings, "x", runs, names).path
        for names in ([], ["gru", "lstm"], ["gated", "lstm"])
    ]
    found.append(comparison_folder(settings, "x", runs[::-1]).path)
    assert len(set(found)) == len(found)
    assert comparison_folder(settings, "x", runs, ["gru", "lstm"]).path == found[1]
