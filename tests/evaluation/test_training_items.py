"""A file that holds items of the run's training or validation split is told when it is scored."""

import json
from pathlib import Path
from typing import Any

import pandas
import pytest
from trained_runs import train_in

from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder


def texts(first: int, count: int) -> list[str]:
    """Different ones, of few letters, so that a later one has no unknown word."""
    return [f"the {' '.join(f'{i:06b}')} film" for i in range(first, first + count)]


def labelled(first: int, count: int) -> str:
    rows = [f"{text},{'ab'[i % 2]}" for i, text in enumerate(texts(first, count))]
    return "\n".join(["text,label", *rows])


def tagged(first: int, count: int) -> str:
    rows = [text.split() for text in texts(first, count)]
    return "\n".join(json.dumps({"tokens": row, "tags": [word[0] for word in row]}) for row in rows)


def paired(first: int, count: int) -> str:
    return "\n".join(["source\ttarget", *(f"{text}\tfilm" for text in texts(first, count))])


def plain(first: int, count: int) -> str:
    return "\n".join(texts(first, count))


def vectors(first: int, count: int) -> str:
    rows = [f"{i},{i % 5},{'ab'[i % 2]}" for i in range(first, first + count)]
    return "\n".join(["x,y,label", *rows])


def pieces(first: int, count: int) -> str:
    return json.dumps([[[40 + i], [50 + i % 7], [60]] for i in range(first, first + count)])


WORDS, RAW = {"tokenizer": {"kind": "words"}}, {"representation": {"kind": "raw"}}
KINDS: dict[str, tuple[str, dict[str, Any], Any, dict[str, Any], dict[str, Any]]] = {
    "classification": ("a.csv", {"kind": "labelled_text"}, labelled, WORDS, {}),
    "tagging": ("a.jsonl", {"kind": "tokens"}, tagged, WORDS, {}),
    "translation": ("a.tsv", {"kind": "pairs"}, paired, WORDS, {}),
    "language_modeling": ("a.txt", {"kind": "text"}, plain, {**WORDS, "max_length": 7}, {}),
    "vector": ("a.csv", {"kind": "vectors"}, vectors, {}, RAW),
    "music": ("a.json", {"kind": "piano_rolls"}, pieces, {}, RAW),
}


@pytest.mark.parametrize("kind", KINDS)
def test_items_of_the_training_split_are_counted(kind: str, tmp_path: Path) -> None:
    name, source, content, data, model = KINDS[kind]

    def written(before: str, first: int, count: int) -> str:
        (tmp_path / f"{before}{name}").write_text(content(first, count))
        return str(tmp_path / f"{before}{name}")

    files = {"kind": "files", "valid": written("valid", 20, 10), "test": written("test", 30, 8)}
    tree: dict[str, Any] = {
        "name": "s",
        "task": {"kind": kind},
        "data": {"source": {**source, "path": written("train", 0, 20)}, "split": files, **data},
        "model": {"hidden": 4, **model},
        "train": {"epochs": 1},
    }
    train_in(tmp_path / "run", Experiment.model_validate(tree), tmp_path)

    def scored(first: int, count: int) -> Any:
        return evaluate_file(RunFolder(tmp_path / "run"), written("new", first, count), tmp_path)

    other = scored(30, 8)
    assert (other["duplicates"], other["notes"]) == ({"train": 0, "valid": 0, "alike": 0}, [])
    some = scored(15, 9)
    assert some["duplicates"] == {"train": 5, "valid": 4, "alike": 0}
    (note,) = some["notes"]
    assert note.startswith("items that are also in the run's training split: 5, in its validation")


def test_texts_that_differ_in_unknown_words_are_counted_apart(tmp_path: Path) -> None:
    rows = ["text,label", *(f"a{'b' * (k % 4)} w{k} c,{'xy'[k % 2]}" for k in range(40))]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    tree: dict[str, Any] = {
        "name": "s",
        "task": {"kind": "classification"},
        "data": {
            "source": {"kind": "labelled_text", "path": str(tmp_path / "a.csv")},
            "tokenizer": {"kind": "words", "minimum_count": 3},
        },
        "model": {"hidden": 4},
        "train": {"epochs": 1},
    }
    train_in(tmp_path / "run", Experiment.model_validate(tree), tmp_path)
    (tmp_path / "new.csv").write_text("text,label\nab new c,x\nc,y\n")
    found = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "new.csv"), tmp_path)
    assert found["duplicates"] == {"train": 0, "valid": 0, "alike": 1}
    assert "training split: 0 (1 more differ at most in unknown tokens), in" in found["notes"][0]


def test_windows_of_the_training_rows_of_a_series_are_counted(tmp_path: Path) -> None:
    times = pandas.date_range("2024-01-01", periods=60)
    table = pandas.DataFrame({"time": times, "load": [(k * k) % 101 for k in range(60)]})
    table.to_csv(tmp_path / "a.csv", index=False)
    tree: dict[str, Any] = {
        "name": "s",
        "task": {"kind": "forecasting", "horizon": 2, "season": 7},
        "data": {
            "source": {"kind": "table", "path": str(tmp_path / "a.csv")},
            "split": {"kind": "time", "valid": 0.2, "test": 0.2},
            "window": 5,
        },
        "model": {"hidden": 4, **RAW},
        "train": {"epochs": 1},
    }
    trained = train_in(tmp_path / "run", Experiment.model_validate(tree), tmp_path)
    found = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "a.csv"), tmp_path)
    splits = trained.prepared.splits
    counts = {name: len(splits[name]) for name in ("train", "valid")}
    assert found["duplicates"] == {**counts, "alike": 0}
    table.tail(12).to_csv(tmp_path / "new.csv", index=False)
    found = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "new.csv"), tmp_path)
    assert (found["items"], found["duplicates"]) == (6, {"train": 0, "valid": 0, "alike": 0})
