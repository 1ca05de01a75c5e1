"""A watched training has the bits of one that is not, and its measurements survive a restart."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import MEASURED, experiment_of, outcome, prepared_of, train_whole

from rnnkit.data.batches import gather
from rnnkit.data.windows import Window
from rnnkit.diagnose.judging import verdicts
from rnnkit.diagnose.not_finite import describe_refusal
from rnnkit.diagnose.probe import Probe
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.watch import Watch
from rnnkit.errors import Note
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import DIAGNOSIS, NOT_FINITE, RunFolder
from rnnkit.tasks import task_for
from rnnkit.training.gradients import FlatParameters
from rnnkit.training.state import Epoch, Refused
from rnnkit.training.train_into import train_into
from rnnkit.training.trainer import make_network

OURS = (DIAGNOSIS, NOT_FINITE)


def watched(folder: RunFolder, experiment: Experiment, epochs: int | None = None) -> Watch:
    """Train, up to the end or until an epoch is on disk."""
    folder.create(experiment, {})
    prepared = prepared_of(experiment)
    watch = Watch(folder, experiment, prepared)
    watch._every = 1  # the estimate for so small a training is once
    for record in watch.records(train_into(folder, experiment, prepared)):
        if isinstance(record, Epoch) and record.epoch == epochs:
            break
    return watch


def measured(folder: RunFolder) -> list[dict[str, Any]]:
    return [
        {k: v for k, v in line.items() if k not in MEASURED} for line in folder.records(DIAGNOSIS)
    ]


@pytest.mark.parametrize(
    "changes",
    [{}, {"model.recurrent_dropout": 0.2}, {"train.bptt": 3}, {"model.bidirectional": True}],
    ids=str,
)
def test_a_watched_training_has_the_bits_of_an_unwatched_one(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    experiment = experiment_of({"train.epochs": 2, **changes})
    prepared = prepared_of(experiment)
    plain, seen = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "seen")
    train_whole(plain, experiment, prepared)
    watched(seen, experiment)
    expected, result = outcome(plain, experiment, prepared), outcome(seen, experiment, prepared)
    assert [line["epoch"] for line in measured(seen)] == [0, 1, 2]
    result["journal"] = [line for line in result["journal"] if line["kind"] not in OURS]
    assert result == expected


def test_a_training_that_goes_on_has_the_measurements_of_an_undisturbed_one(tmp_path: Path) -> None:
    experiment = experiment_of({})
    whole, cut = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "cut")
    watched(whole, experiment)
    watched(cut, experiment, 2)
    lines = [line for line in cut.records() if line["kind"] != DIAGNOSIS or line["epoch"] < 2]
    cut._write_journal(lines)  # killed before its measurement was on disk
    watched(cut, experiment)
    assert measured(cut) == measured(whole)
    assert [line["epoch"] for line in measured(cut)] == [0, 1, 2, 3, 4]
    assert json.loads(json.dumps(measured(cut))) == measured(cut)


def test_a_run_without_measurements_gets_those_of_its_checkpoints(tmp_path: Path) -> None:
    experiment = experiment_of({})
    plain, seen = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "seen")
    prepared = prepared_of(experiment)
    train_whole(plain, experiment, prepared)
    watched(seen, experiment)
    watch = Watch(plain, experiment, prepared)
    watch._every = 100
    watch.complete(only_due=True)
    assert [line["epoch"] for line in measured(plain)] == [0]
    watch.complete()
    best = plain.best_checkpoint()[1]["best_epoch"]
    assert {line["epoch"] for line in measured(plain)} == {0, 4, best}
    assert all(line in measured(seen) for line in measured(plain))
    lines = plain.records()
    watch.complete()
    assert plain.records() == lines


def test_an_adopted_training_brings_its_measurements(tmp_path: Path) -> None:
    experiment = experiment_of({"train.epochs": 2})
    winner, run = RunFolder(tmp_path / "winner"), RunFolder(tmp_path / "run")
    watched(winner, experiment)
    run.create(experiment, {})
    run.append(DIAGNOSIS, epoch=0, step=0, gradient={}, cells={}, depends=1.0)  # of another one
    run.adopt(winner)
    assert measured(run) == measured(winner)


def test_a_cell_that_cannot_be_measured_stops_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object) -> None:
        raise RuntimeError("expected Float but found Double")

    monkeypatch.setattr(Probe, "measure", measure)
    with pytest.warns(Note, match="not diagnosed: expected Float but found Double"):
        watched(RunFolder(tmp_path), experiment_of({"train.epochs": 1}))
    assert measured(RunFolder(tmp_path)) == []


# Numbers that go wrong


Wrong = Callable[[int], None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Wrong:
    """Lets the gradient of one step be nan."""

    def at(step: int) -> None:
        usual, steps = FlatParameters.gradient_norm, iter(range(1, 1000))
        monkeypatch.setattr(
            FlatParameters,
            "gradient_norm",
            lambda flat: float("nan") if next(steps) == step else usual(flat),
        )

    return at


def the_verdict(folder: RunFolder, experiment: Experiment) -> Any:
    task = task_for(experiment.task, prepared_of(experiment))
    case = Case(experiment, task, folder.records(), {}, True)
    (verdict,) = (v for v in verdicts(case) if v.name == "not_finite")
    return verdict


def test_the_first_refused_step_is_described(tmp_path: Path, refuse: Wrong) -> None:
    refuse(8)
    experiment, folder = experiment_of({"train.epochs": 3}), RunFolder(tmp_path)
    watched(folder, experiment)
    (line,) = folder.records(NOT_FINITE)
    assert (line["first_epoch"], line["first_step"], line["what"]) == (2, 8, "nothing")
    assert len(line["items"]) == 8
    assert len(line["last_norms"]) == 7
    verdict = the_verdict(folder, experiment)
    assert "the gradient of step 8 in epoch 2 was not finite, in items" in verdict.sentence
    assert verdict.options == (
        "--set train.clip=1.0",
        "--set train.optimizer.learning_rate=0.0001",
    )


def test_a_training_without_refused_steps_has_no_such_verdict(tmp_path: Path) -> None:
    experiment, folder = experiment_of({"train.epochs": 1}), RunFolder(tmp_path)
    watched(folder, experiment)
    assert folder.records(NOT_FINITE) == []
    task = task_for(experiment.task, prepared_of(experiment))
    assert verdicts(Case(experiment, task, folder.records(), {}, True)) == []


def poisoned(changes: dict[str, Any], name: str, value: float) -> tuple[Experiment, Any, Refused]:
    """A refused step on all training items with changed weights; the only token 9 is the third of
    item 17."""
    cell = {"model.cell.kind": "rnn", "model.cell.activation": "relu", "model.dropout": 0.0}
    experiment = experiment_of({**cell, **changes})
    prepared = prepared_of(experiment)
    split = prepared.splits["train"]
    split.inputs[split.inputs == 9] = 8
    split.inputs[split.input_start[17] + 2] = 9
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task)
    weights = {key: weight.clone() for key, weight in network.state_dict().items()}
    weights[name][9 if "vectors" in name else slice(None)] = value
    batch = gather(split, torch.arange(40), "post", torch.float32)
    window = Window(batch, begins=True, ends=True)
    return experiment, task, Refused(2, 9, 0.5, (1.0, 3e8), window, None, lambda: weights)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_activation_that_overflowed_first_is_found(bidirectional: bool) -> None:
    """A vector of 3e38 overflows in the layer's product, in one item at one step."""
    changes = {"model.bidirectional": bidirectional}
    experiment, task, refused = poisoned(changes, "representation.vectors", 3e38)
    line = describe_refusal(experiment, task, refused)
    assert (line["what"], line["series"], line["time_step"]) == ("activation", "layer0", 2)
    assert line["items"] == [17]
    case = Case(experiment, task, [{"kind": NOT_FINITE, **line}], {}, None)
    (verdict,) = verdicts(case)
    assert verdict.sentence == (
        "the gradient of step 9 in epoch 2 was not finite: first an activation of layer0 at step "
        "2, in items 17; the norm before it was 3e+08"
    )


def test_a_backward_layer_names_the_time_step_and_not_the_order_of_processing() -> None:
    name = "stack.cells.layer0_reverse.W_xh"
    changes = {"model.bidirectional": True}
    experiment, task, refused = poisoned(changes, "representation.vectors", 1e30)
    weights = refused.weights()
    weights[name].fill_(1e10)
    line = describe_refusal(experiment, task, replace(refused, weights=lambda: weights))
    assert (line["what"], line["series"]) == ("activation", "layer0_reverse")
    assert line["items"] == [17]
    assert line["time_step"] == 2


def test_outputs_that_are_not_finite_are_told_from_nothing() -> None:
    experiment, task, refused = poisoned({}, "head.weight", 3e38)
    assert describe_refusal(experiment, task, refused)["what"] == "outputs"
    experiment, task, refused = poisoned({}, "stack.cells.layer0.W_hh", 1.0)
    line = describe_refusal(experiment, task, refused)
    assert line["what"] == "nothing"
    assert line["items"] == list(range(10))
