"""A training in a run folder under faults: kills between any two file operations, damaged files."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from killed_writes import Killed, dying_at
from small_training import experiment_of, outcome, prepared_of, train_whole

from rnnkit.errors import Note
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import numerics
from rnnkit.training.train_into import NeverFinite

VARYING = {
    "train.optimizer.learning_rate": 0.3,
    "train.epochs": 5,
    "train.batch_size": 20,
    "seed": 4,
}
"""Some epochs improve on the best one and some do not; the third of five is the best."""


@pytest.fixture(autouse=True)
def no_measuring_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It collects garbage at the start of each of these many trainings."""
    monkeypatch.setattr(numerics, "reset_peak_memory", lambda: None)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return experiment_of(VARYING)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, experiment: Experiment) -> dict[str, Any]:
    folder = RunFolder(tmp_path_factory.mktemp("undisturbed") / "run")
    train_whole(folder, experiment, prepared_of(experiment))
    improved = [line["improved"] for line in folder.records("epoch")]
    assert improved == [True, True, True, False, False]
    return outcome(folder, experiment, prepared_of(experiment))


def operations(experiment: Experiment, folder: Path) -> int:
    """File operations of a whole training."""
    with dying_at(0) as writes:
        train_whole(RunFolder(folder), experiment, prepared_of(experiment))
    return writes.count


