"""MLflow's database: made whole or not at all, noticed where it is damaged or lost, made anew."""

import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_flows import all_of
from test_mirror import EXPERIMENT, RESULT, epoch

from flows import settings as places
from flows.cli.runs import clean, find_model
from flows.cli.schedule import schedule
from flows.cli.tracking import register, sync, up
from flows.launcher import Failure
from flows.processes.servers import free_port
from flows.settings import Settings
from flows.tracking import database
from flows.tracking.failures import Broken, Unreachable
from flows.tracking.mirror import Mirror, Tracker
from flows.tracking.mirror import register as register_model
from flows.tracking.rebuild import rebuild
from flows.tracking.registry import Registry
from flows.tracking.sync import sync as send_lacking
from rnnkit.errors import InputError
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime import files

SEED = 0
FLIPS, EVERY = 300, 20  # flipped bits, and after how many a run is sent, which takes 0.3 s


def killed_in_making(home: Settings, statements: int) -> int:
    """Makes a database in a child that is killed before so many statements; its status."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: F401
    from sqlalchemy import Engine, event

    child = os.fork()
    if child == 0:
        left = statements

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            database.ensure(home)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def test_a_kill_while_the_database_is_made_leaves_none(tmp_path: Path) -> None:
    home = places.read(tmp_path / "mlruns")
    file = home.home / database.NAME
    for statements in (1, 20, 60, 120, 240):
        assert killed_in_making(home, statements) == signal.SIGKILL
        assert not file.exists()
        database.check(home)
    left = list(home.home.glob(".mlflow.db.*"))
    assert left, "it was killed before it began"
    database.ensure(home)
    database.check(home)
    assert not list(home.home.glob(".mlflow.db.*"))


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_kill_at_the_rename_leaves_none_or_a_whole_one(
    home: Settings, before: bool, empty_database: Path
) -> None:
    file = home.home / database.NAME
    file.unlink()
    temporary = file.with_name(".mlflow.db.1.a")
    shutil.copy(empty_database, temporary)
    rename = Path.replace
    child = os.fork()
    if child == 0:

        def killing(path: Path, target: Path) -> None:
            if not before:
                rename(path, target)
            os.kill(os.getpid(), signal.SIGKILL)

        Path.replace = killing  # type: ignore[assignment,method-assign]
        database.put(temporary, file)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert file.exists() is not before
    database.check(home)


def test_a_journal_of_another_file_of_that_name_is_not_played_into_a_new_one(
    home: Settings, empty_database: Path
) -> None:
    file = home.home / database.NAME
    temporary = file.with_name(".mlflow.db.1.a")
    file.replace(temporary)
    Path(f"{file}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(1000))
    database.put(temporary, file)
    assert not Path(f"{file}-journal").exists()
    database.check(home)


def test_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    home = places.read(tmp_path / "mlruns")
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                database.ensure(home)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    database.check(home)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def rubbish(file: Path) -> None:
    file.write_bytes(random.Random(SEED).randbytes(100_000))


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 + 100)


def flipped_page(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8192:8196] = b"\xff\xff\xff\xff"
    file.write_bytes(content)


def half_made(file: Path) -> None:
    """As a kill left it before it was made under another name."""
    file.unlink()
    with closing(sqlite3.connect(file)) as half:
        half.execute("CREATE TABLE experiments (experiment_id INTEGER)")


def no_revision(file: Path) -> None:
    with closing(sqlite3.connect(file)) as half, half:
        half.execute("DELETE FROM alembic_version")


DAMAGES = [empty, rubbish, truncated, flipped_page, half_made, no_revision]


@pytest.fixture
def damaged(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Damages the database of an output folder with a finished run; returns the folder."""
    monkeypatch.setattr(places, "apply", lambda _: None)  # else it would be for all tests
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = RunFolder(home.runs / "x-1")
    run.create(EXPERIMENT, {})
    run.finish(RESULT)

    def make(damage: Callable[[Path], None]) -> Path:
        damage(home.home / database.NAME)
        return home.home

    return make


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_told_in_one_line_with_what_to_do(
    damaged: Callable[..., Path], damage: Callable[[Path], None], tmp_path: Path
) -> None:
    home = damaged(damage)
    params = tmp_path / "a.yaml"
    params.write_text((home / "runs" / "x-1" / "params.yaml").read_text())
    before = (home / database.NAME).read_bytes()
    line = (
        rf"^MLflow's database {home}/mlflow\.db is broken: [^\n]+; make it anew from the run "
        r"folders with: rnnkit sync --rebuild$"
    )
    verbs: list[Callable[[], object]] = [
        lambda: register("x-1", False, home),
        lambda: clean("30d", False, home),
        lambda: sync(home),
        lambda: find_model(places.read(home), "models:/x@champion"),
        lambda: up(home, mlflow_port=free_port(), prefect_port=free_port()),
        lambda: schedule(params, every="6h", mlruns=home),
    ]
    for verb in verbs:
        with pytest.raises(Failure, match=line):
            verb()
    assert (home / database.NAME).read_bytes() == before
    sync(home, rebuild=True)
    database.check(places.read(home))
    (aside,) = home.glob("mlflow.db.broken-*")
    assert aside.read_bytes() == before


