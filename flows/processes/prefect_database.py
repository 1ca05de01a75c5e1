"""Prefect's database of an output folder: a damaged one is set aside, and Prefect makes another.

It holds what Prefect's pages show. Results are in the run folders, and schedules register anew.
"""

import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

from rnnkit.errors import Note
from rnnkit.runtime.sqlite_files import set_aside

BUSY_SECONDS = 60  # seconds another process may hold the database
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside_damaged(file: Path) -> None:
    """Renames a database that cannot be used; no server may be starting with it meanwhile.

    Warns:
        Note: it was renamed.
    """
    damage = damage_of(file) if file.exists() else ""
    if not damage:
        return
    aside = set_aside(file)
    warnings.warn(
        Note(
            f"{file}: Prefect's database is damaged ({damage}); it is {aside.name} now, and "
            "Prefect begins a new one, without earlier runs in its pages"
        ),
        stacklevel=2,
    )


def damage_of(file: Path) -> str:
    """What is wrong with a database; empty where nothing is, or another process holds it."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            tables = {name for (name,) in database.execute(query)}
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extended part
        return f"{error}" if code in DAMAGED else ""
    if verdict != "ok":
        return " ".join(verdict.split())
    return "it has tables and no version" if tables and "alembic_version" not in tables else ""
