"""What a run says of its training: the best epoch, and whether early stopping ended it."""

from pathlib import Path
from typing import Any

import pytest
from compared_params import TREE
from trained_runs import finish_in

from flows.console import print_result
from rnnkit.errors import Note
from rnnkit.evaluation.finalize import predictions_of, training_summary
from rnnkit.params import Experiment
from rnnkit.report.run import write_run_report
from rnnkit.report.run_figures import draw
from rnnkit.training.gradients import FlatParameters


def epochs(count: int, **valid: float) -> list[dict[str, Any]]:
    return [{"epoch": number, "valid": valid} for number in range(1, count + 1)]


def test_early_stopping_is_named_with_its_epochs() -> None:
    it = Experiment.model_validate({**TREE, "train": {"epochs": 40, "monitor": "valid/loss"}})
    assert training_summary(it, epochs(9, loss=0.5), 6) == {
        "epochs": 9,
        "stopped_early": True,
        "training": "Early stopping ended the training after epoch 9 of 40: valid/loss was best in "
        "epoch 6 (train.early_stopping: null trains for all epochs).",
    }
    whole = training_summary(it, epochs(40, loss=0.5), 38)
    assert (whole["epochs"], whole["stopped_early"]) == (40, False)
    assert whole["training"] == "valid/loss was best in epoch 38 of 40."
    retrained = it.replace({"train.epochs": 7, "train.early_stopping": None})
    said = training_summary(retrained, epochs(7), 7)["training"]
    assert said == "Trained for 7 epochs, without a validation split."


def test_a_run_that_stopped_early_says_so_in_result_report_and_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hopeless = {"epochs": 8, "optimizer": {"kind": "sgd", "learning_rate": 100.0}}
    hopeless["early_stopping"] = {"patience": 1}
    tree = {**TREE, "data": {**TREE["data"], "limit": 40}, "model": {"hidden": 4}}
    it = Experiment.model_validate({**tree, "train": hopeless})
    folder, prepared, result = finish_in(tmp_path, it, "x-1")
    assert result["half_rate"] is None
    assert result["stopped_early"]
    assert result["epochs"] == len(folder.records("epoch")) == result["best_epoch"] + 1 < 8
    said = f"Early stopping ended the training after epoch {result['epochs']} of 8: "
    assert result["training"].startswith(said)
    predictions = predictions_of(folder)
    draw(folder, it, prepared, predictions, [], {})
    write_run_report(folder, it, prepared, predictions, dict(result), [])
    assert result["training"] in (folder.path / "report.html").read_text()
    print_result("x-1", result)
    assert result["training"] in capsys.readouterr().out


def test_a_run_that_went_back_says_so_in_result_report_and_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {**TREE, "data": {**TREE["data"], "limit": 40}, "model": {"hidden": 4}}
    it = Experiment.model_validate({**tree, "train": {"epochs": 3, "early_stopping": None}})
    usual, steps = FlatParameters.gradient_norm, iter(range(1_000))

    def gradient_norm(flat: FlatParameters) -> float:
        return float("nan") if 4 <= next(steps) < 6 else usual(flat)  # all of the third epoch

    monkeypatch.setattr(FlatParameters, "gradient_norm", gradient_norm)
    with pytest.warns(Note, match="x-1: No gradient was finite from step 5 on"):
        folder, prepared, result = finish_in(tmp_path, it, "x-1")
    assert result["half_rate"] == {"epoch": 1, "step": 2, "refused_from": 5}
    sentence = (
        "No gradient was finite from step 5 on; trained again from the end of epoch 1 with half "
        "the learning rate."
    )
    assert result["training"].endswith(sentence)
    predictions = predictions_of(folder)
    draw(folder, it, prepared, predictions, [], {})
    write_run_report(folder, it, prepared, predictions, dict(result), [])
    assert sentence in (folder.path / "report.html").read_text()
    print_result("x-1", result)
    assert sentence in capsys.readouterr().out.replace("\n", " ")
