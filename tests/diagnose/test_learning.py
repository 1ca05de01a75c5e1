"""Verdicts on loss curves: each provoked, and none on curves of runs that learned well."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from small_training import experiment_of, prepared_of

from rnnkit.diagnose import learning
from rnnkit.diagnose.fit import FIT
from rnnkit.diagnose.subject import Case
from rnnkit.tasks import task_for

TREC = (
    [0.944, 0.385, 0.189, 0.105, 0.076, 0.057, 0.042, 0.038, 0.036],
    [0.629, 0.476, 0.424, 0.426, 0.454, 0.496, 0.524, 0.564, 0.607],
)
"""Of params/trec.yaml, whose accuracy was best in epoch 6."""
SST2 = (
    [0.577, 0.321, 0.183, 0.11, 0.062, 0.043, 0.026, 0.022],
    [0.448, 0.461, 0.563, 0.644, 0.773, 0.826, 0.926, 1.005],
)
SUNSPOTS = (
    [1.209, 0.711, 0.469, 0.281, 0.208, 0.181, 0.176, 0.15, 0.135, 0.127, 0.133, 0.125, 0.121],
    [0.685, 0.401, 0.208, 0.15, 0.128, 0.112, 0.108, 0.109, 0.101, 0.1, 0.118, 0.105, 0.103],
)
MULTI30K = [4.683, 3.812, 3.519, 3.352, 3.238], [2.939, 2.429, 2.205, 2.086, 1.965]
ETTH1 = [0.397, 0.385, 0.377, 0.37, 0.366], [0.368, 0.361, 0.358, 0.357, 0.352]
TOKENS = [1.047, 0.403, 0.184], [0.71, 0.508, 0.298]
"""Of params/demo.yaml: the last epoch's loss is far below all others."""


def case_of(
    train: Sequence[float],
    valid: Sequence[float] = (),
    *,
    first: float | None = None,
    learned: bool | None = False,
    changes: Mapping[str, Any] | None = None,
) -> Case:
    """A training with these losses of its epochs, the best of the lowest validation loss."""
    journal: list[dict[str, Any]] = []
    if first is not None:
        journal.append({"kind": "step", "loss": first})
    for number, loss in enumerate(train):
        line = {"kind": "epoch", "epoch": number + 1, "train": {"loss": loss}, "valid": {}}
        line["improved"] = True
        if valid:
            line["valid"] = {"loss": valid[number]}
            line["improved"] = valid[number] == min(valid[: number + 1])
        journal.append(line)
    experiment = experiment_of(changes or {})
    task = task_for(experiment.task, prepared_of(experiment))
    return Case(experiment, task, journal, learned=learned)


def names(case: Case) -> list[str]:
    return [verdict.name for verdict in learning.judge(case)]


@pytest.mark.parametrize("curve", [TREC, SUNSPOTS, MULTI30K, ETTH1, TOKENS])
def test_curves_of_networks_that_beat_their_baseline_give_no_verdict(curve: Any) -> None:
    assert names(case_of(*curve, first=2 * curve[0][0], learned=True)) == []


def test_overfitting_is_named_with_its_epoch_and_capacity() -> None:
    case = case_of(*SST2, learned=True)
    case = replace(case, measured={FIT: {"parameters": 12_000, "targets": 900}})
    (verdict,) = learning.judge(case)
    assert verdict.name == "overfitting"
    assert verdict.sentence.startswith(
        "overfits from epoch 1 on: the validation loss rose from 0.448 to 1 while the training "
        "loss fell from 0.577 to 0.022"
    )
    assert verdict.sentence.endswith("12,000 parameters for 900 targets")
    assert verdict.options[:2] == ("--set model.dropout=0.6", "--set model.hidden=4")


def test_a_loss_that_rises_on_both_splits_is_no_overfitting() -> None:
    assert names(case_of([0.5, 0.3, 0.3], [0.4, 0.3, 0.9], first=1.0, learned=True)) == []


@pytest.mark.parametrize("learned", [True, False])
def test_a_training_loss_that_rises_has_too_high_a_learning_rate(learned: bool) -> None:
    case = case_of([1.0, 0.5, 0.9, 0.8], first=2.0, learned=learned)
    (verdict,) = learning.judge(case)
    assert verdict.name == "learning_rate_too_high"
    assert verdict.sentence == (
        "the training loss rose from 0.5 to 0.8: the learning rate 0.001 is too high"
    )
    assert verdict.options[0] == "--set train.optimizer.learning_rate=0.0003"


def test_a_training_loss_above_its_start_has_too_high_a_learning_rate() -> None:
    case = case_of([2.6, 2.4, 2.45], first=2.3)
    assert names(case) == ["learning_rate_too_high"]
    assert names(replace(case, learned=True)) == []


def test_a_slow_and_steady_fall_has_too_low_a_learning_rate() -> None:
    case = case_of([2.28, 2.25, 2.22, 2.19], [2.3, 2.27, 2.24, 2.21], first=2.3)
    (verdict,) = learning.judge(case)
    assert verdict.name == "learning_rate_too_low"
    assert verdict.options[0] == "--set train.optimizer.learning_rate=0.01"
    assert names(replace(case, learned=True)) == []


def test_a_loss_that_still_falls_needs_more_epochs() -> None:
    case = case_of([1.0, 0.6, 0.5, 0.45], first=2.0)
    (verdict,) = learning.judge(case)
    assert verdict.name == "too_few_epochs"
    assert verdict.options[0] == "--set train.epochs=12"
    assert names(replace(case, learned=True)) == []


def test_a_loss_that_falls_no_more_is_underfitting() -> None:
    case = case_of([0.9, 0.801, 0.8, 0.8], [0.82, 0.8, 0.81, 0.82], first=2.0)
    (verdict,) = learning.judge(case)
    assert verdict.name == "underfitting"
    assert verdict.options[0] == "--set model.hidden=16"
    far = case_of([0.9, 0.801, 0.8, 0.8], [1.2, 1.1, 1.15, 1.16], first=2.0)
    assert names(far) == []  # the training split is learned, and does not carry over


def test_two_epochs_do_not_show_a_steady_fall() -> None:
    assert names(case_of([2.28, 2.25], first=2.3)) == ["too_few_epochs"]


@pytest.mark.parametrize("train", [[0.5], [0.5, -1.0], [0.5, float("nan")]])
def test_curves_without_two_positive_losses_are_not_judged(train: list[float]) -> None:
    assert learning.curve_of(case_of(train)) is None
    assert names(case_of(train)) == []
