"""Where MLflow has an output folder: artifact locations stand in its database as absolute paths.

A folder that was moved or copied brings its database along, and its paths are brought up to date
before MLflow reads them: else the old folder would be made again, and get reports and models.
"""

import socket
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from flows.settings import Settings
from flows.tracking import database

HOME = "rnnkit.home"
"""The machine and output folder that own a run, on a server that several may share."""
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
"""Tables and columns of MLflow's database that hold artifact locations."""
UPLOADING = ".artifact.uploading."
"""How the names begin that MLflow gives to files that are being copied."""


def home_of(settings: Settings) -> str:
    """Machine and output folder, which identify the owner of a run on a server."""
    return f"{socket.gethostname()}:{settings.home}"


def update_locations(settings: Settings) -> None:
    """Updates the paths in the folder's own database; what it cannot read is left to MLflow."""
    file = settings.home / database.NAME
    if not (database.is_own(settings) and file.exists()):
        return
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(file, timeout=database.BUSY_SECONDS)) as connection,
        connection,
    ):
        for old in _old_homes(connection, settings):
            new = settings.home.as_uri()
            for table, column in COLUMNS:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, len(old) + 1, f"{old}/"),
                )
            connection.execute(
                "UPDATE tags SET value = ? "
                "WHERE key = ? AND substr(value, instr(value, ':') + 1) = ?",
                (home_of(settings), HOME, str(_path(old))),
            )


def remove_unfinished_uploads(artifacts: str) -> None:
    """Deletes what MLflow was copying into a folder of artifacts when its process was killed.

    Args:
        artifacts: the folder's address; other than of a local folder, nothing is done.
    """
    if artifacts.startswith(("file:", "/")):
        for path in _path(artifacts).rglob(f"{UPLOADING}*"):
            path.unlink(missing_ok=True)


def _old_homes(connection: sqlite3.Connection, settings: Settings) -> set[str]:
    """The URIs at which the experiments have the output folder, where those are other ones."""
    homes = set()
    for name, location in connection.execute("SELECT name, artifact_location FROM experiments"):
        old = (location or "").removesuffix(f"/{settings.artifacts.name}/{quote(name)}")
        if not old.startswith("file:") or old in (location, settings.home.as_uri()):
            continue
        if (settings.artifacts / name).is_dir() or not _path(old).exists():
            homes.add(old)
    return homes


def _path(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path))
