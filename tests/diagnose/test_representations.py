"""Nearest neighbours of embeddings, hidden states over time, and the linear probe."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from small_training import experiment_of, prepared_of
from test_memory_span import delay_line, delayed, remembering

from rnnkit.diagnose import hidden_states, linear_probe, neighbours
from rnnkit.diagnose.subject import Subject
from rnnkit.runtime import numerics
from rnnkit.tasks import task_for


def subject_of(changes: dict[str, Any]) -> Subject:
    """An untrained tagger."""
    experiment = experiment_of({"model.dropout": 0.0, **changes})
    prepared = prepared_of(experiment)
    task = task_for(experiment.task, prepared)
    network = task.network(experiment.model, numerics.generator(0)).eval()
    return Subject(experiment, task, network, prepared)


def remembered(kind: str, delay: int, items: int) -> Subject:
    """A delay line and its data."""
    experiment = remembering(kind, delay)
    prepared = delayed(experiment, items, 40, delay)
    task = task_for(experiment.task, prepared)
    return Subject(experiment, task, delay_line(experiment, task, delay).eval(), prepared)


def test_the_nearest_tokens_are_those_of_the_largest_cosine() -> None:
    draw = torch.Generator().manual_seed(0)
    vectors = torch.randn(12, 4, generator=draw, dtype=torch.float64)
    vectors[7] = 3 * vectors[5] + 0.01  # nearly the direction of 5
    counts = torch.tensor([99, 99, 50, 9, 8, 70, 6, 60, 7, 5, 4, 20])
    rows = neighbours.nearest(vectors, counts)
    assert list(rows)[:2] == [5, 7]  # the most frequent ones; padding and unknown are left out
    assert rows[5][0][0] == 7
    assert rows[7][0][0] == 5
    unit = vectors.numpy() / np.linalg.norm(vectors.numpy(), axis=1, keepdims=True)
    for token, others in rows.items():
        cosines = {k: float(unit[k] @ unit[token]) for k in (2, 3, 4, 5, 6, 7, 8, 9, 11)}
        del cosines[token]  # 10 is too rare
        best = sorted(cosines, key=lambda k: -cosines[k])[: neighbours.NEAREST]
        assert [other for other, _ in others] == best
        assert [cosine for _, cosine in others] == pytest.approx([cosines[k] for k in best])


def test_neighbours_are_named_by_their_tokens() -> None:
    measured = neighbours.measure(subject_of({}))
    rows = neighbours.table_rows(measured)
    assert {row["token"] for row in rows} <= {repr(letter) for letter in "abcdefgh"}
    assert [row["count"] for row in rows] == sorted((r["count"] for r in rows), reverse=True)
    assert all(row["nearest"].count(",") == neighbours.NEAREST - 1 for row in rows)
    one_hot = {"model.representation": {"kind": "one_hot"}}
    assert neighbours.measure(subject_of(one_hot)) == {}
    assert neighbours.table_rows({}) == []


@pytest.mark.parametrize("bidirectional", [False, True])
def test_hidden_states_are_those_of_the_stack(bidirectional: bool) -> None:
    """The outputs of the stack, forward then backward units, at the steps of the inputs."""
    subject = subject_of({"model.bidirectional": bidirectional})
    measured = hidden_states.measure(subject)
    split = subject.prepared.splits["test"]
    (row,) = (split.item == measured["item"]).nonzero()[0].tolist()
    start, length = int(split.input_start[row]), int(split.input_length[row])
    network: Any = subject.network
    inputs = split.inputs[start : start + length][None]
    with torch.no_grad():
        outputs, _, _ = network.encode(inputs, None)
    listed = [row for series in measured["layers"].values() for row in series]
    assert np.array(listed) == pytest.approx(outputs[0].T.numpy(), abs=6e-3)
    assert len(measured["tokens"]) == length


def test_a_probe_reads_what_a_layer_holds_and_not_what_it_lacks() -> None:
    """A delay line holds the target; the inputs of the step do not tell it."""
    measured = linear_probe.measure(remembered("tagging", 7, 120))
    assert measured["measure"] == "accuracy"
    # The first 7 steps of items of 49.5 on average lack it: there it is a guess.
    assert measured["layers"]["layer0"] == pytest.approx(1 - 7 / 49.5 / 2, abs=0.02)
    assert measured["layers"]["inputs"] < 0.6
    assert measured["constant"] == pytest.approx(0.5, abs=0.06)


def test_a_probe_of_items_reads_the_state_after_the_last_step() -> None:
    measured = linear_probe.measure(remembered("classification", 7, 400))
    assert measured["layers"]["layer0"] == 1.0
    assert measured["layers"]["inputs"] < 0.75
    assert measured["targets"] == 128


def test_backward_states_are_read_at_the_steps_of_their_inputs() -> None:
    """A backward cell without a recurrence tells the token of its own step, not of another."""
    subject = subject_of({"model.bidirectional": True, "model.hidden": 24})
    network: Any = subject.network
    with torch.no_grad():
        for cell in network.stack.cells.values():
            cell.W_hh.zero_()
    split = subject.prepared.splits["train"]
    odd = replace(split, targets=split.inputs % 2)
    data = replace(subject.prepared, splits={"train": odd, "test": odd})
    measured = linear_probe.measure(replace(subject, prepared=data))
    assert measured["layers"]["layer0"] == 1.0


def test_numbers_are_scored_by_r2_and_equal_least_squares() -> None:
    draw = np.random.default_rng(0)
    states, weights = draw.normal(size=(200, 5)), draw.normal(size=(5, 2))
    noise = 0.3 * draw.normal(size=(200, 2))
    targets = states @ weights + 1.0 + noise
    known, asked = slice(0, 150), slice(150, 200)
    tensors = [
        torch.tensor(side)
        for side in (states[known], targets[known], states[asked], targets[asked])
    ]
    with_one = np.column_stack([states, np.ones(200)])
    solved = np.linalg.lstsq(with_one[known], targets[known], rcond=None)[0]
    errors = np.square(with_one[asked] @ solved - targets[asked]).sum()
    total = np.square(targets[asked] - targets[asked].mean(0)).sum()
    assert linear_probe._score(*tensors) == pytest.approx(1 - errors / total, abs=2e-3)


def test_too_few_targets_are_not_probed() -> None:
    assert linear_probe.measure(remembered("classification", 3, 20)) == {}
