"""The files of an SQLite database, and how a damaged one is set aside."""

from datetime import datetime
from pathlib import Path

COMPANIONS = ("-journal", "-wal", "-shm")
"""Endings of the files beside a database. SQLite would apply one that stays to the next database
of its name."""


def set_aside(file: Path) -> Path:
    """Rename a database and its companions, as far as they are there; return its new name."""
    aside = file.with_name(f"{file.name}.broken-{datetime.now():%Y%m%dT%H%M%S}")
    for ending in (*COMPANIONS, ""):  # the database last: until then it is still to be set aside
        if (part := file.with_name(file.name + ending)).exists():
            part.replace(aside.with_name(aside.name + ending))
    return aside
