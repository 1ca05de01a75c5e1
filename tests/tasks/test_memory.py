"""The memory problems: what is drawn, what is asked, what counts as right."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnnkit.data.batches import gather
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.tasks.memory import problems

PROBLEMS = ("adding", "copying", "temporal_order", "embedded_reber")


def experiment(problem: str, **changes: Any) -> Experiment:
    numbers = problem == "adding"
    tree = {
        "name": "m",
        "task": {"kind": "memory", "problem": problem, "length": 20},
        "data": {"source": {"kind": "generated", "train": 200, "valid": 20, "test": 50}},
        "model": {"representation": {"kind": "raw" if numbers else "one_hot"}, "hidden": 8},
    }
    return Experiment.model_validate(tree).replace(changes)


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("length", [10, 33, 100])
def test_adding_asks_for_the_two_marked_numbers(length: int) -> None:
    sequences, sums = problems.adding(500, length, draw())
    for steps, told in zip(sequences, sums, strict=True):
        numbers, marks = steps[:, 0], steps[:, 1]
        assert length <= len(steps) <= length + length // 10
        assert marks[0] == marks[-1] == -1
        marked = np.flatnonzero(marks == 1)
        assert len(marked) in (1, 2)  # one: the other is the first, whose number is then 0
        assert len(marked) == 2 or numbers[0] == 0
        assert told == pytest.approx(0.5 + numbers[marked].sum() / 4)
        assert marked.max() < max(10, len(steps) // 2)


def test_temporal_order_asks_for_two_symbols_far_apart() -> None:
    sequences, labels = problems.temporal_order(300, 100, draw())
    for symbols, label in zip(sequences, labels, strict=True):
        places = [i for i, symbol in enumerate(symbols) if symbol in "XY"]
        assert [10 <= places[0] < 20, 50 <= places[1] < 60] == [True, True]
        assert "".join(symbols[i] for i in places) == label
        assert (symbols[0], symbols[-1]) == ("E", "B")
    assert set(labels) == {"XX", "XY", "YX", "YY"}


def test_copying_asks_for_ten_symbols_after_the_pause() -> None:
    (inputs,), (targets,) = problems.copying(1, 15, draw())
    assert len(inputs) == len(targets) == 15 + 20
    assert targets[-10:] == inputs[:10]
    assert inputs[10:] == ["_"] * 14 + [":"] + ["_"] * 10
    assert set(targets[:-10]) == {"_"}


def legal(string: list[str]) -> bool:
    """Whether Reber's grammar makes this string: its states, written out by hand."""
    edges = {
        ("0", "B"): "1",
        ("1", "T"): "2",
        ("1", "P"): "3",
        ("2", "S"): "2",
        ("2", "X"): "4",
        ("3", "T"): "3",
        ("3", "V"): "5",
        ("4", "X"): "3",
        ("4", "S"): "6",
        ("5", "P"): "4",
        ("5", "V"): "6",
        ("6", "E"): "end",
    }
    state: str | None = "0"
    for symbol in string:
        state = edges.get((str(state), symbol))
        if state is None:
            return False
    return state == "end"


@pytest.mark.parametrize("length", [10, 60])
def test_embedded_reber_strings_are_grammatical_and_long_enough(length: int) -> None:
    inputs, targets = problems.embedded_reber(500, length, draw())
    longest = 0
    for read, told in zip(inputs, targets, strict=True):
        string = [*read, told[-1]]
        assert read[1:] == told[:-1]
        assert string[0] == "B"
        assert string[-1] == "E"
        assert string[1] == string[-2]
        assert legal(string[2:-2])
        assert len(string) >= length
        longest = max(longest, len(string))
    assert length < longest < length + 60


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_same_seed_draws_the_same_and_parts_differ(problem: str, tmp_path: Path) -> None:
    one = experiment(problem)
    first = prepare(one.data, one.task, tmp_path / "a")
    again = prepare(one.data, one.task, tmp_path / "b")
    other = experiment(problem, **{"data.source.seed": 1})
    different = prepare(other.data, other.task, tmp_path / "a")
    assert torch.equal(first.splits["test"].inputs, again.splits["test"].inputs)
    assert first.sha256 == again.sha256 != different.sha256
    assert not torch.equal(first.splits["test"].inputs[:500], different.splits["test"].inputs[:500])
    assert not torch.equal(first.splits["test"].inputs[:200], first.splits["train"].inputs[:200])
    assert [len(first.splits[split]) for split in ("train", "valid", "test")] == [200, 20, 50]


