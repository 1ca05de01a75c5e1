"""A run on disk: params, journal, checkpoints, result, manifest.

params.yaml         the resolved experiment
fingerprint.json    versions, threads, CPU and settings that affect the bits of the result
journal.jsonl       one fsynced line per record
system.jsonl        the load of the machine, a line every ten seconds
checkpoints/        see rnnkit.runs.checkpoints
model/              the finished model: weights, params and prepared-data records
result.json         metrics and facts of the finished run
manifest.json       sha256 of every file; written last, so it marks a finished run
"""

import fcntl
import math
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rnnkit.errors import InputError, Note
from rnnkit.params import Experiment, dump, load
from rnnkit.params.public import hashed_params, hashed_study, hashed_sweep_of_before
from rnnkit.runs.checkpoints import Checkpoints
from rnnkit.runtime import files
from rnnkit.runtime.secrets import without_secrets
from rnnkit.runtime.unfinished import remove_unfinished

LOCK_ATTEMPTS = 50
"""A status query also holds the lock for an instant, so retry."""
JOURNAL, RESULT, PARAMS = "journal.jsonl", "result.json", "params.yaml"
FINGERPRINT, LOAD = "fingerprint.json", "system.jsonl"
PREPARED = "prepared"
"""Kind of the journal's record about the prepared data, and what they decided."""
GROWN = "grown"
"""Kind of the journal's record about a sweep that goes on with more trials or other ranges."""

DIAGNOSIS, NOT_FINITE = "diagnosis", "not_finite"
"""Kinds of the journal's records that `rnnkit.diagnose` writes: measurements at an epoch's end, and
the first step without a finite gradient, which is kept when the training goes back."""

ENDS = ("failed", "finished", "interrupted")
"""Kinds of records that end a journal until the run is resumed."""
UNHASHED = ("checkpoints", "trials", "study.db", LOAD)
"""Beginnings of names that the manifest leaves out; a dashboard may write to the study."""

Status = Literal["new", "running", "interrupted", "failed", "finished"]


class Busy(RuntimeError):
    """Another process is running this run."""


