"""A damaged database of Prefect's is set aside; another one is left as it is."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command import RNNKIT, SMALL, called

from flows import settings as places
from flows.processes import servers
from flows.processes.prefect_database import damage_of, set_aside_damaged
from rnnkit.errors import Note
from rnnkit.runtime.sqlite_files import COMPANIONS


def database(file: Path) -> Path:
    """A database with some rows, as Prefect's is made."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE flow_run (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
        names = ((f"run {number} {'x' * 100}",) for number in range(2000))
        connection.executemany("INSERT INTO flow_run (name) VALUES (?)", names)
        connection.commit()
    return file


def flip(content: bytes) -> bytes:
    draw, damaged = random.Random(0), bytearray(content)
    for _ in range(200):
        damaged[draw.randrange(4096, len(content))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a truncated file": lambda content: content[: len(content) // 2],
    "a torn header": lambda content: bytes(100) + content[100:],
    "rubbish": lambda content: b"not a database" * 1000,
    "flipped bits": flip,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_set_aside_with_one_line(tmp_path: Path, damage: str) -> None:
    file = database(tmp_path / "prefect.db")
    damaged = DAMAGES[damage](file.read_bytes())
    file.write_bytes(damaged)
    (tmp_path / "prefect.db-wal").write_bytes(b"")
    with pytest.warns(Note, match=r"prefect.db: Prefect's database is damaged \(") as notes:
        set_aside_damaged(file)
    assert len(str(notes[0].message).splitlines()) == 1
    (aside,) = tmp_path.glob("prefect.db.broken-*[0-9]")
    assert aside.read_bytes() == damaged
    assert not [end for end in ("", *COMPANIONS) if file.with_name(file.name + end).exists()]


def test_a_database_without_its_version_is_half_made(tmp_path: Path) -> None:
    file = database(tmp_path / "prefect.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.commit()
    assert damage_of(file) == "it has tables and no version"


def test_a_whole_an_empty_and_a_busy_database_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.processes.prefect_database.BUSY_SECONDS", 0.1)
    file, empty = database(tmp_path / "prefect.db"), tmp_path / "empty.db"
    empty.touch()
    for whole in (file, empty, tmp_path / "none.db"):
        set_aside_damaged(whole)  # a warning would be an error
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        assert damage_of(file) == ""
    assert not list(tmp_path.glob("*.broken-*"))


def test_a_run_goes_on_with_a_new_database(tmp_path: Path) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    params.write_text(SMALL)
    places.read(home)
    (home / "prefect").mkdir()
    (home / "prefect" / "prefect.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    ran = called(*RNNKIT, "run", params, "--mlruns", home)
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stderr.splitlines()
    assert "prefect.db: Prefect's database is damaged (" in line
    assert damage_of(home / "prefect" / "prefect.db") == ""
    assert len(list((home / "prefect").glob("prefect.db.broken-*"))) == 1


def test_the_check_comes_while_no_other_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers.fcntl, "flock", lambda *_: order.append("locked"))
    order: list[str] = []
    server = servers.Server(
        "A server",
        tmp_path,
        ["json.tool", "nowhere.json"],
        "http://127.0.0.1:1",
        tmp_path / "log",
        {},
        lambda: order.append("checked"),
    )
    server.stop()
    assert order[:2] == ["locked", "checked"]
