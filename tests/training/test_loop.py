"""The trainer: what a step does to the weights, and that an interruption changes nothing."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from small_training import MEASURED, experiment_of, prepared_of, split
from torch import Tensor, nn

from rnnkit.data.prepare.encoded_split import joined
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.params.train import Schedule
from rnnkit.runs.run_folder import RunFolder
from rnnkit.training.gradients import FlatParameters
from rnnkit.training.loop import Diverged, better, stopped, train
from rnnkit.training.state import Epoch, State, Step
from rnnkit.training.train_into import train_into


@pytest.fixture
def prepared(experiment: Experiment) -> Prepared:
    return prepared_of(experiment)


@pytest.fixture
def experiment() -> Experiment:
    return experiment_of({})


def last_of(records: Any) -> Epoch:
    return [record for record in records if isinstance(record, Epoch)][-1]


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(one[k].equal(other[k]) for k in one)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    experiment: Experiment, prepared: Prepared
) -> None:
    first = last_of(train(experiment, prepared, State.start())).state
    second = last_of(train(experiment, prepared, State.start())).state
    other = last_of(train(experiment.replace({"seed": 1}), prepared, State.start())).state
    assert same(first.weights, second.weights)
    assert not same(first.weights, other.weights)


WITH_A_MEMORY: list[dict[str, Any]] = [
    {},
    {"train.clip": "auto"},
    {"train.schedule": {"kind": "decay", "factor": 0.5, "after": 1}},
    {"train.schedule": {"kind": "plateau", "factor": 0.5, "patience": 1}, "train.clip": "auto"},
    {"train.schedule": {"kind": "cosine", "warmup": 3}},
    {"train.schedule": {"kind": "warmup", "steps": 12}},
    {"train.bptt": 2},
]
"""What a training carries from one epoch to the next; a resumed one must carry it too."""


@pytest.mark.parametrize("overrides", WITH_A_MEMORY)
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_killed_training_resumes_bit_identically(
    experiment: Experiment,
    prepared: Prepared,
    tmp_path: Path,
    epochs: int,
    overrides: dict[str, Any],
) -> None:
    experiment = experiment.replace(overrides)
    whole, cut = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "cut")
    for folder in (whole, cut):
        folder.create(experiment, {})
    wanted = last_of(train_into(whole, experiment, prepared)).state
    seen = 0
    for record in train_into(cut, experiment, prepared):
        seen += isinstance(record, Epoch)
        if seen == epochs and isinstance(record, Step | Epoch):
            if epochs < 3:
                break
            seen += 1  # die within the last epoch, after some of its steps were journalled
        elif seen > epochs:
            break
    resumed = last_of(train_into(cut, experiment, prepared)).state
    assert same(resumed.weights, wanted.weights)
    assert same(resumed.optimizer, wanted.optimizer)
    assert (resumed.best, resumed.best_epoch) == (wanted.best, wanted.best_epoch)
    assert (resumed.norms, resumed.reductions) == (wanted.norms, wanted.reductions)
    lines = [
        [{k: v for k, v in line.items() if k not in MEASURED} for line in f.records()]
        for f in (whole, cut)
    ]
    assert lines[0] == lines[1]


def test_every_kind_of_schedule_that_changes_the_rate_is_resumed_above() -> None:
    blocks = get_args(get_args(Schedule)[0])
    kinds = {block.model_fields["kind"].get_default() for block in blocks}
    tried = {each["train.schedule"]["kind"] for each in WITH_A_MEMORY if "train.schedule" in each}
    assert tried == kinds - {"constant"}


def test_a_cosine_over_truncated_windows_ends_with_the_last_step(
    experiment: Experiment, prepared: Prepared
) -> None:
    """Epochs have different numbers of windows: what is sorted by length in pools of 50 batches
    varies where there are more."""
    varied = replace(prepared, splits={**prepared.splits, "train": split(121, 1)})
    changes = {
        "train.bptt": 1, "train.batch_size": 2, "train.epochs": 4,
        "train.schedule": {"kind": "cosine", "final": 0.25}, "train.optimizer.learning_rate": 0.01,
    }  # fmt: skip
    epochs = [
        record
        for record in train(experiment.replace(changes), varied, State.start())
        if isinstance(record, Epoch)
    ]
    steps = [later.step - earlier.step for earlier, later in pairwise(epochs)]
    assert len({epochs[0].step, *steps}) > 1
    assert epochs[-1].step != 4 * epochs[0].step
    assert epochs[-1].learning_rate == pytest.approx(0.0025)
    rates = [record.learning_rate for record in epochs]
    assert rates == sorted(rates, reverse=True)


def test_a_plateau_lowers_the_rate_when_nothing_improves(
    experiment: Experiment, prepared: Prepared
) -> None:
    plateau = {"kind": "plateau", "factor": 0.5, "patience": 1}
    hopeless = {
        "train.schedule": plateau,
        "train.optimizer.learning_rate": 50.0,
        "train.monitor": "valid/loss",
    }
    records = list(train(experiment.replace(hopeless), prepared, State.start()))
    epochs = [record for record in records if isinstance(record, Epoch)]
    for before, after in pairwise(epochs):
        lower = after.learning_rate < before.learning_rate
        assert lower == (not before.improved)
    assert epochs[-1].learning_rate < 50.0


def test_automatic_clipping_clips_most_steps_and_says_at_what_norm(
    experiment: Experiment, prepared: Prepared
) -> None:
    records = list(train(experiment.replace({"train.clip": "auto"}), prepared, State.start()))
    steps = [record for record in records if isinstance(record, Step)]
    assert len(last_of(records).state.norms) == last_of(records).step
    for step in steps[5:]:
        assert step.threshold is not None
        assert step.clipped_fraction == float(step.gradient_norm > step.threshold)


def test_early_stopping_ends_after_its_patience_and_keeps_the_best(
    experiment: Experiment, prepared: Prepared
) -> None:
    hopeless = {"train.optimizer.learning_rate": 50.0, "train.epochs": 30}
    impatient = experiment.replace({**hopeless, "train.early_stopping": {"patience": 2}})
    end = last_of(train(impatient, prepared, State.start()))
    assert end.last
    assert end.epoch == end.state.best_epoch + 2 < 30
    assert stopped(impatient, end.state)
    assert not stopped(experiment, end.state)


def test_a_step_without_a_finite_gradient_changes_nothing_and_a_whole_epoch_of_them_fails(
    experiment: Experiment, prepared: Prepared
) -> None:
    records = train(experiment, prepared, State.start())
    sound = next(r for r in records if isinstance(r, Epoch))
    broken = {k: v.clone() for k, v in sound.state.weights.items()}
    next(iter(broken.values())).fill_(float("inf"))
    message = r"no gradient was finite from step 6 \(epoch 2\) on, in 5 steps; the loss was nan"
    with pytest.raises(Diverged, match=message) as error:
        list(train(experiment, prepared, replace(sound.state, weights=broken)))
    assert error.value.first == 6


def test_without_a_valid_part_every_epoch_is_the_best(
    experiment: Experiment, prepared: Prepared
) -> None:
    whole = joined(prepared.splits["train"], prepared.splits["valid"])
    assert len(whole) == 52
    blind = replace(prepared, splits={"train": whole, "test": prepared.splits["test"]})
    end = last_of(train(experiment, blind, State.start()))
    assert end.valid == {}
    assert end.state.best_epoch == end.epoch == 4


def test_the_journal_says_what_the_generator_says(
    experiment: Experiment, prepared: Prepared, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create(experiment, {})
    records = list(train_into(folder, experiment, prepared))
    lines = [line for line in folder.records() if line["kind"] != "checkpoint"]
    assert len(lines) == len(records)
    epochs = folder.records("epoch")
    assert [line["valid"]["loss"] for line in epochs] == [
        r.valid["loss"] for r in records if isinstance(r, Epoch)
    ]
    fraction = [line["clipped_fraction"] for line in folder.records("step")]
    assert all(0 <= f <= 1 for f in fraction)
    json.dumps(lines)


def test_a_low_threshold_clips_every_step_and_none_clips_nothing(
    experiment: Experiment, prepared: Prepared
) -> None:
    low = last_of(train(experiment.replace({"train.clip": 1e-6}), prepared, State.start()))
    none = last_of(train(experiment.replace({"train.clip": None}), prepared, State.start()))
    assert low.gradient["clipped_fraction"] == 1
    assert none.gradient["clipped_fraction"] == 0


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_better_follows_the_metrics_direction_and_nan_never_is(
    experiment: Experiment, direction: str
) -> None:
    monitor = "valid/loss" if direction == "minimize" else "valid/accuracy"
    params = experiment.replace({"train.monitor": monitor})
    assert better(params, 0.5, None)
    assert better(params, 0.4, 0.5) == (direction == "minimize")
    assert better(params, 0.6, 0.5) == (direction == "maximize")
    assert not better(params, float("nan"), None)


def test_flat_parameters_are_the_networks_own_and_clip_as_torch_does() -> None:
    torch.manual_seed(0)
    network = nn.GRU(3, 4)
    plain = nn.GRU(3, 4)
    plain.load_state_dict(network.state_dict())
    flat = FlatParameters(network)
    inputs = torch.randn(5, 2, 3)
    for other in (network, plain):
        other(inputs)[0].square().sum().backward()
    norm = flat.gradient_norm()
    expected = nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
    assert norm == pytest.approx(float(expected), rel=1e-6)
    assert flat.clip(norm, 0.5)
    for mine, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        assert mine.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-7)
    flat.values.data.zero_()
    assert all(not p.any() for p in network.parameters())


def test_l2_is_the_gradient_of_its_penalty_on_matrices_alone() -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    flat = FlatParameters(network)
    flat.add_l2(0.25)
    assert network.weight.grad is not None
    assert network.bias.grad is not None
    torch.testing.assert_close(network.weight.grad, 0.5 * network.weight.detach())
    assert not network.bias.grad.any()
