"""A damaged, lost or wrong study is noticed, set aside and made again from the trials' folders."""

import json
import pickle
import random
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import OperationalError
from sweep_home import EXPERIMENT, Home, content_of, data_prepared_once

from flows.tune import study as studies
from flows.tune import sweep as sweeps
from flows.tune import worker
from flows.tune.recorded import RecordedTrials, contradiction
from flows.tune.study_database import (
    StudyDamaged,
    StudyError,
    recorded_content,
    study_access,
)
from flows.tune.trials import DAMAGED, trial_folder, trial_records
from rnnkit.errors import Note
from rnnkit.runs.run_folder import RunFolder


@pytest.fixture(scope="module", autouse=True)
def _prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with data_prepared_once(tmp_path_factory.mktemp("data")):
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    home.sweep()
    return home


def flip(file: Path) -> None:
    """A bit of SQLite's header page, which describes the tables."""
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)


def execute(file: Path, command: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        assert database.execute(command).rowcount > 0
        database.commit()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": flip,
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "lost": Path.unlink,
    "a pickle": lambda file: file.write_bytes(pickle.dumps({"a": [1] * 999})),
    "a page": lambda file: file.write_text("<html><body>Proxy error</body></html>" * 99),
    "another name": lambda file: execute(file, "UPDATE studies SET study_name = 'y'"),
    "another direction": lambda file: execute(
        file, "UPDATE study_directions SET direction = 'MAXIMIZE'"
    ),
    "another metric": lambda file: execute(
        file, "UPDATE trial_intermediate_values SET intermediate_value = 9 WHERE trial_id = 1"
    ),
    "another value": lambda file: execute(
        file, "UPDATE trial_params SET param_value = 2 WHERE trial_id = 1"
    ),
    "another state": lambda file: execute(
        file, "UPDATE trials SET state = 'FAIL' WHERE trial_id = 1"
    ),
    "no trial": lambda file: execute(file, "DELETE FROM trials"),
}


