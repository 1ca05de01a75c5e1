"""Checkpoints within an epoch: a training stopped between any two steps has the same bits."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from command import called
from small_training import experiment_of, outcome, prepared_of, train_whole

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.tasks import prepare
from rnnkit.training import train_into as module
from rnnkit.training.train_into import Stopped, train_into

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def no_measuring_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It collects garbage at the start of each of these many trainings."""
    monkeypatch.setattr(numerics, "reset_peak_memory", lambda: None)


def stop_every(
    steps: int, folder: RunFolder, experiment: Experiment, prepared: Prepared
) -> list[int]:
    """Train to the end, stopped after each so many positions; the steps of the checkpoints."""
    folder.create(experiment, {})
    stopped = []
    while True:
        asked = 0

        def stop() -> bool:
            nonlocal asked
            asked += 1
            return asked > steps

        try:
            for _ in train_into(folder, experiment, prepared, stop):
                pass
        except Stopped:
            newest = folder.newest_checkpoint()
            assert newest is not None
            stopped.append(newest[1]["step"])
        else:
            return stopped


def assert_same_when_stopped(
    folder: Path, experiment: Experiment, prepared: Prepared, steps: int
) -> None:
    whole, cut = RunFolder(folder / "whole"), RunFolder(folder / "cut")
    train_whole(whole, experiment, prepared)
    stopped = stop_every(steps, cut, experiment, prepared)
    assert len(stopped) > 2
    wanted, got = (outcome(run, experiment, prepared) for run in (whole, cut))
    assert got == wanted
    newest = [next(run.checkpoints.whole()) for run in (whole, cut)]
    assert newest[0].facts == newest[1].facts
    assert all(newest[0].tensors[k].equal(newest[1].tensors[k]) for k in newest[0].tensors)


