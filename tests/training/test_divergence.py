"""Gradients that are not finite from some step on: back once with half the rate, then a failure."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from killed_writes import Killed, dying_at
from small_training import experiment_of, outcome, prepared_of, train_whole

from rnnkit.errors import Note
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.training.gradients import FlatParameters
from rnnkit.training.loop import MAX_REFUSED, Diverged
from rnnkit.training.trainer import Trainer

SMALL = {"train.epochs": 5, "train.batch_size": 20}
"""Two steps in an epoch."""
LONG = {"train.epochs": 3, "train.batch_size": 1}
"""Forty steps in an epoch."""


@pytest.fixture(autouse=True)
def no_measuring_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It collects garbage at the start of each of these many trainings."""
    monkeypatch.setattr(numerics, "reset_peak_memory", lambda: None)


Diverge = Callable[..., None]


@pytest.fixture
def diverge(monkeypatch: pytest.MonkeyPatch) -> Diverge:
    """Lets the gradients of steps be nan: from `first` on, at the full rate or at half of it."""

    def from_step(first: int, half_too: int | None = None) -> None:
        usual, update = FlatParameters.gradient_norm, Trainer.update
        under_way: list[Trainer] = []

        def remember(trainer: Trainer, window: Any) -> None:
            under_way[:] = [trainer]
            update(trainer, window)

        def gradient_norm(flat: FlatParameters) -> float:
            (trainer,) = under_way
            begins = first if trainer._before.half_rate is None else half_too
            fails = begins is not None and trainer.step + 1 >= begins
            return float("nan") if fails else usual(flat)

        monkeypatch.setattr(Trainer, "update", remember)
        monkeypatch.setattr(FlatParameters, "gradient_norm", gradient_norm)

    return from_step


@contextmanager
def ignored_notes() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        yield


@pytest.mark.parametrize(
    ("changes", "first", "epoch", "step"),
    [
        (SMALL, 7, 2, 4),  # all of epoch 4: already the step after epoch 3 was refused
        (SMALL, 6, 2, 4),  # the last step of epoch 3 and all of epoch 4
        (SMALL, 3, 0, 0),
        (LONG, 60, 1, 40),  # 20 in a row within an epoch
        (LONG, 41, 0, 0),
        (LONG, 75, 1, 40),  # 20 in a row over the end of an epoch
    ],
)
def test_a_divergence_goes_back_to_an_epochs_end_with_half_the_learning_rate(
    tmp_path: Path, diverge: Diverge, changes: dict[str, Any], first: int, epoch: int, step: int
) -> None:
    diverge(first)
    experiment = experiment_of(changes)
    folder = RunFolder(tmp_path / "run")
    back = f"the end of epoch {epoch}" if epoch else "the start"
    sentence = (
        f"run: No gradient was finite from step {first} on; trained again from {back} with half "
        "the learning rate"
    )
    with pytest.warns(Note, match=sentence):
        train_whole(folder, experiment, prepared_of(experiment))
    (line,) = folder.records("half_rate")
    assert (line["epoch"], line["step"], line["refused_from"]) == (epoch, step, first)
    epochs = folder.records("epoch")
    assert [e["epoch"] for e in epochs] == list(range(1, experiment.train.epochs + 1))
    full = experiment.train.optimizer.learning_rate
    rates = [e["learning_rate"] for e in epochs]
    assert rates == [full] * epoch + [full / 2] * (len(rates) - epoch)
    assert all(e["gradient"]["refused"] == 0 for e in epochs)


def test_a_second_divergence_fails_and_names_the_step_and_the_cause(
    tmp_path: Path, diverge: Diverge
) -> None:
    diverge(60, half_too=90)
    experiment, folder = experiment_of(LONG), RunFolder(tmp_path / "run")
    message = (
        rf"no gradient was finite from step 90 \(epoch 3\) on, in {MAX_REFUSED} steps; the loss "
        r"was 0\.\d+; lower train.optimizer.learning_rate or train.clip; it had gone back before, "
        "with half the rate from step 40 on"
    )
    for _ in range(2):  # the same command again fails again, at once
        with pytest.raises(Diverged, match=message), ignored_notes():
            train_whole(folder, experiment, prepared_of(experiment))
        assert folder.checkpoints.names()[0].startswith("epoch-000002.")


def test_gradients_that_are_never_finite_fail_at_once(tmp_path: Path, diverge: Diverge) -> None:
    diverge(1)
    experiment, folder = experiment_of(SMALL), RunFolder(tmp_path / "run")
    with pytest.raises(Diverged, match=r"no gradient was finite from step 1 \(epoch 1\) on, in 2"):
        train_whole(folder, experiment, prepared_of(experiment))
    assert folder.records("half_rate") == []


def test_a_streak_that_ends_goes_back_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, folder = experiment_of(LONG), RunFolder(tmp_path / "run")
    usual, steps = FlatParameters.gradient_norm, iter(range(1_000))

    def gradient_norm(flat: FlatParameters) -> float:
        return float("nan") if 5 <= next(steps) < 5 + MAX_REFUSED - 1 else usual(flat)

    monkeypatch.setattr(FlatParameters, "gradient_norm", gradient_norm)
    train_whole(folder, experiment, prepared_of(experiment))
    assert folder.records("half_rate") == []
    assert folder.records("epoch")[0]["gradient"]["refused"] == MAX_REFUSED - 1


def test_a_kill_at_any_file_operation_of_going_back_changes_nothing(
    tmp_path: Path, diverge: Diverge
) -> None:
    diverge(7)
    experiment = experiment_of({**SMALL, "train.epochs": 4})
    prepared, whole = prepared_of(experiment), RunFolder(tmp_path / "whole")
    with ignored_notes(), dying_at(0) as writes:
        train_whole(whole, experiment, prepared)
    wanted = outcome(whole, experiment, prepared)
    assert [line["kind"] for line in wanted["journal"]].count("half_rate") == 1
    for number in range(20, writes.count + 1):
        folder = RunFolder(tmp_path / str(number))
        with ignored_notes():
            with suppress(Killed), dying_at(number):
                train_whole(folder, experiment, prepared)
            train_whole(folder, experiment, prepared)
        assert outcome(folder, experiment, prepared) == wanted, number