class RunFolder:
    """A run's folder, existing or future; its name is the run's id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    @staticmethod
    def identity(experiment: Experiment, data_sha256: str, date: str, again: int) -> str:
        """A run's id: its name and a hash of everything that determines its result, but for what a
        sweep may grow by.

        Args:
            experiment: resolved.
            data_sha256: of the prepared data.
            date: set by a schedule; otherwise empty.
            again: number of earlier runs of the same experiment.
        """
        tune = None if experiment.tune is None else hashed_study(experiment.tune)
        return _identity(experiment, tune, data_sha256, date, again)

    @staticmethod
    def identity_of_before(
        experiment: Experiment, data_sha256: str, date: str, again: int
    ) -> str | None:
        """A sweep's id by versions whose ids depended on its trials, workers and ranges; None if
        they could not have run it. Arguments as in `identity`."""
        tune = None if experiment.tune is None else hashed_sweep_of_before(experiment.tune)
        return None if tune is None else _identity(experiment, tune, data_sha256, date, again)

    # --- beginning and end ---

    def create(self, experiment: Experiment, facts: dict[str, Any]) -> None:
        """Create the folder if needed, and write params and facts."""
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        content, file = dump(experiment), self.path / PARAMS
        if not file.exists() or file.read_bytes() != content.encode():  # damaged
            files.write_atomic(file, content)
        files.write_json(self.path / FINGERPRINT, facts)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run's lock. The system releases it when the process ends.

        What a killed process or a damaged disk left is put in order first.

        Raises:
            Busy: another process holds the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a+") as file:
            for left in reversed(range(LOCK_ATTEMPTS)):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not left:
                        raise Busy(f"{self.id} is being run by another process") from None
                    time.sleep(0.002)
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            remove_unfinished(self.path)  # of a process that was killed
            self._mend_journals()
            yield

    def finish(self, result: dict[str, Any]) -> None:
        """Mark the run as finished: write the result and the manifest."""
        self.append("finished")
        files.write_json(self.path / RESULT, result)
        paths = (p.relative_to(self.path) for p in self.path.rglob("[!.]*") if p.is_file())
        kept = (p for p in paths if not p.parts[0].startswith(UNHASHED))
        files.write_manifest(self.path, [p.as_posix() for p in kept if p.name != "lock"])

    @property
    def status(self) -> Status:
        """Status of the run, from the files in its folder."""
        if (self.path / files.MANIFEST).exists():
            return "finished"
        if not (self.path / JOURNAL).exists() and not (self.path / PARAMS).exists():
            return "new"
        if self._locked():
            return "running"
        lines, _ = files.read_whole_lines(self.path / JOURNAL)
        return "failed" if lines and lines[-1]["kind"] == "failed" else "interrupted"

    @property
    def result(self) -> dict[str, Any]:
        """Metrics and facts of the finished run; verified."""
        result: dict[str, Any] = files.read_json(self.verified(RESULT))
        return result

    @property
    def params(self) -> Experiment:
        """The run's resolved params, as it was begun with; of a finished run verified."""
        return load(self.verified(PARAMS))

    def verified(self, name: str) -> Path:
        """Path of a file, whose sha256 is verified if the run is finished.

        Raises:
            InputError: it differs from the manifest.
        """
        if (self.path / files.MANIFEST).exists():
            differences = files.verify_manifest(self.path, prefix=name, required=[name])
            if differences:
                raise InputError(
                    f"{self.path}: the files of a finished run must be as they were written, but "
                    f"{'; '.join(differences)}; {self.rewrite_advice}"
                )
        return self.path / name

    @property
    def rewrite_advice(self) -> str:
        """How to write damaged files again, as the end of a message."""
        if self.path.parent.name == "runs":
            return f"write them again with: rnnkit resume {self.id}"
        return "delete the folder, and make it again"

    def reopen_if_damaged(self) -> list[str]:
        """Make a finished run unfinished if its files differ from the manifest, so that it goes on
        from its checkpoints and writes them again; return the differences.

        Raises:
            InputError: the params or the journal differ, from which the rest is written.
        """
        differences = files.verify_manifest(self.path)
        if any(line.startswith((PARAMS, JOURNAL)) for line in differences):
            raise InputError(
                f"{self.path}: cannot be written again, because {'; '.join(differences)}; bring "
                "the files back, or delete the folder and run the params file again"
            )
        if differences:
            (self.path / files.MANIFEST).unlink()
        return differences

    @property
    def experiment(self) -> Experiment:
        """The run's params with what its data decided: the monitored metric."""
        experiment = self.params
        if experiment.train.monitor is None and (prepared := self.records(PREPARED)):
            return experiment.replace({"train.monitor": prepared[0].get("monitor")})
        return experiment

    @property
    def trained(self) -> Experiment:
        """The params of the finished run's network: without its sweep, with the values that the
        sweep chose."""
        return self.experiment.replace({**self.result["tuned"], "tune": None})

    def reopen(self, changes: dict[str, Any]) -> None:
        """Make a sweep's run unfinished, without the model that it adopted or trained: it goes on
        with other params.

        Args:
            changes: params path -> (value before, value now).
        """
        (self.path / files.MANIFEST).unlink(missing_ok=True)
        self.checkpoints.delete_after((-1, 0))
        self.forget_after((0, 0))
        of_model = ("adopted", DIAGNOSIS, NOT_FINITE)
        self._write_journal([line for line in self.records() if line["kind"] not in of_model])
        self.append(GROWN, changes=changes)

    def _locked(self) -> bool:
        lock = self.path / "lock"
        mode = "r+" if os.access(lock, os.W_OK) else "r"  # NFS locks files open for writing only
        try:
            with lock.open(mode) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    # --- the journal ---

    def append(self, kind: str, **record: Any) -> None:
        """Append a record with a timestamp to the journal, and fsync."""
        if "reason" in record:  # another library's words, perhaps
            record["reason"] = without_secrets(record["reason"])
        line = {"kind": kind, "time": int(time.time() * 1000), **_plain(record)}
        files.append_line(self.path / JOURNAL, line)

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Records of the journal, or those of one kind."""
        lines = files.read_lines(self.path / JOURNAL)
        return [line for line in lines if kind is None or line["kind"] == kind]

    def _mend_journals(self) -> None:
        """Cut a damaged journal before its first damaged line, and remove the checkpoints behind
        it, so that the training goes on from there; likewise in the trials of a sweep."""
        for path in sorted(self.path.rglob(JOURNAL)):
            lines, damage = files.read_whole_lines(path)
            if not damage:
                continue
            folder = RunFolder(path.parent)
            folder._write_journal(lines)
            saved = [
                (line["epoch"], line["step"]) for line in lines if line["kind"] == "checkpoint"
            ]
            folder.checkpoints.delete_after(max(saved, default=(-1, 0)))
            note = f"{path}, {damage}; the run goes on from what was written before it"
            warnings.warn(note, Note, stacklevel=4)

    def forget_after(self, position: tuple[int, int]) -> None:
        """Remove the records behind a checkpoint and those of the run's end, to train on.

        Args:
            position: finished epochs and steps of the checkpoint; (0, 0): train from the start.
        """
        lines = self.records()
        kept = [line for line in lines if line["kind"] not in ENDS and _is_before(line, position)]
        if len(kept) < len(lines):
            self._write_journal(kept)

    def _write_journal(self, lines: list[dict[str, Any]]) -> None:
        text = "".join(map(files.journal_line, lines))
        files.write_atomic(self.path / JOURNAL, text)

    # --- checkpoints ---

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the run's training."""
        return Checkpoints(self.path / "checkpoints")

    def save_checkpoint(
        self, tensors: dict[str, Any], facts: dict[str, Any], best_file: str | None
    ) -> str:
        """Write a checkpoint, then its journal record; then delete those no longer needed.

        Args: as in `Checkpoints.save`.

        Returns: the name of the file.
        """
        name = self.checkpoints.save(tensors, facts, best_file)
        self.append("checkpoint", epoch=facts["epoch"], step=facts["step"])
        self.checkpoints.delete_old()
        return name

    def adopt(self, trained: "RunFolder") -> None:
        """Copy the newest whole checkpoint of another folder, its best one, and the curves up to
        it. Idempotent."""
        if self.records("adopted"):
            return
        self.checkpoints.delete_after((-1, 0))  # of another winner, or of an adoption cut short
        newest, position = next(trained.checkpoints.whole(), None), (0, 0)
        if newest is not None:
            trained.checkpoints.copy(newest, self.checkpoints)
            position = newest.position
        self.forget_after((0, 0))
        kinds = ("step", "epoch", "checkpoint", "half_rate", DIAGNOSIS, NOT_FINITE)
        lines = [line for line in trained.records() if line["kind"] in kinds]
        curves = [line for line in lines if _is_before(line, position)]
        kept = [line for line in self.records() if line["kind"] not in kinds]
        self._write_journal([*kept, *curves])
        self.append("adopted", trial=trained.id)

    def newest_checkpoint(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Tensors and facts of the newest whole checkpoint; None if there is none."""
        newest = next(self.checkpoints.whole(), None)
        return None if newest is None else (newest.tensors, newest.facts)

    def best_checkpoint(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Tensors and facts of the best epoch.

        Raises:
            InputError: it is missing or damaged.
        """
        newest = next(self.checkpoints.whole(), None)
        best = None if newest is None else self.checkpoints.best_of(newest)
        if best is None:
            raise InputError(f"{self.path}: has no whole best checkpoint; run it again")
        return best.tensors, best.facts


def _identity(
    experiment: Experiment, tune: dict[str, Any] | None, data: str, date: str, again: int
) -> str:
    params = {**hashed_params(experiment, {"variants", "seeds", "tune"}), "tune": tune}
    determinants = {"params": params, "data": data, "date": date, "again": again}
    return f"{experiment.name}-{files.sha256_json(determinants)[:10]}"


def _is_before(line: dict[str, Any], position: tuple[int, int]) -> bool:
    """Whether a record belongs to what was trained up to a checkpoint (finished epochs, steps)."""
    epoch, step = position
    is_end = line["kind"] in ("epoch", "checkpoint", DIAGNOSIS)  # of as many epochs as it says
    return line.get("step", 0) <= step and not (is_end and line["epoch"] > epoch)


def _plain(value: Any) -> Any:
    """JSON-compatible value: non-finite numbers become their names."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