@pytest.fixture
def at_record(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Calls a function once, when the trainings have yielded so many records between them."""

    def arrange(number: int, call: Callable[[], object]) -> None:
        count, train_into = iter(range(1_000)), worker.train_into

        def training(*arguments: Any) -> Iterator[Any]:
            for record in train_into(*arguments):
                if next(count) == number:
                    call()
                yield record

        monkeypatch.setattr(worker, "train_into", training)

    return arrange


def same(home: Home, undisturbed: Home) -> None:
    records, expected = (
        [{**record, "seconds": 0} for record in trial_records(each.run, each.experiment)]
        for each in (home, undisturbed)
    )
    assert records == expected
    assert home.content() == undisturbed.content()


IN_BRIEF = ("a flipped bit", "cut", "lost", "another metric")


@pytest.mark.parametrize(
    "damage",
    [pytest.param(kind, marks=[] if kind in IN_BRIEF else pytest.mark.slow) for kind in DAMAGE],
)
def test_a_study_damaged_in_the_middle_of_a_sweep_changes_none_of_its_trials(
    undisturbed: Home, tmp_path: Path, at_record: Any, damage: str
) -> None:
    home = Home(tmp_path / "mlruns")
    at_record(14, lambda: DAMAGE[damage](home.file))  # of about 8 in a trial
    with pytest.warns(Note, match=r"study\.db: a study must be as its trials' folders record it, "):
        home.sweep()
    same(home, undisturbed)
    aside = list(home.run.path.glob("study.db.broken-*"))
    assert len(aside) == (damage != "lost")
    assert not (home.run.path / "trials" / DAMAGED).exists()
    assert not list(home.run.path.glob(".study.db*"))


@pytest.mark.parametrize("damage", ["cut", "lost", "another metric"])
def test_a_study_damaged_at_the_end_of_a_sweep_is_made_again(
    undisturbed: Home, tmp_path: Path, damage: str
) -> None:
    home = Home(tmp_path / "mlruns")
    with pytest.warns(Note, match=r"it was made again from the folders of 5 trials"):
        search = home.sweep(end=lambda: DAMAGE[damage](home.file))
    same(home, undisturbed)
    assert search.importance == undisturbed.sweep().importance


@pytest.mark.parametrize("damage", ["a page", "lost", "another state"])
def test_a_study_damaged_between_two_parts_of_a_sweep_changes_none_of_its_trials(
    undisturbed: Home, tmp_path: Path, at_record: Any, damage: str
) -> None:
    home = Home(tmp_path / "mlruns")

    def kill() -> None:
        raise KeyboardInterrupt

    at_record(19, kill)
    with pytest.raises(KeyboardInterrupt):
        home.sweep()
    DAMAGE[damage](home.file)
    with pytest.warns(Note, match=r"study\.db: .*; it was made again from the folders of 3 trials"):
        home.sweep()
    same(home, undisturbed)


def test_a_study_damaged_before_a_sweep_is_told_and_begun_anew(
    undisturbed: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "mlruns")
    home.run.path.mkdir()
    home.file.write_bytes(b"no database")
    with pytest.warns(Note, match=r"file is not a database; it was made again from the folders of"):
        home.sweep()
    same(home, undisturbed)


def test_a_study_that_no_fault_meets_is_not_made_again(undisturbed: Home) -> None:
    before = undisturbed.file.read_bytes()
    undisturbed.open()  # warnings are errors
    assert undisturbed.file.read_bytes() == before


FLIPS = 60


def test_every_flipped_bit_of_a_study_is_noticed_or_changes_nothing_of_it(
    undisturbed: Home, tmp_path: Path
) -> None:
    expected, content = undisturbed.content(), undisturbed.file.read_bytes()
    home = Home(tmp_path / "mlruns")
    (tmp_path / "mlruns").rmdir()
    shutil.copytree(undisturbed.path, home.path)
    draw, noticed = random.Random(0), 0
    written = [position for position, byte in enumerate(content) if byte]
    for _ in range(FLIPS):
        damaged, position = bytearray(content), draw.choice(written)
        damaged[position] ^= 1 << draw.randrange(8)
        home.file.write_bytes(damaged)
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", Note)
            home.open()
        noticed += bool(notes)
        assert home.content() == expected, position
        for aside in home.run.path.glob("study.db.broken-*"):
            aside.unlink()
    assert noticed > FLIPS / 3  # the others hit free space, times and names of indexes


SWEEPS: dict[str, dict[str, Any]] = {
    "tpe": {},
    "cmaes": {"tune.sampler.kind": "cmaes", "tune.pruner.kind": "none", "tune.trials": 9},
    "gp": {"tune.sampler.kind": "gp", "tune.pruner.kind": "median"},
    "grid": {"tune.sampler": {"kind": "grid", "points": 2}, "tune.trials": 4},
    "seeds": {"tune.seeds": 2, "tune.trials": 3},
    "wilcoxon": {"tune.seeds": 4, "tune.pruner.kind": "wilcoxon", "tune.trials": 3},
}


@pytest.mark.parametrize("kind", SWEEPS)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_the_folders_record_the_whole_study(tmp_path: Path, kind: str) -> None:
    """Also what the sampler and the pruner keep with a trial."""
    home = Home(tmp_path / "mlruns", EXPERIMENT.replace(SWEEPS[kind]))
    home.sweep()
    experiment, points = home.experiment, studies.grid_points(home.experiment)
    content = recorded_content(
        "run", experiment.direction, studies.pruner(experiment), home.recorded.read(), points
    )
    assert list(map(content_of, content.trials)) == home.content()
    before, study = home.open().get_trials(), home.open()
    home.file.unlink()
    with pytest.warns(Note, match="it is lost; it was made again"):
        study = home.open()
    after = study.get_trials()
    assert list(map(content_of, after)) == list(map(content_of, before))
    assert [t.number for t in studies.ended(study)] == [t.number for t in after if t.state != 4]


def test_a_trial_whose_folder_is_deleted_is_tried_again(undisturbed: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "mlruns")
    home.path.rmdir()
    shutil.copytree(undisturbed.path, home.path)
    shutil.rmtree(trial_folder(home.run, 1).path)
    with pytest.warns(Note, match="but the end of trial 1 is not the recorded one; it was made ag"):
        home.sweep()
    (again,) = trial_records(home.run, home.experiment)[1:2]
    assert (again["number"], again["state"]) == (1, "pruned")  # now among the others
    assert len(trial_records(home.run, home.experiment)) == 5


def test_a_journal_with_values_outside_the_search_space_is_left_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    place = trial_folder(run, 0)
    place.path.mkdir(parents=True)
    place.append("begun", values={"train.clip": 99.0, "train.optimizer.learning_rate": 0.01})
    (trial,) = RecordedTrials(run, EXPERIMENT).read().values()
    assert trial.is_outside
    assert (trial.values, trial.state) == ({}, optuna.trial.TrialState.FAIL)


def test_a_study_damaged_again_and_again_ends_the_sweep(tmp_path: Path) -> None:
    home = Home(tmp_path / "mlruns")
    home.sweep()

    def wrong() -> None:
        (home.run.path / "trials" / DAMAGED).write_text("KeyError: 'x'\n")

    with pytest.raises(sweeps.SweepFailed, match="damaged 3 times without an epoch in between"):
        home.sweep(end=wrong)


def sqlite_error(message: str, code: int) -> OperationalError:
    """An error as SQLAlchemy passes it on."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return OperationalError("", {}, error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite_error("database is locked", sqlite3.SQLITE_BUSY), StudyError),
        (sqlite_error("disk I/O error", sqlite3.SQLITE_IOERR_WRITE), StudyError),
        (OSError(28, "No space left on device"), StudyError),
        (OperationalError("", {}, ConnectionError("refused")), StudyError),
        (sqlite_error("attempt to write", sqlite3.SQLITE_READONLY_DBMOVED), StudyDamaged),
        (sqlite_error("no such table: studies", sqlite3.SQLITE_ERROR), StudyDamaged),
        (json.JSONDecodeError("Expecting value", "{", 1), StudyDamaged),
    ],
)
def test_a_study_that_cannot_be_reached_is_no_damaged_one(
    error: Exception, kind: type[StudyError]
) -> None:
    with pytest.raises(StudyError) as caught, study_access():
        raise error
    assert caught.type is kind


def test_a_trial_that_is_only_in_the_study_may_have_begun_there_alone(undisturbed: Home) -> None:
    trials, recorded = undisturbed.open().get_trials(), undisturbed.recorded.read()
    assert contradiction(trials, recorded, []) == ""
    assert contradiction(trials[:4], recorded, []) == "trial 4 is not in it"
    asked = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)
    asked.number = 5
    assert contradiction([*trials, asked], recorded, []) == ""
    enqueued = optuna.trial.create_trial(
        state=optuna.trial.TrialState.WAITING, system_attrs={"fixed_params": {"train.clip": 2.0}}
    )
    enqueued.number = 5
    assert contradiction([*trials, enqueued], recorded, []) == "a trial is enqueued"