@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_truth_as_outputs_is_right_and_nothing_else(
    problem: str, padding: Any, tmp_path: Path
) -> None:
    it = experiment(problem, **{"data.padding": padding})
    prepared = prepare(it.data, it.task, tmp_path)
    task: Any = task_for(it.task, prepared)
    split = prepared.splits["test"]
    batch = gather(split, torch.arange(len(split)), padding, torch.float32)
    if problem == "adding":
        right, wrong = batch.targets[:, 0] + 0.039, batch.targets[:, 0] + 0.041
    else:
        ids = batch.targets.clamp(min=0)
        right = torch.nn.functional.one_hot(ids, task.outputs).float()
        wrong = torch.nn.functional.one_hot((ids + 1) % task.outputs, task.outputs).float()
    for outputs, share in ((right, 1.0), (wrong, 0.0)):
        meter = task.meter()
        task.measure(meter, outputs, batch)
        assert meter.compute()["accuracy"] == share
        table = task.predictions(outputs, batch)
        assert np.mean(table["right"]) == share
        assert len({len(column) for column in table.values()}) == 1
        assert min(table["lag"]) >= 7
        assert max(table["lag"]) <= batch.inputs.shape[1]
    asked = task.asked(split)
    truth = table["truth"]
    if problem == "adding":
        assert truth == pytest.approx(asked.tolist())
    else:
        assert truth == [task.labels[i] for i in asked.tolist()]


@pytest.mark.parametrize(("problem", "accuracy"), [("copying", 1 / 8), ("temporal_order", 1 / 4)])
def test_the_baseline_without_memory_is_at_chance(
    problem: str, accuracy: float, tmp_path: Path
) -> None:
    it = experiment(problem, **{"data.source.train": 3_000, "data.source.test": 3_000})
    prepared = prepare(it.data, it.task, tmp_path)
    beside = score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    assert beside["constant answer"]["accuracy"] == pytest.approx(accuracy, abs=0.03)
    loss = beside["constant answer"]["loss"]
    if problem == "temporal_order":
        assert loss == pytest.approx(np.log(4), rel=0.01)
    else:  # who counted the steps would lose the ten answers alone
        assert 10 * np.log(8) / 40 < loss < np.log(9)


def test_the_baseline_of_adding_is_the_mean(tmp_path: Path) -> None:
    it = experiment("adding", **{"data.source.test": 3_000, "task.length": 100})
    prepared = prepare(it.data, it.task, tmp_path)
    beside = score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    # each number has variance 1/3, but for the first, which is set to 0
    variance = (9 / 10 + 49 / 50) / 3 / 16
    assert beside["constant answer"]["loss"] == pytest.approx(variance, rel=0.07)


@pytest.mark.parametrize(
    ("problem", "changes", "message"),
    [
        ("adding", {"train.bptt": 5}, "train.bptt: memory has no use for it, only a network"),
        ("copying", {"model.readout": "mean"}, "model.readout: memory has no use for it, every"),
        ("embedded_reber", {"model.bidirectional": True}, "would need no memory"),
        ("adding", {"data.split": {"kind": "fractions", "valid": 0.2}}, "how many sequences"),
        ("adding", {"data.max_length": 5}, "task.length says how long"),
        ("copying", {"data.tokenizer": {"kind": "characters"}}, "its symbols are given"),
        ("adding", {"model.representation": {"kind": "one_hot"}}, "this source gives numbers"),
        ("copying", {"model.representation": {"kind": "raw"}}, "this source gives tokens"),
        ("adding", {"task.length": 5}, "greater than or equal to 10"),
    ],
)
def test_what_a_memory_problem_has_no_use_for_is_refused(
    problem: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        experiment(problem, **changes)


def test_drawn_sequences_are_no_files() -> None:
    from rnnkit.data import sources
    from rnnkit.params.data import Files
    from rnnkit.params.source import Generated

    with pytest.raises(InputError, match="drawn sequences are no files"):
        sources.read(Generated(), Files(test="a"))
