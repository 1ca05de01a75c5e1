"""What a finished sweep says of itself."""

from typing import Any

import pytest
from sweep_home import EXPERIMENT

from flows.tune.advice import advice

CLIP, RATE = "train.clip", "train.optimizer.learning_rate"
MIDDLE = {CLIP: 3.0, RATE: 3e-3}


def trial(number: int, value: float, *seeds: float, **more: Any) -> dict[str, Any]:
    record = {
        "number": number,
        "state": "complete",
        "value": value,
        "values": MIDDLE,
        "curve": [value + 1, value, value + 1],
        "seeds": dict(enumerate(seeds or (value,))),
    }
    return {**record, **more}


def said(*trials: dict[str, Any], **search: Any) -> list[str]:
    changes = {"tune.search": {**EXPERIMENT.tune.search, **search}} if search else {}  # type: ignore[union-attr]
    return advice(trials, EXPERIMENT.replace(changes))


def test_a_good_sweep_of_one_trial_says_nothing() -> None:
    assert said(trial(0, 0.5)) == []
    assert said() == []
    assert said(trial(0, 0.5, state="pruned")) == []


@pytest.mark.parametrize(
    ("path", "space", "value", "sentence"),
    [
        (CLIP, {"low": 1, "high": 10, "log": True}, 9.9, "its range, 1 to 10; raise high"),
        (CLIP, {"low": 1, "high": 10, "log": True}, 1.05, "its range, 1 to 10; lower low"),
        (CLIP, {"low": 1, "high": 10, "log": True}, 8.0, ""),
        (
            CLIP,
            {"low": 1.0, "high": 3.0, "step": 0.5},
            3.0,
            "its range, 1 to 3; raise high",
        ),
        (
            "model.depth",
            {"low": 1, "high": 4},
            4,
            "4, lies at the edge of its range, 1 to 4",
        ),
        ("model.depth", {"low": 1, "high": 4}, 1, ""),  # there is no depth below
        ("model.depth", {"low": 1, "high": 4}, 3, ""),
        ("model.dropout", {"low": 0.0, "high": 0.5}, 0.01, ""),  # nor a dropout
        ("model.dropout", {"low": 0.0, "high": 0.5}, 0.49, "0.49, lies at the edge"),
        ("model.hidden", {"choices": [8, 16, 32]}, 32, "32, is the largest of its choices"),
        ("model.hidden", {"choices": [8, 16, 32]}, 8, "8, is the smallest of its choices"),
        ("model.hidden", {"choices": [8, 16, 32]}, 16, ""),
        ("model.hidden", {"choices": [8, 16]}, 16, ""),  # one of two always is
        ("model.cell.kind", {"choices": ["rnn", "gru", "lstm"]}, "gru", ""),
    ],
)
def test_the_best_value_at_the_edge_of_its_range_is_said(
    path: str, space: dict[str, Any], value: Any, sentence: str
) -> None:
    sentences = said(trial(0, 0.5, values={**MIDDLE, path: value}), **{path: space})
    if not sentence:
        assert sentences == []
        return
    (only,) = sentences
    assert only.startswith(f"{path}: the best value, ")
    assert sentence in only


def test_the_best_epoch_that_was_the_last_is_said() -> None:
    (sentence,) = said(trial(0, 0.5, curve=[0.9, 0.7, 0.5]))
    assert sentence.startswith("the best epoch was the last, 3: valid/loss may still improve")
    assert said(trial(0, 0.5, curve=[0.9, 0.5])) == []  # stopped early
    longer = {**MIDDLE, "train.epochs": 4}
    space = {"train.epochs": {"low": 2, "high": 20}}
    assert said(trial(0, 0.5, values=longer, curve=[0.9, 0.7, 0.5]), **space) == []


def test_trials_of_one_seed_each_cannot_be_told_apart() -> None:
    (sentence,) = said(trial(0, 0.52), trial(1, 0.5), trial(2, 0.9))
    assert sentence.startswith(
        "trial 1 has valid/loss 0.5 and the next best, trial 0, 0.52, of one seed each: these "
        "cannot be told apart; tune.confirm: 3 "
    )


def test_trials_whose_seeds_differ_more_than_they_do_cannot_be_told_apart() -> None:
    best, near = trial(3, 0.5, 0.4, 0.5, 0.6), trial(5, 0.51, 0.55, 0.45, 0.53)
    far = trial(7, 0.9, 0.8, 0.9, 1.0)
    (sentence,) = said(near, far, best)
    assert sentence == (
        "trial 3 is the best over 3 seeds, but these cannot be told apart from it: trial 5; with "
        "other seeds one of them may be the best"
    )
    (sentence,) = said(far, best)
    assert sentence.startswith(
        "trial 3 is better than trial 7, the next best, over 3 seeds: valid/loss differs by 0.4 ["
    )


def test_where_larger_is_better_the_differences_are_those_of_the_seeds_too() -> None:
    higher = EXPERIMENT.replace({"train.monitor": "valid/accuracy"})
    best, near = trial(0, 0.9, 0.91, 0.89), trial(1, 0.85, 0.9, 0.8)
    (sentence,) = advice([near, best], higher)
    assert "trial 0 is the best over 2 seeds, but these cannot be told apart" in sentence


def test_many_trials_that_cannot_be_told_apart_are_counted() -> None:
    close = [trial(k, 0.5 + k / 1e4, 0.4, 0.6 + k / 5e3) for k in range(9)]
    (sentence,) = said(*close)
    assert "trials 1, 2, 3, 4, 5 and 3 more" in sentence
