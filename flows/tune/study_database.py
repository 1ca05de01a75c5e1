"""The study's database: whether it is whole, and how it is made again from the trials' folders."""

import os
import secrets
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import InterfaceError, OperationalError

from flows.settings import sqlite_address
from flows.tune.recorded import FIXED, Points, RecordedTrial, as_json
from rnnkit.errors import InputError
from rnnkit.runtime import files
from rnnkit.runtime.sqlite_files import COMPANIONS

Direction = Literal["minimize", "maximize"]
LOCK_SECONDS = 60
"""Seconds that a connection waits for another process's transaction."""
ENVIRONMENT = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
"""SQLite's errors that say nothing about the file's content."""
REPLACED = {sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_IOERR_SHORT_READ}
"""Those of a file that was deleted or cut while it was open."""


class StudyError(RuntimeError):
    """The study cannot be read or written."""


class StudyDamaged(StudyError):
    """Its content is damaged, lost, or contradicts the trials' folders."""


@contextmanager
def study_access() -> Iterator[None]:
    """Raise StudyError for any error of a study, StudyDamaged where its content is the cause."""
    try:
        yield
    except (StudyError, InputError):
        raise
    except Exception as error:  # damaged content raises whatever reads it
        causes = [error]
        while (cause := causes[-1].__cause__) is not None and isinstance(cause, Exception):
            causes.append(cause)
        kind = StudyDamaged if all(map(_is_of_content, causes)) else StudyError
        reason = f"{type(causes[-1]).__name__}: {causes[-1]}".splitlines()[0]
        raise kind(reason) from error


def _is_of_content(error: Exception) -> bool:
    """Whether an error may come from a study's content, and not from the disk or the network."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code in REPLACED or code & 0xFF not in ENVIRONMENT
    if isinstance(error, OperationalError | InterfaceError):
        return isinstance(error.orig, sqlite3.Error) and _is_of_content(error.orig)
    return not isinstance(error, OSError | MemoryError)


def storage_at(address: str) -> optuna.storages.RDBStorage:
    """Optuna's storage at an address of a database."""
    connection = {"timeout": LOCK_SECONDS} if address.startswith("sqlite:") else {}
    return optuna.storages.RDBStorage(address, engine_kwargs={"connect_args": connection})


def verify_sqlite(file: Path) -> None:
    """Raise StudyDamaged if SQLite finds a file damaged."""
    address = sqlite_address(file).removeprefix("sqlite:///")
    is_uri = address.startswith("file:")
    with (
        study_access(),
        closing(sqlite3.connect(address, timeout=LOCK_SECONDS, uri=is_uri)) as database,
    ):
        (answer,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if answer != "ok":
        raise StudyDamaged(str(answer).splitlines()[-1])


@dataclass(frozen=True)
class Content:
    """What a study consists of."""

    name: str
    direction: Direction
    trials: Sequence[FrozenTrial]

    def write(self, storage: optuna.storages.BaseStorage) -> None:
        """Write the study into a storage that has none of its name."""
        study = optuna.create_study(study_name=self.name, storage=storage, direction=self.direction)
        for trial in self.trials:
            study.add_trial(trial)

    def write_file(self, file: Path) -> None:
        """Write the study as an SQLite file, under another name until it is complete."""
        temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            storage = storage_at(sqlite_address(temporary))
            self.write(storage)
            storage.remove_session()
            storage.engine.dispose()
            with temporary.open("rb") as content:
                os.fsync(content.fileno())
            for ending in COMPANIONS:  # of a file that this one replaces
                file.with_name(file.name + ending).unlink(missing_ok=True)
            temporary.rename(file)
        finally:
            for ending in ("", *COMPANIONS):
                temporary.with_name(temporary.name + ending).unlink(missing_ok=True)
        files.sync_folder(file.parent)


def recorded_content(
    name: str,
    direction: Direction,
    pruner: optuna.pruners.BasePruner,
    recorded: Mapping[int, RecordedTrial],
    points: Points,
) -> Content:
    """The study that the folders record.

    A number without a record waits to be tried again, of a grid with its point. Of a running trial
    the last metric is not reported yet: its worker reports it and lets the pruner decide, for it
    may have been killed before that.
    """
    study = optuna.create_study(study_name=name, direction=direction, pruner=pruner)
    tried = [as_json(trial.values) for trial in recorded.values()]
    left = iter([point for point in points if as_json(point) not in tried])
    for number in range(max(recorded, default=-1) + 1):
        if number in recorded:
            trial = recorded[number]
            _replay(study, trial, dict(trial.values) if points else {})
        else:
            study.enqueue_trial(dict(next(left, {})))
    trials = study.get_trials()
    for number, record in recorded.items():
        trials[number].datetime_complete = record.ended
    return Content(name, direction, trials)


def _replay(study: optuna.Study, record: RecordedTrial, fixed: dict[str, Any]) -> None:
    """Add a trial as if it had run: the pruner's state follows from what is reported."""
    trial = create_trial(
        state=TrialState.RUNNING,
        params=dict(record.values),
        distributions=dict(record.distributions),
        system_attrs={**(record.attributes or {}), **({FIXED: fixed} if fixed else {})},
    )
    trial.datetime_start = record.begun
    study.add_trial(trial)
    live = optuna.Trial(study, study.get_trials(deepcopy=False)[-1]._trial_id)
    steps = sorted(record.reported)
    for step in steps if record.ended is not None else steps[:-1]:
        live.report(record.reported[step], step)
        if record.state == TrialState.COMPLETE and step == steps[-1]:
            continue  # the pruner is not asked at a trial's end
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of too few seeds for a test
            live.should_prune()
    if record.state == TrialState.COMPLETE:
        study.tell(record.number, record.value)
    elif record.ended is not None:
        study.tell(record.number, state=record.state)
