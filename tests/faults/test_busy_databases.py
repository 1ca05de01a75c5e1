"""Databases that another process holds, several commands at once, and databases in the making."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from faults.experiments import PLAIN
from faults.harness import COMMAND_SECONDS, Reference, Twin, compare
from faults.home_state import MLFLOW, differences, state_of
from faults.kills import kill_when
from faults.remains import remains
from faults.started import Starter
from faults.tally import Tally

BUSY = 75
HALF_BYTES = 200_000
"""About a fifth of MLflow's empty database: tables are there, and others are not."""
MAKING_SECONDS = 2.0
"""The rest is made within about so long."""

MakeTwin = Callable[[Reference], Twin]
MakeTally = Callable[[str], Tally]


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Holds a database for writing, for some seconds from the start of the block."""

    def hold() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as database:
            database.execute("BEGIN EXCLUSIVE")
            taken.set()
            time.sleep(seconds)
            database.execute("ROLLBACK")

    taken = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    try:
        yield
    finally:
        thread.join()


def run_locked(reference: Reference, twin: Twin, seconds: float) -> list[str]:
    """A run whose tracking database is locked as it begins; what is wrong."""
    try:
        with locked(twin.home / "mlflow.db", seconds):
            ended = twin.start().wait(COMMAND_SECONDS)
        assert (ended.status, ended.untidy) == (0, []), ended
        if "rnnkit sync" in ended.out + ended.err:
            done = twin.start(verb=("sync",)).wait(COMMAND_SECONDS)
            assert done.status == 0, done
    except AssertionError as error:
        return [str(error)]
    return compare(reference, twin)


def test_a_locked_database(plain: Reference, twin: MakeTwin, tally: MakeTally) -> None:
    counts = tally("locked database")
    counts.add(run_locked(plain, twin(plain), 5.0), "5 s")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [1.0, 10.0, 30.0, 70.0])
def test_a_database_that_is_locked_for_long(
    plain: Reference, twin: MakeTwin, tally: MakeTally, seconds: float
) -> None:
    counts = tally("locked database")
    counts.add(run_locked(plain, twin(plain), seconds), f"{seconds} s")
    counts.check()


def start_at_once(reference: Reference, twin: Twin, count: int) -> list[str]:
    """Several starts of one command; what is wrong."""
    try:
        started = [twin.start() for _ in range(count)]
        ends = [each.wait(COMMAND_SECONDS) for each in started]
        assert all(end.status in (0, BUSY) and not end.untidy for end in ends), ends
        assert any(end.status == 0 for end in ends), ends
    except AssertionError as error:
        return [str(error)]
    return compare(reference, twin)


def test_several_starts_at_once(plain: Reference, twin: MakeTwin, tally: MakeTally) -> None:
    counts = tally("several starts at once")
    counts.add(start_at_once(plain, twin(plain), 2), "2 starts")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("count", [3, 5, 8])
def test_many_starts_at_once(
    plain: Reference, twin: MakeTwin, tally: MakeTally, count: int
) -> None:
    counts = tally("several starts at once")
    counts.add(start_at_once(plain, twin(plain), count), f"{count} starts")
    counts.check()


def new_home(folder: Path, starter: Starter) -> Twin:
    """The training in an output folder that is not there yet: all databases are to be made."""
    return Twin(PLAIN, folder, starter)


def wrong_in_new_home(reference: Reference, twin: Twin) -> list[str]:
    """As `compare`, without the run that the reference's folder had before."""
    wrong = [*differences(_without_before(reference.twin), _without_before(twin))]
    return [*wrong, *remains(twin.folder, twin.home)]


def _without_before(twin: Twin) -> dict[str, object]:
    state = dict(state_of(twin.home))
    del state["files"]
    kept = {name: value for name, value in state.items() if not name.startswith("before")}
    for name in [name for name in kept if name.startswith(MLFLOW)]:
        kept[name] = [row for row in kept[name] if not str(row[0]).startswith("before")]
    return kept


def kill_in_the_making(reference: Reference, twin: Twin, delay: float) -> list[str]:
    """Kills a command some seconds after its tracking database has tables; what is wrong then."""

    def begun() -> bool:
        with suppress(FileNotFoundError):  # renamed in between
            return any(file.stat().st_size > HALF_BYTES for file in twin.home.glob("*mlflow.db*"))
        return False

    kill_when(twin, begun, delay)
    try:
        ended = twin.start().wait(COMMAND_SECONDS)
        assert (ended.status, ended.untidy) == (0, []), ended
        assert "rnnkit sync" not in ended.out + ended.err, f"MLflow is lost: {ended.out[-400:]}"
    except AssertionError as error:
        return [str(error)]
    return wrong_in_new_home(reference, twin)


def test_a_kill_while_the_tracking_database_is_made(
    plain: Reference, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    counts = tally("kill -9 while mlflow.db is made")
    counts.add(kill_in_the_making(plain, new_home(tmp_path, starter), 0.0), "halfway")
    counts.check()


@pytest.mark.faults
def test_kills_while_the_tracking_database_is_made(
    plain: Reference, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    counts, chance = tally("kill -9 while mlflow.db is made"), random.Random(3)
    for number in range(20):
        delay = MAKING_SECONDS * chance.random()
        twin = new_home(tmp_path / f"{number}", starter)
        counts.add(kill_in_the_making(plain, twin, delay), f"after {delay:.2f} s")
    counts.check()


@pytest.mark.faults
def test_several_first_starts_at_once(
    plain: Reference, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    """All make the databases of one new output folder."""
    counts = tally("several starts at once")
    twin = new_home(tmp_path, starter)
    ends = [each.wait(COMMAND_SECONDS) for each in [twin.start() for _ in range(4)]]
    assert all(end.status in (0, BUSY) and not end.untidy for end in ends), ends
    counts.add(wrong_in_new_home(plain, twin), "4 first starts")
    counts.check()
