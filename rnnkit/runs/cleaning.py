"""Find and delete files in the output folder that are no longer needed.

Registered and running runs are kept. While any run is running, all prepared data are kept. A
finished run loses only its checkpoints, which showing, predicting and comparing do not need.
Prepared data are rebuilt on demand. Interrupted and failed runs and comparisons are deleted, and
temporary files of processes that have ended.
"""

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator, Set
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rnnkit.errors import InputError
from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.disk import naming
from rnnkit.runtime.files import read_json
from rnnkit.runtime.unfinished import unfinished

DELETED_PREFIX = ".deleted-"
"""Name prefix of a folder that is being deleted."""
FOLDERS = ("runs", "comparisons", "prepared", "models")
"""Subfolders of the output folder to search."""


class Leftover(NamedTuple):
    """A folder or file that can be deleted: its kind, for people, and its size in bytes."""

    what: str
    path: Path
    size: int


def leftovers(home: Path, kept: Set[str], older: float) -> list[Leftover]:
    """List the folders and files that can be deleted.

    Args:
        home: the output folder.
        kept: ids of registered runs.
        older: minimum age of unfinished runs and comparisons, and of unused prepared data, in
            seconds.
    """
    found = chain(_of_runs(home, kept, older), _of_data(home, older))
    interrupted = (
        ("what an interrupted clean left", path)
        for folder in FOLDERS
        for path in sorted((home / folder).rglob(f"{DELETED_PREFIX}*"))
    )
    removable = [Leftover(what, path, _size(path)) for what, path in chain(found, interrupted)]
    removable = [leftover for leftover in removable if leftover.size]
    folders = {leftover.path for leftover in removable}
    return removable + [
        Leftover("temporary files of killed processes", path, _size(path))
        for path in unfinished(home)
        if folders.isdisjoint(path.parents)
    ]


def delete(removable: list[Leftover]) -> None:
    """Delete folders and files. Rename a folder first, so that it is never seen half deleted.

    Skips those that another process deletes at the same time.
    """
    for leftover in removable:
        renamed = leftover.path.with_name(f"{DELETED_PREFIX}{secrets.token_hex(8)}")
        with contextlib.suppress(FileNotFoundError), naming(leftover.path):
            if leftover.path.is_dir():
                leftover.path.rename(renamed)
                shutil.rmtree(renamed)
            else:
                leftover.path.unlink()


def _of_runs(home: Path, kept: Set[str], older: float) -> Iterator[tuple[str, Path]]:
    for kind in ("runs", "comparisons"):
        for path in filter(Path.is_dir, _folders(home / kind)):
            run = RunFolder(path)
            if kind == "runs" and run.id in kept:
                continue
            status = run.status
            if status in ("interrupted", "failed") and _age(path) > older:
                yield f"{kind} that were interrupted or failed", path
            elif kind == "runs" and status == "finished":
                for folder in [path / "checkpoints", *sorted(path.glob("trials/**/checkpoints"))]:
                    if folder.is_dir():
                        yield "checkpoints of finished runs", folder


def _of_data(home: Path, older: float) -> Iterator[tuple[str, Path]]:
    runs = [RunFolder(file.parent) for file in (home / "runs").glob("[!.]*/params.yaml")]
    if any(run.status == "running" for run in runs):
        return  # its trials may use any of them
    used = {_data(run) for run in runs if _age(run.path) <= older}
    for path in _folders(home / "prepared"):
        if path.name not in used and _age(path) > older:
            yield "prepared data", path
    for path in _folders(home / "models"):
        if _age(path) > older:
            yield "copies of registered models", path


def _data(run: RunFolder) -> str | None:
    """SHA-256 of a run's prepared data; None if its folder does not say."""
    with contextlib.suppress(InputError, OSError, LookupError, TypeError):
        return str(read_json(run.path / "fingerprint.json")["data"])
    return None


def _folders(parent: Path) -> list[Path]:
    return sorted(parent.glob("[!.]*"))


def _age(path: Path) -> float:
    """Seconds since the last write to a journal below the folder, else to the folder."""
    journals = (file.stat().st_mtime for file in path.rglob("journal.jsonl"))
    return time.time() - max(journals, default=path.stat().st_mtime)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
