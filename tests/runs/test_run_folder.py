"""A run's folder: its identity, its lock, its journal and its manifest."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from killed_writes import Killed, dying_at

from rnnkit.errors import InputError
from rnnkit.params import Experiment, load
from rnnkit.runs.run_folder import Busy, RunFolder
from rnnkit.runtime.files import verify_manifest

DEMO = Path(__file__).parents[2] / "params" / "demo.yaml"


@pytest.fixture
def experiment() -> Experiment:
    return load(DEMO)


@pytest.fixture
def folder(tmp_path: Path, experiment: Experiment) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "x-1")
    made.create(experiment, {"torch": "2"})
    return made


def test_the_identity_follows_everything_that_decides_the_result(experiment: Experiment) -> None:
    first = RunFolder.identity(experiment, "a", "", 0)
    assert first.startswith("python-tokens-")
    assert first == RunFolder.identity(load(DEMO), "a", "", 0)
    others = {
        RunFolder.identity(experiment.replace({"seed": 1}), "a", "", 0),
        RunFolder.identity(experiment, "b", "", 0),
        RunFolder.identity(experiment, "a", "2026-01-01", 0),
        RunFolder.identity(experiment, "a", "", 1),
    }
    assert len(others | {first}) == 5


def test_the_status_follows_the_folder(folder: RunFolder, tmp_path: Path) -> None:
    assert RunFolder(tmp_path / "nothing").status == "new"
    assert folder.status == "interrupted"
    with folder.lock():
        assert folder.status == "running"
    folder.append("failed", reason="x")
    assert folder.status == "failed"
    folder.finish({"test": {}})
    assert folder.status == "finished"
    assert folder.result == {"test": {}}
    assert verify_manifest(folder.path) == []


def test_who_looks_at_a_run_is_not_taken_for_who_works_on_it(folder: RunFolder) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            assert folder.status in ("interrupted", "running")
            time.sleep(0.0005)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(1_500):
            with folder.lock():
                pass
    finally:
        stop.set()
        looker.join()


def test_a_run_is_worked_on_by_one_process(folder: RunFolder) -> None:
    code = (
        "import sys, pathlib; from rnnkit.runs.run_folder import RunFolder\n"
        "with RunFolder(pathlib.Path(sys.argv[1])).lock():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(Busy, match=r"x-1 is being run by another process"), folder.lock():
        pass
    other.kill()
    other.communicate()
    with folder.lock():  # the system let go of the dead process's hold
        pass


def test_params_come_back_as_they_were(folder: RunFolder, experiment: Experiment) -> None:
    assert folder.experiment == experiment


def test_what_is_not_finite_stands_in_the_journal_as_a_word(folder: RunFolder) -> None:
    folder.append("step", loss=float("nan"), valid={"perplexity": float("inf")})
    assert folder.records("step")[0]["loss"] == "nan"
    assert folder.records("step")[0]["valid"] == {"perplexity": "inf"}


def test_records_behind_a_checkpoint_are_forgotten(folder: RunFolder) -> None:
    for epoch in (1, 2, 3):
        folder.append("step", epoch=epoch, step=10 * epoch - 5)
        folder.append("step", epoch=epoch, step=10 * epoch)
        folder.append("epoch", epoch=epoch, step=10 * epoch)
        folder.append("checkpoint", epoch=epoch, step=10 * epoch)
    folder.append("failed")
    folder.forget_after((2, 30))  # before the validation of epoch 3
    last = [(line["kind"], line["epoch"], line["step"]) for line in folder.records()][-3:]
    assert last == [("checkpoint", 2, 20), ("step", 3, 25), ("step", 3, 30)]
    folder.forget_after((2, 25))
    assert folder.records()[-1]["step"] == 25
    folder.forget_after((1, 10))
    assert [line["step"] for line in folder.records()] == [5, 10, 10, 10]
    folder.forget_after((0, 0))
    assert folder.records() == []


def facts_of(epoch: int, best_epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "step": 10 * epoch, "best_epoch": best_epoch, "within": None}


def trained_trial(folder: Path, value: float) -> RunFolder:
    """Two epochs, of which the first is the best."""
    trial = RunFolder(folder)
    trial.path.mkdir(parents=True)
    trial.append("begun")
    best = None
    for epoch in (1, 2):
        trial.append("epoch", epoch=epoch, step=10 * epoch)
        weights = {"weights/a": torch.full((2,), value + epoch)}
        best = trial.save_checkpoint(weights, facts_of(epoch, 1), best) if epoch == 1 else best
    trial.save_checkpoint(weights, facts_of(2, 1), best)
    return trial


def test_a_training_is_adopted_once(folder: RunFolder, tmp_path: Path) -> None:
    trial = trained_trial(tmp_path / "trial-0001", 0.0)
    folder.adopt(trial)
    folder.adopt(trained_trial(tmp_path / "trial-0002", 5.0))
    kinds = [line["kind"] for line in folder.records()]
    assert kinds == ["epoch", "checkpoint", "epoch", "checkpoint", "adopted"]
    assert folder.best_checkpoint()[0]["weights/a"].tolist() == [1, 1]
    assert folder.records("adopted")[0]["trial"] == "trial-0001"


def test_an_adoption_cut_short_leaves_nothing_of_another_winner(
    folder: RunFolder, tmp_path: Path
) -> None:
    first = trained_trial(tmp_path / "trial-0001", 0.0)
    second = trained_trial(tmp_path / "trial-0002", 5.0)
    for number in range(1, 12):
        with dying_at(number), suppress(Killed):
            folder.adopt(first)
        assert not folder.records("adopted")
        folder.adopt(second)
        assert folder.best_checkpoint()[0]["weights/a"].tolist() == [6, 6]
        assert len(folder.checkpoints.names()) == 2
        (folder.path / "journal.jsonl").unlink()


def test_a_damaged_trial_is_adopted_as_far_as_it_is_whole(
    folder: RunFolder, tmp_path: Path
) -> None:
    trial = trained_trial(tmp_path / "trial-0001", 0.0)
    newest, best = trial.checkpoints.names()
    (trial.checkpoints.folder / newest).write_bytes(b"")
    folder.adopt(trial)
    assert folder.checkpoints.names() == [best]
    assert [line["epoch"] for line in folder.records("epoch")] == [1]


def test_a_run_without_a_best_checkpoint_says_so(folder: RunFolder) -> None:
    with pytest.raises(InputError, match=r"has no whole best checkpoint; run it again"):
        folder.best_checkpoint()
