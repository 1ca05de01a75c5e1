"""Networks to begin with: one for each task of a user's data, larger where there are more data."""

from typing import get_args

import pytest

from rnnkit.params.beginning import BEGINNINGS, MAX_EPOCHS, MIN_EPOCHS, Size, beginning
from rnnkit.params.model import Model
from rnnkit.params.task import Task
from rnnkit.params.train import Train


def test_every_task_has_a_network_to_begin_with_but_those_of_generated_data() -> None:
    blocks = get_args(get_args(Task)[0])
    own = {b.model_fields["kind"].get_default() for b in blocks if "generated" not in forms(b)}
    assert set(BEGINNINGS) == own


def forms(block: type) -> tuple[str, ...]:
    declared = block.__dict__["forms"]
    return declared if isinstance(declared, tuple) else ()  # of regression by `per`


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_network_is_larger_and_trains_for_fewer_epochs_where_there_are_more_data(
    kind: str,
) -> None:
    hidden, epochs = [], []
    for items in (40, 1_000, 10_000, 1_000_000):
        for numbers in (True, False):
            model, train = beginning(kind, Size(items, numbers))
            assert Model.model_validate(model).hidden == model["hidden"]
            assert Train.model_validate(train).epochs == train["epochs"]
        hidden.append(model["hidden"])
        epochs.append(train["epochs"])
    assert hidden == sorted(hidden)
    assert hidden[0] < hidden[-1]
    assert epochs == sorted(epochs, reverse=True)
    assert (epochs[0], epochs[-1]) == (MAX_EPOCHS, MIN_EPOCHS)
