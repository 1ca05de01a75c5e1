"""Sends MLflow the runs that it could not be sent while they went on.

A run that MLflow has as its folder ended, with all its rows, is left alone; of the others MLflow
gets what it lacks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.settings import Settings
from flows.tracking import unsent
from flows.tracking.failures import reaching
from flows.tracking.mirror import (
    ENDS,
    PARENT,
    VARIANT,
    End,
    Mirror,
    Tracker,
    id_of,
    is_complete,
)
from flows.tracking.rows import rows_of, summary_of
from rnnkit.errors import InputError
from rnnkit.runs.run_folder import PARAMS, RunFolder


@dataclass(frozen=True)
class Synced:
    """What became of a run, a trial or a comparison."""

    run: str
    end: End | Literal["running", "unreadable"]
    """Running: another process sends it; unreadable: its folder is another version's."""
    sent: bool
    """Whether MLflow lacked something and has it now."""


def sync(settings: Settings) -> Iterator[Synced]:
    """Every comparison with its runs, and every other run with its trials.

    Raises:
        Unreachable: MLflow failed; what was yielded before is there.
    """
    with reaching():
        tracker = Tracker(settings)
        yield from send_all(tracker, settings)
        send_marked(tracker, settings, lambda: False)
        tracker.registry.record()


def send_all(tracker: Tracker, settings: Settings) -> Iterator[Synced]:
    """As `sync`, where MLflow is open already."""
    compared: set[str] = set()
    for folder in _folders(settings.comparisons):  # a run of several lies under the first of them
        try:
            members = [m for m in _members(settings, folder) if m.folder.id not in compared]
            compared |= {member.folder.id for member in members}
            yield from _send(tracker, settings, folder, members)
        except (InputError, KeyError):  # of another version, or edited
            yield Synced(folder.id, "unreadable", False)
    for folder in _folders(settings.runs):
        if folder.id in compared:
            continue
        try:
            yield from _send(tracker, settings, folder, _trials(folder))
        except (InputError, KeyError):
            yield Synced(folder.id, "unreadable", False)


def send_marked(
    tracker: Tracker, settings: Settings, stop: Callable[[], bool], first: str = ""
) -> None:
    """Closes what killed processes left open, as its folder ended.

    Args:
        stop: asked after each; whether there is no more time.
        first: the id of what is closed before the others.
    """
    for run_id in sorted(unsent.marked(settings), key=lambda marked: (marked != first, marked)):
        comparison = RunFolder(settings.comparisons / run_id)
        run = RunFolder(settings.runs / run_id)
        try:
            if (comparison.path / PARAMS).exists():
                list(_send(tracker, settings, comparison, _members(settings, comparison)))
            elif (run.path / PARAMS).exists():
                list(_send(tracker, settings, run, _trials(run)))
            else:  # deleted since
                tracker.close_lost(run_id)
                unsent.clear(settings, run_id)
        except (InputError, KeyError):  # of another version, or edited
            pass
        if stop():
            return


@dataclass(frozen=True)
class _Child:  # a trial of a sweep, or a run of a comparison
    folder: RunFolder
    end: End
    tags: Mapping[str, str]


def _lacks(tracker: Tracker, folder: RunFolder, end: End, parent: RunFolder | None) -> bool:
    """Whether MLflow does not have a run as its folder ended, under its parent."""
    runs = tracker.runs(folder.experiment.name)
    run = runs.get(id_of(folder))
    summary = summary_of(rows_of(folder, finished=end == "finished"))
    if run is None or not is_complete(run, end, summary):
        return True
    if parent is None:
        return False
    return parent.id not in runs or run.data.tags.get(PARENT) != runs[parent.id].info.run_id


def _folders(place: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in sorted(place.glob("[!.]*")) if (path / PARAMS).exists()]


def _send(
    tracker: Tracker, settings: Settings, folder: RunFolder, children: Sequence[_Child]
) -> Iterator[Synced]:
    """A run and what belongs to it; nothing of it where a process works on it."""
    status = folder.status
    if status == "running":
        yield Synced(folder.id, status, False)
        return
    end: End = status if status in ("finished", "failed") else "interrupted"
    lacking = [child for child in children if _lacks(tracker, child.folder, child.end, folder)]
    lacks = _lacks(tracker, folder, end, None)
    if lacks or lacking:
        mirror = Mirror(tracker, folder, None, {})
        for child in lacking:
            Mirror(tracker, child.folder, mirror, child.tags).finish(child.end)
        mirror.finish(end)
    for child in children:
        if "/" not in id_of(child.folder):
            unsent.clear(settings, child.folder.id)
    unsent.clear(settings, folder.id)
    yield Synced(folder.id, end, lacks)
    for child in children:
        yield Synced(id_of(child.folder), child.end, child in lacking)


def _members(settings: Settings, comparison: RunFolder) -> list[_Child]:
    """The runs that a finished comparison of variants and seeds made."""
    experiment = comparison.experiment
    if comparison.status != "finished" or not (experiment.variants or experiment.seeds):
        return []
    runs = [
        _Child(RunFolder(settings.runs / name), "finished", {VARIANT: variant})
        for variant, names in comparison.result["runs"].items()
        for name in names
    ]
    return [run for run in runs if run.folder.status == "finished"]


def _trials(run: RunFolder) -> list[_Child]:
    return [_Child(trial, _end_of_trial(trial), {}) for trial in _folders(run.path / "trials")]


def _end_of_trial(folder: RunFolder) -> End:
    """How a trial ended, by its journal: it has no manifest."""
    lines = folder.records()
    return ENDS.get(lines[-1]["kind"] if lines else "", "interrupted")