def test_a_database_that_another_process_holds_is_not_called_broken(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(home.home / database.NAME)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unreachable, match=r"mlflow\.db: database is locked$") as refusal:
            database.check(home)
    assert not isinstance(refusal.value, Broken)


def test_a_broken_database_elsewhere_is_not_rebuilt_from_one_folder(
    home: Settings, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.db"
    shared.write_bytes(b"rubbish")
    elsewhere = replace(home, tracking=places.sqlite_address(shared))
    with pytest.raises(Broken, match=r"restore it from a backup, or move it away and run: rnnkit"):
        database.check(elsewhere)
    with pytest.raises(InputError, match=r"--rebuild makes .*mlflow\.db anew, and MLflow is else"):
        rebuild(elsewhere)


def test_flipped_bits_are_noticed_or_harmless_and_never_a_dead_end(
    home: Settings, tmp_path: Path
) -> None:
    run = RunFolder(home.runs / "x-1")
    run.create(EXPERIMENT, {})
    epoch(run, 1)
    run.finish(RESULT)
    Mirror(Tracker(home), run, None, {}).finish("finished")
    content = (home.home / database.NAME).read_bytes()
    draw, refusals, sent = random.Random(SEED), [], 0
    for number in range(FLIPS):
        bit = draw.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        file = tmp_path / f"{number}.db"
        file.write_bytes(flipped)
        where = replace(home, tracking=places.sqlite_address(file))
        try:
            database.check(where)
            if number % EVERY == 0:
                ends = [synced.end for synced in send_lacking(where)]
                assert ends == ["finished"]
                sent += 1
        except Unreachable as refusal:
            refusals.append(str(refusal))
        file.unlink()
    assert 0 < len(refusals) < FLIPS
    assert not any("\n" in refusal for refusal in refusals)
    assert sent > FLIPS / EVERY / 2


class Registered:
    """An output folder with runs in MLflow, of which some are registered."""

    def __init__(self, home: Settings) -> None:
        self.home = home
        self.runs = [self._run(name) for name in ("x-1", "x-2", "x-3")]
        self.models = [register_model(run, home) for run in self.runs]
        registry = Registry(home)
        registry.promote(self.models[2])
        registry.client.set_registered_model_alias("x", "old", "1")
        registry.tag(self.models[2], {"rnnkit.evaluation.champion": "promoted: it is better"})
        registry.client.delete_model_version("x", "2")
        interrupted = RunFolder(home.runs / "x-4")
        interrupted.create(EXPERIMENT, {})
        epoch(interrupted, 1)
        sweep = RunFolder(home.runs / "x-5")
        sweep.create(EXPERIMENT, {})
        for number, end in enumerate(("finished", "pruned", "failed")):
            trial = RunFolder(sweep.path / "trials" / f"trial-{number:04d}")
            trial.create(EXPERIMENT, {})
            epoch(trial, 1)
            trial.append(end, value=0.5, reason="no luck")
        sync(home.home)

    def _run(self, name: str) -> RunFolder:
        run = RunFolder(self.home.runs / name)
        run.create(EXPERIMENT, {})
        run.append("prepared", sha256="0" * 64, source="x")
        for number in (1, 2):
            epoch(run, number)
        model = run.path / "model"
        model.mkdir()
        for file in ("weights.safetensors", "params.yaml", "prepared.json"):
            (model / file).write_bytes(name.encode())
        files.write_manifest(model, None)
        run.finish(RESULT)
        return run

    def present(self) -> dict[str, Any]:
        """All that MLflow has, but what it makes up itself."""
        client = Registry(self.home).client
        (model,) = client.search_registered_models()
        versions = {v.version: (v.tags, v.description) for v in client.search_model_versions()}
        experiment = client.get_experiment_by_name("x")
        runs = client.search_runs([experiment.experiment_id])
        parents = {run.info.run_id: run.data.tags["rnnkit.run_id"] for run in runs}
        under = {
            run.data.tags["rnnkit.run_id"]: parents.get(run.data.tags.get("mlflow.parentRunId"))
            for run in runs
        }
        return {
            "runs": all_of(client, "x"),
            "parents": under,
            "versions": versions,
            "aliases": model.aliases,
            "models": {name: self.weights(name) for name in ("champion", "old")},
        }

    def weights(self, alias: str) -> bytes:
        """The weights that an alias leads to."""
        place = Registry(self.home).fetch(f"models:/x@{alias}")
        return (place / "weights.safetensors").read_bytes()


@pytest.fixture
def registered(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Registered:
    monkeypatch.setattr(places, "apply", lambda _: None)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Registered(home)


def test_a_rebuilt_database_has_equal_rows_tags_versions_and_aliases(
    registered: Registered, capsys: pytest.CaptureFixture[str]
) -> None:
    before = registered.present()
    assert before["aliases"] == {"champion": 3, "old": 1}
    assert before["models"] == {"champion": b"x-3", "old": b"x-1"}
    rubbish(registered.home.home / database.NAME)
    sync(registered.home.home, rebuild=True)
    assert capsys.readouterr().out.splitlines()[-1] == "8 sent to MLflow, 0 left as they were"
    assert registered.present() == before
    sync(registered.home.home)
    assert capsys.readouterr().out == "0 sent to MLflow, 8 left as they were\n"
    version = register_model(registered._run("x-6"), registered.home)
    assert version.version == 4


def test_a_lost_database_of_registered_models_is_not_made_empty(registered: Registered) -> None:
    home = registered.home
    (home.home / database.NAME).unlink()
    with pytest.raises(
        Failure, match=r"mlflow\.db is broken: it is missing, and registered\.json lists models"
    ):
        clean("30d", False, home.home)
    shutil.rmtree(registered.runs[0].path)
    rebuilt = rebuild(home)
    assert rebuilt.aside is None
    assert rebuilt.lost == [
        f"models:/x/1 could not be made anew: its run x-1 is not in {home.runs}"
    ]
    client = Registry(home).client
    assert [v.version for v in client.search_model_versions()] == [3]
    assert client.search_registered_models()[0].aliases == {"champion": 3}


def test_no_database_is_replaced_while_a_run_goes_on(home: Settings) -> None:
    run = RunFolder(home.runs / "x-1")
    run.create(EXPERIMENT, {})
    with (
        run.lock(),
        pytest.raises(InputError, match="--rebuild: a process is working on x-1; wait for its end"),
    ):
        rebuild(home)


def test_a_rebuilding_that_fails_leaves_the_old_database(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rubbish(home.home / database.NAME)
    before = (home.home / database.NAME).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Tracker, "experiment", full)
    run = RunFolder(home.runs / "x-1")
    run.create(EXPERIMENT, {})
    with pytest.raises(Unreachable, match="No space left on device"):
        rebuild(home)
    assert (home.home / database.NAME).read_bytes() == before
    assert not list(home.home.glob(".mlflow.db.*"))
