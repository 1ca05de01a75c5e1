"""Public data sets by name: file list and download.

`sets.tsv` lists the sets and their licences, `files.tsv` the files with path, size, sha256 and
origin (`owner/repository@commit:path` on GitHub).
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rnnkit.errors import InputError, closest
from rnnkit.runtime.files import sha256_file

RAW = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
ARCHIVE = "https://github.com/{repository}/archive/{commit}.zip"
FOLDERS = (Path("mlruns/data"), Path("../shared/data"))
"""Search path for the folders of sets; downloads go to the first."""
ARCHIVE_FILES = 50
"""Number of missing files from which on a commit's archive is downloaded instead."""


@dataclass(frozen=True)
class PublicFile:
    """One file of a set."""

    file: str
    bytes: int
    sha256: str
    repository: str
    commit: str
    path: str


@cache
def sets() -> dict[str, tuple[str, str]]:
    """Name -> (description, licence)."""
    return {row["name"]: (row["about"], row["licence"]) for row in _rows("sets.tsv")}


def files_of(name: str) -> list[PublicFile]:
    """The files of a set.

    Raises:
        InputError: there is no such set.
    """
    if name not in sets():
        hint = closest(name, list(sets())) or "; rnnkit data list names them"
        raise InputError(f"{name}: there is no such public data set{hint}")
    files = []
    for row in _rows("files.tsv"):
        if row["file"].startswith(f"{name}/"):
            origin, _, path = row["source"].partition(":")
            repository, _, commit = origin.partition("@")
            size = int(row["bytes"])
            files.append(PublicFile(row["file"], size, row["sha256"], repository, commit, path))
    return files


def fetch(
    name: str,
    to: Path,
    progress: Callable[[int, int], None],
    raw: str = RAW,
    archive: str = ARCHIVE,
) -> Path:
    """Download a set; skip files that are complete.

    Args:
        name: of the set.
        to: the parent of the set's folder.
        progress: called with the number of complete files and of all files.
        raw, archive: addresses with {repository}, {commit} and {path}.

    Returns: the set's folder.

    Raises:
        InputError: no such set, no connection, or a file with another hash.
    """
    files = files_of(name)
    missing = [file for file in files if not _whole(to / file.file, file)]
    if len(missing) >= ARCHIVE_FILES:
        _from_archives(missing, to, archive)
    for done, file in enumerate(files):
        progress(done, len(files))
        if not _whole(to / file.file, file):
            place = to / file.file
            _download(raw.format(**vars(file)), place, file.sha256)
    progress(len(files), len(files))
    return to / name


def is_whole(name: str, folder: Path) -> bool:
    """Whether a folder has all files of a set, with their hashes."""
    return all(_whole(folder / file.file, file) for file in files_of(name))


def _whole(place: Path, file: PublicFile) -> bool:
    same_size = place.is_file() and place.stat().st_size == file.bytes
    return same_size and sha256_file(place) == file.sha256


def _from_archives(files: list[PublicFile], to: Path, address: str) -> None:
    """Extract files from the archives of their commits; skip files that an archive lacks."""
    for repository, commit in sorted({(file.repository, file.commit) for file in files}):
        place = to / f".{commit}.zip"
        _download(address.format(repository=repository, commit=commit), place, None)
        with zipfile.ZipFile(place) as packed:
            names = set(packed.namelist())
            top = f"{repository.split('/')[1]}-{commit}"
            for file in files:
                if file.commit == commit and f"{top}/{file.path}" in names:
                    (to / file.file).parent.mkdir(parents=True, exist_ok=True)
                    (to / file.file).write_bytes(packed.read(f"{top}/{file.path}"))
        place.unlink()


def _download(address: str, place: Path, sha256: str | None) -> None:
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    known = None if sha256 is None else f"sha256:{sha256}"
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        pooch.retrieve(address, known_hash=known, fname=place.name, path=place.parent)
    except requests.RequestException as error:
        reason = str(error).split("(Caused")[0].rstrip(". ")
        raise InputError(
            f"{address}: cannot be fetched, {reason}; is there a connection?"
        ) from None
    except ValueError:  # pooch's, for another hash
        raise InputError(
            f"{address}: has changed: its sha256 differs from the published one; nothing was kept"
        ) from None


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
