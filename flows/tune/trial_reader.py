"""The trials of a sweep as its parent shows them, again and again while they go on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.tune.trials import STATES, end_of, epochs_done, number_of, record_of, trial_folders
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import JOURNAL, RunFolder

Signature = tuple[int, int, int]
"""Inode, bytes and nanoseconds of the last change of a file."""


@dataclass(frozen=True)
class SeenTrial:
    """A trial as it was when its folder was read."""

    number: int
    record: dict[str, Any] | None
    """Of one that ended, from `record_of`; None: it goes on, or was interrupted."""
    epochs: int
    """That its trainings have finished."""


class TrialReader:
    """Reads the trials of a sweep's folder. The journals of one that has ended are read once, until
    its own is written to again: a sweep of hundreds of trials is looked at several times a second.
    """

    def __init__(self, folder: RunFolder, experiment: Experiment) -> None:
        self._folder, self._experiment = folder, experiment
        self._ended: dict[str, tuple[Signature, SeenTrial]] = {}

    def read(self) -> list[SeenTrial]:
        """All trials that have begun, by their numbers.

        Raises:
            InputError: a journal is damaged.
        """
        return [self._read(trial) for trial in trial_folders(self._folder)]

    def _read(self, trial: RunFolder) -> SeenTrial:
        signature = signature_of(trial.path / JOURNAL)  # before what it is the signature of
        if (known := self._ended.get(trial.id)) and known[0] == signature:
            return known[1]
        lines = trial.records()
        if end_of(lines) not in STATES:
            return SeenTrial(number_of(trial), None, epochs_done(trial))
        record = record_of(trial, lines, self._experiment)
        seen = SeenTrial(record["number"], record, record["epochs"])
        if signature is not None:
            self._ended[trial.id] = signature, seen
        return seen


def signature_of(file: Path) -> Signature | None:
    """What differs once a file was written to; None: there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
