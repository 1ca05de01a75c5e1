"""Walk-forward folds: they cover the test split in order and see nothing that comes later."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rnnkit.data import sources
from rnnkit.data.prepare.split_series import split_rows
from rnnkit.errors import InputError
from rnnkit.evaluation.backtest import walk_forward
from rnnkit.params import Experiment
from rnnkit.tasks import prepare


def experiment(folder: Path, rows: int = 100, **split: Any) -> Experiment:
    days = [f"{date(2024, 1, 1) + timedelta(days=k)},{k}" for k in range(rows)]
    (folder / "s.csv").write_text("\n".join(["time,x", *days]))
    return Experiment.model_validate(
        {
            "name": "f",
            "task": {"kind": "forecasting", "horizon": 3},
            "data": {
                "source": {"kind": "table", "path": str(folder / "s.csv")},
                "split": {"kind": "time", "valid": 0.1, "test": 0.4, **split},
                "window": 5,
            },
            "model": {"representation": {"kind": "raw"}},
        }
    )


@pytest.mark.parametrize("until", [None, "2024-04-01"])
def test_folds_cover_the_test_part_and_grow(until: str | None, tmp_path: Path) -> None:
    it = experiment(tmp_path, until=until)
    frame = sources.read(it.data.source, it.data.split)
    whole = split_rows(frame, it.data.split)
    folds = [split_rows(frame, fold.data.split) for fold in walk_forward(it, 4)]
    assert folds[0]["test"][0] == whole["test"][0]
    assert folds[-1]["test"][1] == whole["test"][1]
    for before, after in pairwise(folds):
        assert before["test"][1] == after["test"][0]
    length = whole["valid"][1] - whole["valid"][0]
    for fold in folds:
        assert fold["train"][0] == 0
        assert fold["valid"][1] - fold["valid"][0] == length
        assert fold["valid"][1] == fold["test"][0]
    sizes = {fold["test"][1] - fold["test"][0] for fold in folds}
    assert max(sizes) - min(sizes) <= 1


def test_a_fold_is_an_experiment_that_can_be_prepared(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    for fold in walk_forward(it, 3):
        prepared = prepare(fold.data, fold.task, tmp_path)
        assert min(len(split) for split in prepared.splits.values()) > 0


def test_folds_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a horizon of 3 rows, but the test split has 40 for 20"):
        walk_forward(experiment(tmp_path), 20)
    other = Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "classification"},
            "data": {"source": {"kind": "labelled_text", "path": "a"}},
        }
    )
    with pytest.raises(InputError, match="only forecasts are tested in folds, and the task is cla"):
        walk_forward(other, 2)


def test_a_metric_that_a_fold_lacks_has_no_mean(capsys: pytest.CaptureFixture[str]) -> None:
    from flows.cli.backtest import _table

    folds = [
        {
            "run": f"f{k}",
            "from": "a",
            "until": "b",
            "shown": ("mae", "mase"),
            "test": test,
            "baselines": {"drift": test},
        }
        for k, test in enumerate([{"mae": 1.0}, {"mae": 2.0, "mase": 7.5}])
    ]
    _table("p.yaml", folds)
    lines = [
        [cell.strip() for cell in row.split("│")] for row in capsys.readouterr().out.split("\n")
    ]
    rows = {row[1]: row[4:6] for row in lines if len(row) > 5}
    assert rows == {
        "1": ["1", ""],
        "2": ["2", "7.5"],
        "mean": ["1.5", ""],
        "deviation": ["0.7071", ""],
        "drift": ["1.5", ""],
    }
