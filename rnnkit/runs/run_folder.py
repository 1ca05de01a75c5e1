"""A run on disk: params, journal, checkpoints, result, manifest.

params.yaml         the resolved experiment
fingerprint.json    versions, threads, CPU and settings that affect the bits of the result
journal.jsonl       one fsynced line per record
checkpoints/        the two newest and the best; the name contains the hash of the content
model/              the finished model: weights, params and prepared-data records
result.json         metrics and facts of the finished run
manifest.json       sha256 of every file; written last, so it marks a finished run
"""

import fcntl
import json
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rnnkit.errors import InputError
from rnnkit.params import Experiment, dump, load
from rnnkit.params.public import hashed_params
from rnnkit.runtime import files
from rnnkit.runtime.unfinished import remove_unfinished

NEWEST_CHECKPOINTS = 2
"""Number of newest checkpoints to keep, besides the best."""
_CHECKPOINT = re.compile(r"epoch-(\d+)\.([0-9a-f]{16})\.safetensors")
LOCK_ATTEMPTS = 4
"""A status query also holds the lock for an instant, so retry."""
JOURNAL, RESULT, PARAMS = "journal.jsonl", "result.json", "params.yaml"

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
        """A run's id: its name and a hash of everything that determines its result.

        Args:
            experiment: resolved.
            data_sha256: of the prepared data.
            date: set by a schedule; otherwise empty.
            again: number of earlier runs of the same experiment.
        """
        determinants = {
            "params": hashed_params(experiment, {"variants", "seeds"}),
            "data": data_sha256,
            "date": date,
            "again": again,
        }
        return f"{experiment.name}-{files.sha256_json(determinants)[:10]}"

    # --- beginning and end ---

    def create(self, experiment: Experiment, facts: dict[str, Any]) -> None:
        """Create the folder if needed, and write params and facts."""
        (self.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        if not (self.path / PARAMS).exists():
            files.write_atomic(self.path / PARAMS, dump(experiment))
        files.write_json(self.path / "fingerprint.json", facts)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run's lock. The system releases it when the process ends.

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
            yield

    def finish(self, result: dict[str, Any]) -> None:
        """Mark the run as finished: write the result and the manifest."""
        self.append("finished")
        files.write_json(self.path / RESULT, result)
        paths = (p.relative_to(self.path) for p in self.path.rglob("[!.]*") if p.is_file())
        kept = (p for p in paths if p.parts[0] not in ("checkpoints", "trials"))
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
        lines = self.records()
        return "failed" if lines and lines[-1]["kind"] == "failed" else "interrupted"

    @property
    def result(self) -> dict[str, Any]:
        """Metrics and facts of the finished run."""
        result: dict[str, Any] = files.read_json(self.path / RESULT)
        return result

    @property
    def experiment(self) -> Experiment:
        """The run's resolved params."""
        return load(self.path / PARAMS)

    @property
    def trained(self) -> Experiment:
        """The params of the finished run's network: without its sweep, with the values that the
        sweep chose."""
        return self.experiment.replace({**self.result["tuned"], "tune": None})

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
        line = {"kind": kind, "time": int(time.time() * 1000), **_plain(record)}
        files.append_line(self.path / JOURNAL, line)

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Records of the journal, or those of one kind."""
        lines = files.read_lines(self.path / JOURNAL)
        return [line for line in lines if kind is None or line["kind"] == kind]

    def forget_after(self, epoch: int) -> None:
        """Remove the records of later epochs and of the run's end, to train on."""
        lines = self.records()
        kept = [
            line
            for line in lines
            if line["kind"] not in ("failed", "finished") and line.get("epoch", 0) <= epoch
        ]
        if len(kept) < len(lines):
            self._write_journal(kept)

    # --- checkpoints ---

    def save_checkpoint(
        self, epoch: int, tensors: dict[str, Any], facts: dict[str, Any], best: bool
    ) -> None:
        """Write a checkpoint atomically, then delete those no longer needed."""
        from safetensors.torch import save

        folder = self.path / "checkpoints"
        content = save(tensors, metadata={"facts": json.dumps(facts)})
        sha = files.sha256_bytes(content)[:16]
        name = f"epoch-{epoch:06d}.{sha}.safetensors"
        files.write_atomic(folder / name, content)
        if best:
            files.write_atomic(folder / "best", name + "\n")
        keep = {p.name for p in self._checkpoints()[:NEWEST_CHECKPOINTS]} | {self._best_name()}
        for old in self._checkpoints():
            if old.name not in keep:
                old.unlink()

    def adopt(self, trained: "RunFolder") -> None:
        """Copy the curves and the best checkpoint of another folder. Idempotent."""
        if self.records("adopted"):
            return
        name = trained._best_name()
        (self.path / "checkpoints").mkdir(exist_ok=True)
        source = trained.path / "checkpoints" / name
        files.write_atomic(self.path / "checkpoints" / name, source.read_bytes())
        files.write_atomic(self.path / "checkpoints" / "best", name + "\n")
        self.forget_after(0)
        curves = [line for line in trained.records() if line["kind"] in ("step", "epoch")]
        self._write_journal([*self.records(), *curves])
        self.append("adopted", trial=trained.id)

    def _write_journal(self, lines: list[dict[str, Any]]) -> None:
        text = "".join(files.canonical_json(line) + "\n" for line in lines)
        files.write_atomic(self.path / JOURNAL, text)

    def newest_checkpoint(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Tensors and facts of the newest intact checkpoint; None if there is none."""
        return next(filter(None, map(_read_checkpoint, self._checkpoints())), None)

    def best_checkpoint(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Tensors and facts of the best epoch.

        Raises:
            InputError: it is missing or damaged.
        """
        name = self._best_name()
        loaded = _read_checkpoint(self.path / "checkpoints" / name) if name else None
        if loaded is None:
            raise InputError(f"{self.path}: has no whole best checkpoint; run it again")
        return loaded

    def _best_name(self) -> str:
        best = self.path / "checkpoints" / "best"
        return best.read_text().strip() if best.exists() else ""

    def _checkpoints(self) -> list[Path]:
        """Paths, newest first."""
        paths = (self.path / "checkpoints").glob("epoch-*.safetensors")
        return sorted((p for p in paths if _CHECKPOINT.fullmatch(p.name)), reverse=True)


def _read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Tensors and facts; None if the file is missing or damaged."""
    from safetensors.torch import load as load_tensors

    match = _CHECKPOINT.fullmatch(path.name)
    if not match or not path.exists():
        return None
    content = path.read_bytes()
    if files.sha256_bytes(content)[:16] != match[2]:
        return None
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return load_tensors(content), json.loads(header["__metadata__"]["facts"])


def _plain(value: Any) -> Any:
    """JSON-compatible value: non-finite numbers become their names."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