def test_a_kill_at_any_file_operation_changes_no_weights_predictions_or_best_epoch(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    prepared = prepared_of(experiment)
    count = operations(experiment, tmp_path / "counted")
    assert count > 40
    for number in range(1, count + 1):
        folder = RunFolder(tmp_path / f"run-{number}")
        with dying_at(number) as writes, suppress(Killed):
            train_whole(folder, experiment, prepared)
        assert writes.is_dead, number
        train_whole(folder, experiment, prepared)
        assert outcome(folder, experiment, prepared) == undisturbed, number


def test_two_kills_in_a_row_at_the_writing_of_a_checkpoint_change_nothing(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    prepared = prepared_of(experiment)
    count = operations(experiment, tmp_path / "counted")
    for number in range(count // 2, count // 2 + 10):
        folder = RunFolder(tmp_path / f"run-{number}")
        for dies_at in (number, 4, 3):
            with dying_at(dies_at), suppress(Killed):
                train_whole(folder, experiment, prepared)
        train_whole(folder, experiment, prepared)
        assert outcome(folder, experiment, prepared) == undisturbed, number


# --- damaged checkpoints


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: list[Callable[[Path], None]] = [flip, truncate, empty, Path.unlink]


def files_of(folder: RunFolder) -> tuple[Path, Path]:
    """Paths of the newest checkpoint and of the best one."""
    newest = next(folder.checkpoints.whole())
    best = folder.checkpoints.best_of(newest)
    assert best is not None
    place = folder.checkpoints.folder
    return place / newest.name, place / best.name


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["newest", "best", "both"])
def test_a_trained_run_whose_checkpoint_is_damaged_trains_again_and_says_so(
    tmp_path: Path,
    experiment: Experiment,
    undisturbed: dict[str, Any],
    damage: Callable[[Path], None],
    which: str,
) -> None:
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    newest, best = files_of(folder)
    assert newest != best
    for path in {"newest": [newest], "best": [best], "both": [newest, best]}[which]:
        damage(path)
    goes_on = "epoch 4, step 8" if which == "newest" else "epoch 0, step 0"
    sentence = (
        "the checkpoint of epoch 5, step 10, or that of its best epoch, is damaged, missing or of "
        f"other params; training goes on from {goes_on}"
    )
    with pytest.warns(Note, match=f"run: {sentence}"):
        train_whole(folder, experiment, prepared)
    assert [line["reason"] for line in folder.records("fallback")] == [sentence]
    assert outcome(folder, experiment, prepared) == undisturbed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_whole(folder, experiment, prepared)  # said once


def test_every_checkpoint_lost_trains_from_the_start_and_says_so(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    for path in folder.checkpoints.folder.iterdir():
        path.unlink()
    with pytest.warns(Note, match="training goes on from epoch 0, step 0"):
        train_whole(folder, experiment, prepared)
    assert outcome(folder, experiment, prepared) == undisturbed


def test_a_damaged_checkpoint_does_not_take_the_place_of_a_whole_one(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    """It is deleted where the training resumes behind it, or it would count among the newest."""
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    newest, _ = files_of(folder)
    flip(newest)
    with pytest.warns(Note), dying_at(12), suppress(Killed):
        train_whole(folder, experiment, prepared)
    assert not newest.exists()
    train_whole(folder, experiment, prepared)
    assert outcome(folder, experiment, prepared) == undisturbed


def test_a_checkpoint_of_other_params_is_not_resumed(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    """As after a sweep whose best trial is another one than before it was killed."""
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment.replace({"train.clip": 0.1}), prepared)
    with pytest.warns(Note, match="of other params; training goes on from epoch 0"):
        train_whole(folder, experiment, prepared)
    assert outcome(folder, experiment, prepared) == undisturbed


def test_a_folder_of_an_older_version_is_resumed(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any]
) -> None:
    """It had a pointer `best`, names without a step, and facts without the file of the best."""
    import json

    from safetensors.torch import save

    from rnnkit.runtime.files import sha256_bytes

    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    place, best_epoch = folder.checkpoints.folder, undisturbed["best_epoch"]
    checkpoints = [folder.checkpoints._read(name) for name in folder.checkpoints.names()]
    for checkpoint in checkpoints:
        assert checkpoint is not None
        (place / checkpoint.name).unlink()
        if checkpoint.position[0] == 5:
            continue  # it was killed in the last epoch
        facts = {
            name: fact
            for name, fact in checkpoint.facts.items()
            if name not in ("best_file", "training", "within")
        }
        content = save(checkpoint.tensors, metadata={"facts": json.dumps(facts)})
        name = f"epoch-{facts['epoch']:06d}.{sha256_bytes(content)[:16]}.safetensors"
        (place / name).write_bytes(content)
        if facts["epoch"] == best_epoch:
            (place / "best").write_text(name + "\n")
    lines = [line for line in folder.records() if line["kind"] != "checkpoint"]
    folder._write_journal(lines)
    train_whole(folder, experiment, prepared)
    found = outcome(folder, experiment, prepared)
    wanted = {**undisturbed, "journal": None}
    assert {**found, "journal": None} == wanted


def test_a_metric_that_is_never_finite_fails_and_says_so(tmp_path: Path) -> None:
    import torch

    experiment = experiment_of({"train.epochs": 1})
    prepared = prepared_of(experiment)
    broken = prepared.splits["valid"]
    assert broken.targets.dtype == torch.int64
    folder = RunFolder(tmp_path / "run")
    folder.create(experiment, {})
    from rnnkit.training import loop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "better", lambda *_: False)
        with pytest.raises(NeverFinite, match="valid/loss was never a finite number, so no epoch"):
            train_whole(folder, experiment, prepared)


def test_few_checkpoints_are_kept_and_each_with_its_best_one(
    tmp_path: Path, experiment: Experiment
) -> None:
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    names = folder.checkpoints.names()
    assert len(names) <= 4
    whole = list(folder.checkpoints.whole())
    assert [checkpoint.position[0] for checkpoint in whole][:2] == [5, 4]
    assert sorted(path.name for path in folder.checkpoints.folder.iterdir()) == sorted(names)


# --- a damaged journal


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.9])
def test_a_run_whose_journal_is_damaged_goes_on_from_what_is_whole(
    tmp_path: Path, experiment: Experiment, undisturbed: dict[str, Any], fraction: float
) -> None:
    prepared, folder = prepared_of(experiment), RunFolder(tmp_path / "run")
    train_whole(folder, experiment, prepared)
    journal = folder.path / "journal.jsonl"
    content = bytearray(journal.read_bytes())
    content[round(fraction * len(content)) + 1] ^= 1
    journal.write_bytes(content)
    assert folder.status == "interrupted"
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        with folder.lock():
            train_whole(folder, experiment, prepared)
    assert "a line must be as it was written" in str(notes[0].message)
    assert outcome(folder, experiment, prepared) == undisturbed
