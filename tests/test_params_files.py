"""Every params file in `params/`, shortened: prepared, trained, evaluated, drawn."""

import html
import math
import os
from pathlib import Path
from typing import Any

import pytest
from example_params import FILES, ROOT, SHORT, experiment_of

from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.evaluation.finalize import NO_SWEEP, collect_result, finalize, predictions_of
from rnnkit.params import Experiment
from rnnkit.report.run import write_run_report
from rnnkit.report.run_figures import draw
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.tasks.predictions import MEASURES
from rnnkit.training.train_into import train_into

MORE: dict[str, dict[str, Any]] = {
    "python_docstrings": {"data.limit": 500},  # of 20 classes
    "digit_strings": {
        "data.limit": 90,
        **{f"data.source.join.{split}": 12 for split in SPLITS},
    },
}


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in params files are relative to where the command is typed."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_params_file_runs_to_a_scored_model(file: Path, tmp_path: Path) -> None:
    experiment = experiment_of(file, SHORT | MORE.get(file.stem, {}))
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    folder = RunFolder(tmp_path / "run")
    folder.create(experiment, {})
    last = list(train_into(folder, experiment, prepared))[-1]
    assert last.epoch == 1
    result = finalize(folder, experiment, prepared, tmp_path / "prepared")
    for name in experiment.task.metrics:
        value = result["test"][name]
        assert math.isfinite(value)
        assert value <= 1 if name == "r2" else value >= 0
    said = {name for metrics in result["baselines"].values() for name in metrics}
    assert set(result["shown"][:2]) <= said
    predictions = predictions_of(folder)
    drawn = draw(folder, experiment, prepared, predictions, [], {})
    assert {path.name for path in drawn} >= {"learning_curves.png", "network.png"}
    assert len(drawn) >= 2
    measured = predictions.measured()
    assert measured.name in MEASURES
    assert measured.items["weight"].sum() > 0
    result = collect_result(result, prepared, {}, NO_SWEEP)
    write_run_report(folder, experiment, prepared, predictions, result, [])
    page = (folder.path / "report.html").read_text()
    assert result["verdict"] in html.unescape(page)
    pictures = {*(folder.path / "figures").glob("*.png")}
    assert pictures > {*drawn}  # and those of the diagnosis
    assert page.count("data:image/png;base64,") == len(pictures)
    folder.finish(result)
    assert folder.status == "finished"


def facts_of(name: str, tmp_path: Path) -> tuple[Experiment, Any, dict[str, Any]]:
    experiment = experiment_of(ROOT / "params" / name, {})
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    task = task_for(experiment.task, prepared)
    return experiment, prepared, score(task, prepared, prepared.splits["test"])


def test_ptb_has_10000_words_and_the_published_unigram_perplexity(tmp_path: Path) -> None:
    _, prepared, beside = facts_of("ptb_small.yaml", tmp_path)
    assert prepared.facts["vocabulary"] == 10_000
    assert prepared.facts["tokens"]["test"] == 82_430
    assert beside["unigram"]["perplexity"] == pytest.approx(639.30, abs=0.05)
    assert beside["bigram"]["perplexity"] < beside["unigram"]["perplexity"]


def test_sst2_has_a_majority_of_half(tmp_path: Path) -> None:
    _, prepared, beside = facts_of("sst2.yaml", tmp_path)
    assert [len(prepared.splits[p]) for p in ("train", "valid", "test")] == [6_920, 872, 1_821]
    counts = prepared.facts["labels"]["test"]
    assert max(counts.values()) / sum(counts.values()) == pytest.approx(0.5008, abs=5e-5)
    # the majority of the training split is the other class, by a hair
    assert beside["majority class"]["accuracy"] == pytest.approx(1 - 0.5008, abs=5e-5)


def test_etth1_is_split_by_months_and_repeating_the_last_day_scores_as_known(
    tmp_path: Path,
) -> None:
    _, prepared, beside = facts_of("etth1.yaml", tmp_path)
    rows = [prepared.facts["rows"][p] for p in ("train", "valid", "test")]
    assert rows == [8_640, 2_880, 2_880]
    assert len(prepared.splits["test"]) == 2_857
    assert beside["seasonal naive"]["scaled_mse"] == pytest.approx(0.4244, abs=5e-5)
    assert beside["seasonal naive"]["scaled_mae"] == pytest.approx(0.3892, abs=5e-5)


def test_the_checkout_is_where_the_tests_run() -> None:
    assert Path(os.getcwd()) == ROOT
