"""Sends MLflow the runs that it could not be sent while they went on.

A run that MLflow has as its folder ended is left alone; the others are sent whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.settings import Settings
from flows.tracking.mirror import ENDS, PARENT, STATE, STATUS, VARIANT, End, Mirror, Tracker, id_of
from rnnkit.errors import InputError
from rnnkit.runs.run_folder import PARAMS, RunFolder


class Unreachable(RuntimeError):
    """MLflow does not answer, or does not take what it is sent."""


@dataclass(frozen=True)
class Synced:
    """What became of a run, a trial or a comparison.

    Args:
        run: our id.
        end: how it ended; "running": another process works on it and sends it; "unreadable": its
            folder is another version's.
        sent: whether MLflow lacked something and has it now.
    """

    run: str
    end: End | Literal["running", "unreadable"]
    sent: bool


def sync(settings: Settings) -> Iterator[Synced]:
    """Every comparison with its runs, and every other run with its trials.

    Raises:
        Unreachable: MLflow failed; what was yielded before is there.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield from _all(settings)
    except (MlflowException, OSError) as error:
        reason = f"{error}".splitlines()[0]
        raise Unreachable(f"MLflow could not be reached: {reason}") from error


def _all(settings: Settings) -> Iterator[Synced]:
    stored = _Stored(Tracker(settings))
    compared: set[str] = set()
    for folder in _folders(settings.comparisons):  # a run of several lies under the first of them
        members = [m for m in _members(settings, folder) if m.folder.id not in compared]
        compared |= {member.folder.id for member in members}
        yield from _bring(stored, folder, members)
    for folder in _folders(settings.runs):
        if folder.id in compared:
            continue
        trials = [
            _Child(trial, _end_of_trial(trial), {}) for trial in _folders(folder.path / "trials")
        ]
        try:
            yield from _bring(stored, folder, trials)
        except (InputError, KeyError):  # of another version, or edited
            yield Synced(folder.id, "unreadable", False)


@dataclass(frozen=True)
class _Child:
    """A trial of a sweep, or a run of a comparison."""

    folder: RunFolder
    end: End
    tags: Mapping[str, str]


class _Stored:
    """What MLflow has, read once for each experiment."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._runs: dict[str, dict[str, Any]] = {}

    def lacks(self, folder: RunFolder, end: End, parent: RunFolder | None) -> bool:
        """Whether MLflow does not have a run as its folder ended, under its parent."""
        name = folder.experiment.name
        if name not in self._runs:
            self._runs[name] = self.tracker.runs(self.tracker.experiment(name))
        run = self._runs[name].get(id_of(folder))
        if run is None or (run.info.status, run.data.tags[STATE]) != (STATUS[end], end):
            return True
        if parent is None:
            return False
        parent_run = self._runs[name].get(parent.id)
        return parent_run is None or run.data.tags.get(PARENT) != parent_run.info.run_id


def _folders(place: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in sorted(place.glob("[!.]*")) if (path / PARAMS).exists()]


def _bring(stored: _Stored, folder: RunFolder, children: Sequence[_Child]) -> Iterator[Synced]:
    """A run and what belongs to it; nothing of it where a process works on it."""
    end = _ending(folder)
    if end is None:
        yield Synced(folder.id, "running", False)
        return
    lacking = [child for child in children if stored.lacks(child.folder, child.end, folder)]
    lacks = stored.lacks(folder, end, None)
    if lacks or lacking:
        mirror = Mirror(stored.tracker, folder, None, {})
        for child in lacking:
            Mirror(stored.tracker, child.folder, mirror, child.tags).finish(child.end)
        mirror.finish(end)
    yield Synced(folder.id, end, lacks)
    for child in children:
        yield Synced(id_of(child.folder), child.end, child in lacking)


def _members(settings: Settings, comparison: RunFolder) -> list[_Child]:
    """The runs that a finished comparison of variants and seeds made."""
    experiment = comparison.experiment
    if comparison.status != "finished" or not (experiment.variants or experiment.seeds):
        return []
    runs = [
        (RunFolder(settings.runs / name), variant)
        for variant, names in comparison.result["runs"].items()
        for name in names
    ]
    return [
        _Child(run, "finished", {VARIANT: variant})
        for run, variant in runs
        if run.status == "finished"
    ]


def _ending(folder: RunFolder) -> End | None:
    """How a run ended; None: it goes on."""
    status = folder.status
    if status == "running":
        return None
    return status if status in ("finished", "failed") else "interrupted"


def _end_of_trial(folder: RunFolder) -> End:
    """How a trial ended, by its journal: it has no manifest."""
    lines = folder.records()
    return ENDS.get(lines[-1]["kind"] if lines else "", "interrupted")
