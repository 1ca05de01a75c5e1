"""A trial of a sweep and its adoption under faults: kills at any file operation, damaged files."""

import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import optuna
import pytest
from killed_writes import Killed, dying_at
from optuna.trial import TrialState
from small_training import experiment_of, prepared_of, weights_hash

from flows.pipeline.steps import Run
from flows.tune import trials, worker
from rnnkit.errors import Note
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.training.train_into import train_into


@pytest.fixture(autouse=True)
def no_measuring_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It collects garbage at the start of each of these many trainings."""
    monkeypatch.setattr(numerics, "reset_peak_memory", lambda: None)


@pytest.fixture
def experiment() -> Experiment:
    """One trial of five epochs, of which the third is the best."""
    return experiment_of(
        {
            "train.optimizer.learning_rate": 0.3,
            "train.epochs": 5,
            "train.batch_size": 20,
            "seed": 4,
            "tune": {
                "trials": 1,
                "search": {"train.clip": {"choices": [5.0]}},
                "pruner": {"kind": "none"},
            },
        }
    )


def sweep_of(experiment: Experiment, folder: Path) -> worker.Sweep:
    run = RunFolder(folder / "run")
    run.create(experiment, {})
    (run.path / "trials").mkdir()
    sweep = worker.Sweep(Run(experiment, run, folder, ""), optuna.create_study(), 0)
    sweep._prepared = experiment.data, prepared_of(experiment)
    return sweep


def work(sweep: worker.Sweep) -> None:
    """Train the trial from where it stands, if it has not ended."""
    with ExitStack() as held:
        taken = sweep.take(held)
        if taken is not None:
            sweep.attempt(*taken)


def adopt(sweep: worker.Sweep) -> None:
    """As the main flow does with the winner."""
    place = trials.trial_folder(sweep.folder, 0)
    sweep.folder.adopt(place)
    for _ in train_into(sweep.folder, place.experiment, sweep._data(place.experiment)):
        pass


def outcome(sweep: worker.Sweep) -> dict[str, Any]:
    """What study, journals and checkpoints have of the trial and of the run that adopted it."""
    place = trials.trial_folder(sweep.folder, 0)
    (trial,) = sweep.study.get_trials()
    tensors, facts = place.best_checkpoint()
    return {
        "state": trial.state,
        "value": trial.value,
        "reported": trial.intermediate_values,
        "finished": [line["value"] for line in place.records("finished")],
        "best_epoch": facts["epoch"],
        "weights": weights_hash(tensors),
        "valid": [line["valid"] for line in place.records("epoch")],
        "adopted": [line["valid"] for line in sweep.folder.records("epoch")],
        "model": weights_hash(sweep.folder.best_checkpoint()[0]),
    }


def test_a_trial_killed_at_any_file_operation_has_the_weights_of_its_value(
    experiment: Experiment, tmp_path: Path
) -> None:
    whole = sweep_of(experiment, tmp_path)
    with dying_at(0) as writes:
        work(whole)
        adopt(whole)
    wanted = outcome(whole)
    assert (wanted["state"], wanted["best_epoch"]) == (TrialState.COMPLETE, 3)
    assert sorted(wanted["reported"]) == [1, 2, 3, 4, 5]
    assert writes.count > 60
    for number in range(1, writes.count + 1):
        sweep = sweep_of(experiment, tmp_path / str(number))
        with dying_at(number) as dying, suppress(Killed):
            work(sweep)
            adopt(sweep)
        assert dying.is_dead, number
        work(sweep)
        adopt(sweep)
        assert outcome(sweep) == wanted, number


@pytest.mark.parametrize("which", ["newest", "best"])
def test_a_finished_trial_whose_checkpoint_is_damaged_is_trained_again_when_it_is_adopted(
    experiment: Experiment, tmp_path: Path, which: str
) -> None:
    whole = sweep_of(experiment, tmp_path / "whole")
    work(whole)
    adopt(whole)
    wanted = outcome(whole)
    sweep = sweep_of(experiment, tmp_path)
    work(sweep)
    place = trials.trial_folder(sweep.folder, 0)
    newest = next(place.checkpoints.whole())
    best = place.checkpoints.best_of(newest)
    assert best is not None
    damaged = place.checkpoints.folder / (newest if which == "newest" else best).name
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    assert trials.best_epoch(place) == wanted["best_epoch"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        adopt(sweep)
    assert weights_hash(sweep.folder.best_checkpoint()[0]) == wanted["model"]
    assert [line["valid"] for line in sweep.folder.records("epoch")] == wanted["adopted"]
