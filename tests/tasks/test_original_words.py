"""Texts in reports have their words as the source has them, not the unknown token."""

from pathlib import Path
from typing import Any

import pandas
import pytest
from trained_runs import Trained, train_in

from rnnkit.data.prepare.store import ORIGINALS
from rnnkit.params import Experiment
from rnnkit.report.run import write_run_report
from rnnkit.tasks import load_prepared, prepare
from rnnkit.tasks import predictions_of as typed
from rnnkit.tasks.predictions import Items
from rnnkit.training import evaluate

WORDS = ["the", "film", "was", "good", "bad"]


def experiment(source: dict[str, Any], task: Any, **data: Any) -> Experiment:
    tree = {
        "name": "x",
        "task": task if isinstance(task, dict) else {"kind": task},
        "data": {
            "source": source,
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.3},
            "tokenizer": {"kind": "words", "minimum_count": 2, "lowercase": True},
            **data,
        },
        "model": {"hidden": 4},
        "train": {"epochs": 1},
    }
    if tree["task"].get("state") == "carried":
        tree["train"]["bptt"] = 7
    return Experiment.model_validate(tree)


def labelled(folder: Path) -> dict[str, Any]:
    rows = [f"The Film{k} was GOOD,{'pos' if k % 2 else 'neg'}" for k in range(60)]
    (folder / "r.csv").write_text("\n".join(["text,label", *rows]))
    return {"kind": "labelled_text", "path": str(folder / "r.csv")}


def lines(folder: Path) -> dict[str, Any]:
    rows = [f"The Film{k} was {WORDS[3 + k % 2].upper()} the film was" for k in range(90)]
    (folder / "t.txt").write_text("\n".join(rows))
    return {"kind": "text", "path": str(folder / "t.txt"), "unit": "line"}


def test_a_classified_text_is_shown_as_it_was(tmp_path: Path) -> None:
    it = experiment(labelled(tmp_path), "classification")
    prepared = prepare(it.data, it.task, tmp_path)
    items = Items(prepared)
    for item in prepared.splits["test"].item.tolist():
        assert items.text(item) == f"The Film{item} was GOOD"
        assert items.pieces(item) == ["The", f"Film{item}", "was", "GOOD"]


def test_a_tagged_sentence_is_shown_as_it_was(tmp_path: Path) -> None:
    rows = [f"Ann B-PER\nwas O\nin O\nRome{k} B-LOC\n" for k in range(60)]
    (tmp_path / "a.conll").write_text("\n".join(rows))
    source = {"kind": "conll", "path": str(tmp_path / "a.conll")}
    it = experiment(source, "tagging")
    prepared = prepare(it.data, it.task, tmp_path)
    items = Items(prepared)
    for item in prepared.splits["test"].item.tolist():
        assert items.pieces(item) == ["Ann", "was", "in", f"Rome{item}"]


def test_data_of_an_older_version_are_shown_as_they_are_read(tmp_path: Path) -> None:
    it = experiment(labelled(tmp_path), "classification")
    place = tmp_path / "prepared" / prepare(it.data, it.task, tmp_path).sha256
    (place / ORIGINALS).unlink()
    older = load_prepared(place, it.data, it.task)
    item = int(older.splits["test"].item[0])
    assert Items(older).text(item) == "the <unk> was good"


@pytest.mark.parametrize(("state", "window"), [("reset", None), ("reset", 5), ("carried", None)])
def test_a_window_of_a_text_is_what_was_predicted_in_it(
    tmp_path: Path, state: str, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The windows of the table, put together again, are the test split."""
    monkeypatch.setattr(evaluate, "STREAM_STEPS", 9)  # of a text with carried state
    task = {"kind": "language_modeling", "state": state}
    it = experiment(lines(tmp_path), task, max_length=window)
    run = train_in(tmp_path / "run", it, tmp_path)
    items, table = Items(run.prepared), predictions(run).table
    ordered = table.sort_values(["item", "tokens"], ascending=[True, False], kind="stable")
    begin = ordered["tokens"].cumsum() - ordered["tokens"]
    whole = [items.targets(*span) for span in zip(begin, ordered["tokens"], strict=True)]
    rows = (tmp_path / "t.txt").read_text().splitlines()
    truth = [f"{rows[k]} ⏎" for k in sorted(set(run.prepared.splits["test"].item.tolist()))]
    assert " ".join(whole) == " ".join(truth)
    if (state, window) == ("reset", None):
        assert whole == truth
    _, mistakes = predictions(run).mistakes(items)
    assert {row["text"] for row in mistakes} <= set(whole)


def test_a_report_has_texts_of_the_language_model(tmp_path: Path) -> None:
    it = experiment(lines(tmp_path), "language_modeling", max_length=5)
    run = train_in(tmp_path / "run", it, tmp_path)
    again = train_in(tmp_path / "again", it, tmp_path)
    samples = run.result["samples"]
    assert samples == again.result["samples"]
    assert len(samples) == 3
    assert all(
        set(text["text"].split()) <= {"the", "was", "film", "good", "bad"} for text in samples
    )
    page = report(run, it)
    assert "<h2>Generated texts</h2>" in page
    assert page.count(samples[0]["text"]) >= 1


def test_a_report_has_texts_of_categories(tmp_path: Path) -> None:
    it = experiment(labelled(tmp_path), "captioning", tokenizer={"kind": "characters"})
    run = train_in(tmp_path / "run", it, tmp_path)
    assert {text["prompt"] for text in run.result["samples"]} == {"neg", "pos"}
    page = report(run, it)
    assert "<h2>The most probable text of a category</h2>" in page
    assert "<h2>Generated texts</h2>" in page


def test_a_report_of_other_tasks_has_none(tmp_path: Path) -> None:
    it = experiment(labelled(tmp_path), "classification")
    run = train_in(tmp_path / "run", it, tmp_path)
    assert "samples" not in run.result
    assert "Generated texts" not in report(run, it)


def predictions(run: Trained) -> Any:
    return typed(
        run.folder.experiment, pandas.read_parquet(run.folder.path / "predictions.parquet")
    )


def report(run: Trained, it: Experiment) -> str:
    from rnnkit.report.run_figures import draw

    draw(run.folder, it, run.prepared, predictions(run), [], {})
    run.folder.verified("params.yaml")
    result = {**run.result, "seconds": {}}
    write_run_report(run.folder, it, run.prepared, predictions(run), result, [])
    return (run.folder.path / "report.html").read_text()
