"""What lies in the output folder and is not needed any more: found here, deleted on request.

A run that is registered, or being worked on, is left alone, and all prepared data are while any run
is being worked on. What is deleted of a finished run is not needed to show, predict with or compare
it; prepared data are made again when they are wanted. Of comparisons those go that came to nothing.
"""

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from rnnkit.runs.run_folder import RunFolder
from rnnkit.runtime.files import read_json

ASIDE = ".deleted-"
"""How the name of a folder begins that is being deleted."""
PLACES = ("runs", "comparisons", "prepared", "models")
"""The folders of the output folder in which something may be left over."""


@dataclass(frozen=True)
class Leftover:
    """Something that may go.

    Args:
        what: its kind, in words.
        path: a folder.
        size: in bytes.
    """

    what: str
    path: Path
    size: int


def leftovers(home: Path, kept: Set[str], older: float) -> list[Leftover]:
    """What may go.

    Args:
        home: the output folder.
        kept: ids of runs that are registered.
        older: unfinished runs and comparisons, and prepared data that no run has used for so long,
            in seconds.
    """
    removable = [
        Leftover(what, path, _size(path))
        for what, path in [
            *_of_runs(home, kept, older),
            *_of_comparisons(home, older),
            *_of_data(home, older),
        ]
    ]
    removable += [
        Leftover("what an interrupted clean left", path, _size(path))
        for place in PLACES
        for path in sorted((home / place).rglob(f"{ASIDE}*"))
    ]
    return [leftover for leftover in removable if leftover.size]


def delete(removable: list[Leftover]) -> None:
    """Deletes what `leftovers` found; each folder is put aside first, so that none is half there.

    What another process deletes at the same time is left to it.
    """
    for leftover in removable:
        aside = leftover.path.with_name(f"{ASIDE}{secrets.token_hex(8)}")  # on the same disk
        with contextlib.suppress(FileNotFoundError):
            leftover.path.rename(aside)
            shutil.rmtree(aside)


def _of_runs(home: Path, kept: Set[str], older: float) -> Iterator[tuple[str, Path]]:
    for path in _folders(home / "runs"):
        run = RunFolder(path)
        if run.id in kept or not path.is_dir():
            continue
        status = run.status
        if status == "finished":
            for place in [path / "checkpoints", *sorted(path.glob("trials/**/checkpoints"))]:
                if place.is_dir():
                    yield "checkpoints of finished runs", place
        elif status in ("interrupted", "failed") and _age(path) > older:
            yield "runs that were interrupted or failed", path


def _of_comparisons(home: Path, older: float) -> Iterator[tuple[str, Path]]:
    for path in _folders(home / "comparisons"):
        if RunFolder(path).status in ("interrupted", "failed") and _age(path) > older:
            yield "comparisons that were interrupted or failed", path


def _of_data(home: Path, older: float) -> Iterator[tuple[str, Path]]:
    runs = [RunFolder(file.parent) for file in (home / "runs").glob("[!.]*/params.yaml")]
    if any(run.status == "running" for run in runs):
        return  # its trials may be at any of them
    used = {
        read_json(file)["data"]
        for file in (home / "runs").glob("[!.]*/fingerprint.json")
        if _age(file.parent) <= older and "data" in read_json(file)
    }
    for path in _folders(home / "prepared"):
        if path.name not in used and _age(path) > older:
            yield "prepared data", path
    for path in _folders(home / "models"):
        if _age(path) > older:
            yield "copies of registered models", path


def _folders(place: Path) -> list[Path]:
    return sorted(place.glob("[!.]*"))


def _age(path: Path) -> float:
    """Seconds since a folder was last used, or a journal below it, as of a trial, was written."""
    journals = [file.stat().st_mtime for file in path.rglob("journal.jsonl")]
    return time.time() - max(journals, default=path.stat().st_mtime)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
