"""A sweep's parent reads the journals of a trial that has ended once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_home import EXPERIMENT

from flows.tune.sweep import epochs_shown, records_of
from flows.tune.trial_reader import TrialReader
from flows.tune.trials import trial_folder, trial_records
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files

EPOCHS = EXPERIMENT.train.epochs


class Sweep:
    """A sweep's folder, with a reader of it."""

    def __init__(self, folder: RunFolder, experiment: Experiment = EXPERIMENT) -> None:
        self.folder, self.experiment = folder, experiment
        self.reader = TrialReader(folder, experiment)

    def begin(self, number: int) -> None:
        """A trial that has begun."""
        trial_folder(self.folder, number).path.mkdir(parents=True)
        self.append(number, "begun", values={"train.clip": 1.0})

    def append(self, number: int, kind: str, **record: object) -> None:
        """A line of a trial's journal."""
        trial_folder(self.folder, number).append(kind, **record)

    def epoch(self, number: int, epoch: int, seed: int | None = None) -> None:
        """An epoch of a trial, or of one of its seeds."""
        place = trial_folder(self.folder, number)
        if seed is not None:
            place = RunFolder(place.path / f"seed-{seed}")
            place.path.mkdir(exist_ok=True)
        place.append("epoch", epoch=epoch, valid={"loss": 1.0 / epoch}, improved=True, seconds=1.0)

    def states(self) -> list[str | None]:
        """The state of each trial; None: it goes on."""
        trials = self.reader.read()
        assert records_of(trials) == trial_records(self.folder, self.experiment)
        return [None if seen.record is None else seen.record["state"] for seen in trials]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The journals that were read, by the name of their folder."""
    reads: list[str] = []
    read = files.read_whole_lines

    def counted(path: Path) -> object:
        reads.append(path.parent.name)
        return read(path)

    monkeypatch.setattr(files, "read_whole_lines", counted)
    return reads


def test_a_trial_that_has_ended_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    sweep = Sweep(RunFolder(tmp_path))
    for number, end in enumerate(["finished", "pruned", "failed"]):
        sweep.begin(number)
        sweep.epoch(number, 1)
        sweep.append(number, end)
    sweep.begin(3)
    assert sweep.states() == ["complete", "pruned", "failed", None]
    reads.clear()
    sweep.reader.read()
    assert set(reads) == {"trial-0003"}
    sweep.epoch(3, 1)
    assert epochs_shown(sweep.reader.read(), EPOCHS) == 2 * EPOCHS + 1


def test_a_trial_that_goes_on_after_its_end_is_read_again(tmp_path: Path) -> None:
    sweep = Sweep(RunFolder(tmp_path))
    sweep.begin(0)
    sweep.epoch(0, 1)
    sweep.append(0, "failed", reason="no luck")
    assert sweep.states() == ["failed"]
    sweep.epoch(0, 2)  # it is tried again
    assert sweep.states() == [None]
    assert epochs_shown(sweep.reader.read(), EPOCHS) == 2
    sweep.append(0, "finished")
    assert sweep.states() == ["complete"]
    place = trial_folder(sweep.folder, 0)
    place.forget_after((1, 1))  # its newest checkpoint is lost: the journal is written anew
    assert sweep.states() == [None]
    assert epochs_shown(sweep.reader.read(), EPOCHS) == 1


def test_epochs_of_a_trial_are_those_of_all_its_seeds(tmp_path: Path) -> None:
    sweep = Sweep(RunFolder(tmp_path), EXPERIMENT.replace({"tune.seeds": 2}))
    sweep.begin(0)
    for seed in (0, 1):
        sweep.epoch(0, 1, seed)
        sweep.epoch(0, 2, seed)
        assert epochs_shown(sweep.reader.read(), 2 * EPOCHS) == 2 * (seed + 1)
        sweep.append(0, "seed", seed=seed, value=0.5 + seed)
    sweep.append(0, "finished", value=1.0)
    (seen,) = sweep.reader.read()
    assert seen.record is not None
    assert seen.record["value"] == 1.0
    assert seen.epochs == 4
    assert sweep.states() == ["complete"]
