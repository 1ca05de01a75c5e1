"""What `rnnkit check` and `rnnkit evaluate` tell of labels: counts, and labels that are alike."""

from pathlib import Path

import pytest
from trained_runs import finish_in

from flows.cli.check import _worded
from rnnkit.data.prepare.facts import alike_notes, listed
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.params import Experiment
from rnnkit.tasks import prepare
from rnnkit.training.cost import estimate

ALIKE = "labels that differ by blanks, case or Unicode form alone:"


def experiment(folder: Path, *rows: str) -> Experiment:
    (folder / "a.csv").write_text("\n".join(["text,label,split", *rows]), encoding="utf-8")
    return Experiment.model_validate(
        {
            "name": "l",
            "task": {"kind": "classification"},
            "data": {
                "source": {"kind": "labelled_text", "path": str(folder / "a.csv")},
                "split": {"kind": "column"},
            },
            "model": {"hidden": 3},
            "train": {"epochs": 1},
        }
    )


def told(it: Experiment, home: Path) -> list[str]:
    """Notes on labels."""
    notes = prepare(it.data, it.task, home).notes
    return [note for note in notes if note.startswith("labels")]


ROWS = ("a,pos,train", "b,neg,train", "c,pos,train", "d,pos,valid", "e,neg,test")


def test_check_tells_the_labels_with_their_counts(tmp_path: Path) -> None:
    it = experiment(tmp_path, *ROWS)
    cost = estimate(it, prepare(it.data, it.task, tmp_path))
    assert cost["labels"] == {"neg": 1, "pos": 2}
    assert _worded(cost)["labels"] == "neg 1, pos 2 in train"
    assert told(it, tmp_path) == []


def test_many_labels_are_counted() -> None:
    assert listed({str(k): 1 for k in range(31)}).endswith("29 1 … (31 in all) in train")


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ("Pos", "'Pos' and 'pos'"),
        ("po s", "'po s' and 'pos'"),
        ("pos\u00a0", "'pos' and 'pos\\xa0'"),
        ("\uff50os", "'pos' and '\\uff50os'"),
    ],
)
def test_labels_that_are_alike_are_told(tmp_path: Path, other: str, shown: str) -> None:
    it = experiment(tmp_path, *ROWS, f"f,{other},train")
    assert told(it, tmp_path) == [f"{ALIKE} {shown}"]


def test_a_label_of_test_that_is_like_one_of_training_is_told(tmp_path: Path) -> None:
    it = experiment(tmp_path, *ROWS, "f,Neg,test")
    unseen, alike = told(it, tmp_path)
    assert unseen.startswith("labels of test that training lacks, counted as wrong")
    assert alike == f"{ALIKE} 'neg' and 'Neg'"
    run = finish_in(tmp_path, experiment(tmp_path, *ROWS), "run").folder
    (tmp_path / "b.csv").write_text("text,label\na,NEG\nb,pos\n")
    notes = evaluate_file(run, str(tmp_path / "b.csv"), tmp_path)["notes"]
    assert f"{ALIKE} 'neg' and 'NEG'" in notes


def test_categories_that_are_alike_are_told(tmp_path: Path) -> None:
    rows = [f"abc {k},{name}" for k in range(40) for name in ("left", "Left", "right")]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    tree = {
        "name": "c",
        "task": {"kind": "captioning"},
        "data": {"source": {"kind": "labelled_text", "path": str(tmp_path / "a.csv")}},
    }
    assert f"{ALIKE} 'Left' and 'left'" in told(Experiment.model_validate(tree), tmp_path)


def test_other_labels_are_not_alike() -> None:
    assert alike_notes(["1", "1.0", "a-b", "a_b", "stra\u00dfe", "strase"]) == []
    many = alike_notes([*"aAbBcCdDeEfFgG"])
    assert many[0].endswith("'e' and 'E' and 2 more")
