"""MLflow's SQLite database: made whole or not at all, and checked before it is used.

MLflow creates the tables of a new file one after the other, and a process that is killed meanwhile
leaves a file that no version of MLflow opens. So they are made under another name, which is
changed when the file is complete and on disk.
"""

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote

from flows.settings import Settings, sqlite_address
from flows.tracking.failures import PREFIX, Broken, Unreachable, quieten, shortened
from rnnkit.runtime.files import sync_folder
from rnnkit.runtime.sqlite_files import COMPANIONS

NAME, REGISTERED = "mlflow.db", "registered.json"
"""Files of an output folder: its own database, and the models that are registered in it."""
BUSY_SECONDS = 20  # seconds another process may hold the database, as MLflow waits for it
PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
)
"""SQLite's codes for what is not the fault of a file's content."""


def file_of(settings: Settings) -> Path | None:
    """The SQLite file that the tracking address names; None for another kind of address.

    >>> from dataclasses import replace
    >>> from pathlib import Path
    >>> local = Settings(Path("/a"), sqlite_address(Path("/a?/b.db")), None, None, "process", None)
    >>> str(file_of(local))
    '/a?/b.db'
    >>> file_of(replace(local, tracking="http://127.0.0.1:5000"))
    """
    scheme, _, rest = settings.tracking.partition(":///")
    path = rest.partition("?")[0]
    if scheme.partition("+")[0] != "sqlite" or path in ("", ":memory:"):
        return None
    return Path(
        unquote(path.removeprefix("file:")) if path.startswith("file:") else path
    ).absolute()


def is_own(settings: Settings) -> bool:
    """Whether the tracking address is the output folder's own database."""
    return file_of(settings) == settings.home / NAME


def exists(settings: Settings) -> bool:
    """Whether there is a database, or a server that may have one.

    Raises:
        Broken, Unreachable: as `check`.
    """
    check(settings)
    file = file_of(settings)
    return file is None or file.exists()


def check(settings: Settings) -> None:
    """Refuses a local database that is damaged, half made or lost; one that is not yet is none.

    Raises:
        Broken: what is wrong, and what to do.
        Unreachable: it cannot be opened, or another process holds it.
    """
    file = file_of(settings)
    if file is None:
        return
    if file.exists():
        fault = _fault(file)
    elif is_own(settings) and (settings.home / REGISTERED).exists():
        fault = f"it is missing, and {REGISTERED} lists models that were registered in it"
    else:
        return
    if fault:
        rebuilt = "make it anew from the run folders with: rnnkit sync --rebuild"
        moved = "restore it from a backup, or move it away and run: rnnkit sync"
        raise Broken(
            f"MLflow's database {file} is broken: {fault}; {rebuilt if is_own(settings) else moved}"
        )


def ensure(settings: Settings) -> None:
    """The local database, checked; made where there is none yet.

    Raises:
        Broken, Unreachable: as `check`.
    """
    file = file_of(settings)
    if file is None:
        return
    # A connection kept open would go on with a file that `rnnkit sync --rebuild` has set aside.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    check(settings)
    if not file.exists():
        with lock(file):
            if not file.exists():
                with made(settings, file) as temporary:
                    put(temporary, file)


@contextmanager
def lock(file: Path) -> Iterator[None]:
    """Held by the process that makes a database or replaces it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def made(settings: Settings, file: Path) -> Iterator[Path]:
    """A new database with all tables, under another name beside the file; removed at the end
    unless it was put in place. Call it under the lock."""
    quieten()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for left in file.parent.glob(f".{file.name}.*"):  # by a process that was killed
        left.unlink()
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        store = SqlAlchemyStore(sqlite_address(temporary), settings.artifacts.as_uri())
        store.engine.dispose()
        yield temporary
    finally:
        for name in ("", *COMPANIONS):
            Path(f"{temporary}{name}").unlink(missing_ok=True)


def put(temporary: Path, file: Path) -> None:
    """Gives a database that is complete its name, durably."""
    for name in COMPANIONS:  # left by another file of this name
        Path(f"{file}{name}").unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(file)
    sync_folder(file.parent)


def _fault(file: Path) -> str:
    """What is wrong with a database; empty if nothing is."""
    try:
        with closing(
            sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        ) as database:
            database.text_factory = lambda raw: raw.decode(errors="replace")
            (result,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if result != "ok":
                return f"it is damaged ({' '.join(str(result).split())[:100]})"
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" not in tables:
                return "its tables were never finished"
            if database.execute("SELECT count(*) FROM alembic_version").fetchone() == (0,):
                return "its tables were never finished"
            return ""
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names in the file may be no text
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING:
            raise Unreachable(f"{PREFIX}{file}: {error}") from None
        return f"it is damaged ({shortened(str(error))})"
