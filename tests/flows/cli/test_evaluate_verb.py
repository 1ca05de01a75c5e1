"""`rnnkit evaluate` and `rnnkit backtest`."""

from datetime import date, timedelta
from pathlib import Path

from verb_runs import answers, rnnkit


def test_evaluate_shows_the_test_part_or_scores_a_file(here: Path) -> None:
    shown = rnnkit(here, "evaluate", "words")
    assert shown.returncode == 0
    assert "words-0123456789: test split" in shown.stdout
    assert "most frequent tag per token" in shown.stdout
    (scored,) = answers(rnnkit(here, "evaluate", "words", "t.jsonl", "--json"))
    assert scored["items"] == 40
    assert set(scored["baselines"]) == {"most frequent tag", "most frequent tag per token"}
    assert 0 <= scored["test"]["accuracy"] <= 1


def test_backtest_runs_every_fold_once(tmp_path: Path) -> None:
    rows = [f"{date(2024, 1, 1) + timedelta(days=k)},{k % 7}" for k in range(120)]
    (tmp_path / "s.csv").write_text("\n".join(["time,x", *rows]))
    (tmp_path / "f.yaml").write_text(
        "name: f\ntask: {kind: forecasting}\ndata:\n  source: {kind: table, path: s.csv}\n"
        "  split: {kind: time, valid: 0.1, test: 0.4}\n  window: 7\n"
        "model: {representation: {kind: raw}, hidden: 4}\ntrain: {epochs: 1}\n"
    )
    done = rnnkit(tmp_path, "backtest", "f.yaml", "--folds", "2", "--json")
    (folds,) = answers(done)
    assert [fold["until"] for fold in folds] == [folds[1]["from"], "the end"]
    assert len({fold["run"] for fold in folds}) == 2
    again = rnnkit(tmp_path, "backtest", "f.yaml", "--folds", "2")
    assert again.returncode == 0
    assert "seasonal naive" in again.stdout
    assert folds[0]["run"] in again.stdout
