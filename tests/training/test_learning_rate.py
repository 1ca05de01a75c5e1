"""The learning rate of every step, and the automatic clip threshold."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnkit.params.train import Train
from rnnkit.training.gradients import Threshold
from rnnkit.training.learning_rate import learning_rate, reduces


def rates(schedule: dict[str, Any], epochs: int, steps_per_epoch: int) -> list[float]:
    """The rate of every step, for a base rate of 1."""
    params, steps = train(schedule, epochs), epochs * steps_per_epoch
    return [
        learning_rate(params, t // steps_per_epoch + 1, t, steps, reductions=0)
        for t in range(steps)
    ]


def train(schedule: dict[str, Any], epochs: int = 4) -> Train:
    optimizer = {"kind": "sgd", "learning_rate": 1.0}
    return Train.model_validate({"optimizer": optimizer, "schedule": schedule, "epochs": epochs})


def test_a_constant_rate_is_constant() -> None:
    assert rates({"kind": "constant"}, 3, 2) == [1.0] * 6


def test_decay_halves_after_some_epochs_as_zaremba_does() -> None:
    found = rates({"kind": "decay", "factor": 0.5, "after": 2}, 4, 2)
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_warmup_rises_in_a_line_and_stays() -> None:
    found = rates({"kind": "warmup", "steps": 4}, 3, 2)
    assert found == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_a_cosine_begins_at_the_rate_and_ends_at_its_final_share() -> None:
    found = rates({"kind": "cosine", "warmup": 2, "final": 0.1}, 5, 2)
    assert found[:3] == [0.5, 1.0, 1.0]
    assert found[-1] == pytest.approx(0.1)
    assert found[2:] == sorted(found[2:], reverse=True)
    halfway = rates({"kind": "cosine", "warmup": 0, "final": 0.0}, 1, 101)[50]
    assert halfway == pytest.approx(0.5)


def test_a_plateau_lowers_the_rate_once_for_each_reduction() -> None:
    params = train({"kind": "plateau", "factor": 0.1, "patience": 2})
    assert learning_rate(params, 3, 9, 3, reductions=0) == 1.0
    assert learning_rate(params, 3, 9, 3, reductions=2) == pytest.approx(0.01)
    assert [reduces(params, epoch, since=1) for epoch in (1, 2, 3)] == [False, False, True]
    assert not reduces(train({"kind": "constant"}), 9, since=1)


# --- clip: auto ---


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_the_automatic_threshold_is_the_tenth_percentile_of_all_norms_so_far(
    norms: list[float],
) -> None:
    threshold = Threshold("auto", ())
    for count, norm in enumerate(norms, start=1):
        expected = float(np.percentile(norms[:count], 10))
        assert threshold.at(norm) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_threshold_goes_on_from_the_norms_of_before() -> None:
    whole = Threshold("auto", ())
    found = [whole.at(norm) for norm in (3.0, 1.0, 2.0, 5.0)]
    first = Threshold("auto", ())
    begun = [first.at(norm) for norm in (3.0, 1.0)]
    second = Threshold("auto", tuple(first.norms))
    assert begun + [second.at(norm) for norm in (2.0, 5.0)] == found


@pytest.mark.parametrize("clip", [None, 2.5])
def test_a_fixed_threshold_is_what_was_given(clip: float | None) -> None:
    threshold = Threshold(clip, ())
    assert threshold.at(100.0) == clip
    assert threshold.norms == []
