"""What a search may go over."""

import pytest
from refused_params import TAGGING, Write, refusal

from rnnkit.params import load

SEARCHES = [
    ("data.split.test: {low: 0.1, high: 0.2}", "trials on other splits could not be compared"),
    ("train.monitor: {choices: [valid/f1]}", "says what best means, for all trials alike; set it"),
    ("train.checkpoint_seconds: {low: 1, high: 60}", "it changes no result; set it in the train"),
    ("model.depth: {low: 1.5, high: 3}", "takes whole numbers, got low: 1.5, high: 3"),
    ("train.clp: {low: 1, high: 3}", "there is no such key; did you mean train.clip?"),
    (
        "train.learning_rate: {low: 1, high: 3}",
        "there is no such key; write train.optimizer.learning_rate",
    ),
    ("train.clip.x: {low: 1, high: 3}", "there is no such key"),
    ("model.depth: {low: 1, high: 100}", "cannot be 100; it must be less than or equal to 64"),
    ("model.depth: {low: 0, high: 3}", "cannot be 0; it must be greater than or equal to 1"),
    ("model.hidden: {choices: [8, big]}", "cannot be 'big'; it must be a valid integer"),
    ("model.readout: {choices: [last, mean]}", "cannot be 'mean'; model.readout: tagging has no"),
    ("model.cell.kind: {choices: [gruu]}", "cannot be 'gruu'; there are rnn, lstm, gru, c"),
]


@pytest.mark.parametrize(("space", "message"), SEARCHES)
def test_a_search_that_does_not_fit_is_refused(write: Write, space: str, message: str) -> None:
    line = f"a.yaml:8: tune.search.{space.split(':')[0]}: {message}"
    content = f"{TAGGING}tune:\n  trials: 2\n  search:\n    {space}\n"
    assert refusal(write(content)).startswith(line)


def test_a_search_may_go_over_kinds(write: Write) -> None:
    """Each kind is tried with its own defaults: the present kind's keys do not stand in the way."""
    content = f"{TAGGING}model: {{cell: {{kind: rnn, activation: relu}}}}\ntune:\n  search:\n"
    load(write(f"{content}    model.cell.kind: {{choices: [rnn, gru, lstm]}}\n"))