CARRIED: list[dict[str, Any]] = [
    {"model.recurrent_dropout": 0.2},
    {"train.bptt": 2, "model.recurrent_dropout": 0.3},
    {"train.bptt": 2, "model.cell.kind": "lstm", "model.depth": 2},
    {"train.clip": "auto"},
    {"train.schedule": {"kind": "cosine", "warmup": 3}, "train.bptt": 3},
    {"train.schedule": {"kind": "plateau", "factor": 0.5, "patience": 1}},
    {"model.bidirectional": True},
    {"train.early_stopping": {"patience": 1}, "train.optimizer.learning_rate": 0.3},
    {"train.optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9}},
    {"train.monitor": "valid/accuracy", "model.initial_state": "learned"},
]
"""What a training carries from step to step."""


@pytest.mark.parametrize("changes", CARRIED, ids=str)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_training_stopped_within_its_epochs_ends_with_the_same_bits(
    tmp_path: Path, changes: dict[str, Any], steps: int
) -> None:
    experiment = experiment_of({"train.epochs": 3, "train.batch_size": 10, **changes})
    assert_same_when_stopped(tmp_path, experiment, prepared_of(experiment), steps)


TASKS: dict[str, dict[str, Any]] = {
    "carried": {
        "name": "x",
        "task": {"kind": "language_modeling", "state": "carried"},
        "data": {
            "source": {"kind": "builtin", "name": "python_docs"},
            "tokenizer": {"kind": "characters"},
            "limit": 2,
        },
        "model": {
            "representation": {"kind": "embedding", "size": 5},
            "hidden": 6,
            "dropout": 0.2,
            "embedding_dropout": 0.1,
            "recurrent_dropout": 0.2,
        },
        "train": {"epochs": 2, "batch_size": 4, "bptt": 100},
    },
    "sampled": {
        "name": "x",
        "task": {"kind": "translation", "scheduled_sampling": 0.5},
        "data": {
            "source": {"kind": "builtin", "name": "dates"},
            "tokenizer": {"kind": "characters"},
            "limit": 60,
        },
        "model": {
            "representation": {"kind": "embedding", "size": 5},
            "hidden": 6,
            "dropout": 0.2,
            "attention": "dot",
        },
        "train": {"epochs": 3, "batch_size": 16},
    },
}


@pytest.mark.parametrize(("name", "steps"), [("carried", 5), ("sampled", 3)])
def test_carried_states_and_sampled_tokens_go_on_within_an_epoch(
    tmp_path: Path, name: str, steps: int
) -> None:
    experiment = Experiment.model_validate(TASKS[name])
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    assert_same_when_stopped(tmp_path, experiment, prepared, steps)


def test_a_checkpoint_is_written_every_so_many_seconds_and_no_other_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_FRACTION", 1e9)
    plain = experiment_of({"train.epochs": 2})
    prepared, outcomes, counts = prepared_of(plain), [], []
    for seconds in (1e-6, 60.0, None):
        experiment = plain.replace({"train.checkpoint_seconds": seconds})
        folder = RunFolder(tmp_path / str(seconds))
        train_whole(folder, experiment, prepared)
        outcomes.append(outcome(folder, experiment, prepared))
        counts.append(len(folder.records("checkpoint")))
    assert counts == [14, 2, 2]  # each step and before each validation; ends of epochs
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_a_checkpoint_that_takes_long_is_written_less_often(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create(experiment_of({}), {})
    writer = module._Writer(folder, "", 60.0, None)
    writer._written = time.monotonic() - 61
    assert writer.is_due()
    writer._cost = 0.7  # 1 % of 70 seconds
    assert not writer.is_due()
    writer._written -= 10
    assert writer.is_due()


def test_the_seconds_between_checkpoints_are_no_part_of_a_runs_identity() -> None:
    ids = {
        RunFolder.identity(experiment_of({"train.checkpoint_seconds": seconds}), "a", "", 0)
        for seconds in (60.0, 1.0, None)
    }
    assert len(ids) == 1


# --- signals


CHANGES = {"train.epochs": 3, "train.checkpoint_seconds": 1e-6, "model.recurrent_dropout": 0.2}
UNTIMED = {**CHANGES, "train.checkpoint_seconds": None}
STEPS = (1, 5, 6, 13)
"""Of five in an epoch: the first, the last, the first of the next, within the last."""


SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGKILL")
CASES = [(name, step) for name in SIGNALS for step in STEPS]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """The folders of trainings that got a signal, by the number of the case, and exit statuses."""
    place = tmp_path_factory.mktemp("killed")
    cases = [[name, step, CHANGES if name == "SIGKILL" else UNTIMED] for name, step in CASES]
    program = [sys.executable, str(TESTS / "killed_training.py"), str(place), json.dumps(cases)]
    done = called(*program, timeout=300)
    assert done.returncode == 0, done.stderr
    return place, json.loads(done.stdout)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_in_a_step_leaves_a_checkpoint_and_the_same_bits_at_the_end(
    tmp_path: Path, killed: tuple[Path, list[int]], name: str
) -> None:
    experiment = experiment_of(UNTIMED)
    prepared, whole = prepared_of(experiment), RunFolder(tmp_path / "whole")
    train_whole(whole, experiment, prepared)
    wanted = outcome(whole, experiment, prepared)
    status = 130 if name == "SIGINT" else -signal.Signals[name].value
    for number, (sent, step) in enumerate(CASES):
        if sent != name:
            continue
        assert killed[1][number] == status
        folder = RunFolder(killed[0] / str(number))
        newest = folder.newest_checkpoint()
        last = 0 if newest is None else newest[1]["step"]
        assert last == (step - 1 if name == "SIGKILL" else step)
        train_whole(folder, experiment, prepared)
        assert outcome(folder, experiment, prepared) == wanted, step


def test_a_signal_during_the_validation_does_not_wait_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnkit.training import loop

    experiment = experiment_of({"train.epochs": 2})
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    usual = loop.evaluate
    reached = []

    def interrupted(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("end of the validation")
        return usual(*args)

    monkeypatch.setattr(loop, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_whole(folder, experiment, prepared)
    assert reached == []
    (checkpoint,) = folder.checkpoints.whole()
    assert checkpoint.position == (0, 5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_wait_for_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    from rnnkit.training.trainer import Trainer

    class Ended(BaseException):
        pass

    def usual(*_: object) -> None:
        raise Ended

    def update(*_: object) -> None:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        pytest.fail("the step went on")

    experiment, folder = experiment_of({}), RunFolder(tmp_path / "run")
    monkeypatch.setattr(Trainer, "update", update)
    before = signal.signal(number, usual)
    try:
        with pytest.raises(Ended):
            train_whole(folder, experiment, prepared_of(experiment))
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)
    assert folder.checkpoints.names() == []


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    experiment, folder = experiment_of({"train.epochs": 1}), RunFolder(tmp_path / "run")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        folder.create(experiment, {})
        for _ in train_into(folder, experiment, prepared_of(experiment)):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_states_become_tensors_and_states_again() -> None:
    from rnnkit.nn.model.stack import Stack, as_tensors
    from rnnkit.params.model import LSTM, Model

    stack = Stack(3, Model(cell=LSTM(), hidden=2, recurrent_dropout=0.5), torch.Generator())
    _, states = stack(torch.randn(4, 5, 3), None, None, True, "auto")
    again = stack.from_tensors(as_tensors(states))
    assert list(again) == ["layer0", "layer0_mask"]
    for name, state in states.items():
        assert type(again[name]) is type(state)
        assert all(one.equal(other) for one, other in zip(again[name], state, strict=True))
