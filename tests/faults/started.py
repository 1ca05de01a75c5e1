"""Commands that were started, each in a process group of its own, and what is left of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from command import RNNKIT, ROOT, environment
from faults import injection
from faults.experiments import BEFORE, DATA, Tiny, write_data
from faults.injection import Fault

CASE = "RNNKIT_FAULT_CASE"
"""Variable that every process of a case inherits: the case's folder."""
START_SECONDS = 60  # seconds the starter may take to fork a command
END_SECONDS = 60  # seconds the starter may take to end
POLL_SECONDS = 0.002


@dataclass(frozen=True)
class Ended:
    """How a command ended; a negative status is a signal's number."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def untidy(self) -> list[str]:
        """Lines on standard error that are no line of ours, as those of a traceback."""
        return [line for line in self.err.splitlines() if line and not line.startswith("rnnkit: ")]


class Started:
    """A command at work; its output goes to files in a folder."""

    def __init__(self, job: Path, process: "subprocess.Popen[bytes] | None") -> None:
        self.job, self._process, self._began = job, process, time.monotonic()
        self.pid = process.pid if process else self._pid()

    def _pid(self) -> int:
        until = time.monotonic() + START_SECONDS
        while not (self.job / "pid").exists():
            assert time.monotonic() < until, "the starter is gone"
            time.sleep(POLL_SECONDS)
        return int((self.job / "pid").read_text())

    def poll(self) -> int | None:
        """The exit status; None while it goes on."""
        if self._process is not None:
            return self._process.poll()
        file = self.job / "status"
        return int(file.read_text()) if file.exists() else None

    def wait(self, timeout: float) -> Ended:
        """Waits for its end; a command that takes longer is killed, and that is an error."""
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                self.kill()
                raise AssertionError(f"it hangs: {timeout} s are over, {self._shown()}")
            time.sleep(POLL_SECONDS)
        out, err = (self._text(name) for name in ("stdout", "stderr"))
        return Ended(status, out, err, time.monotonic() - self._began)

    def kill(self) -> None:
        """SIGKILL to its process group: the command and its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while self.poll() is None:
            time.sleep(POLL_SECONDS)

    def _text(self, name: str) -> str:
        return (self.job / name).read_text(errors="replace")

    def _shown(self) -> str:
        return f"stdout {self._text('stdout')[-500:]!r}, stderr {self._text('stderr')[-500:]!r}"


class Starter:
    """Starts commands: warm ones by fork (see `warm_start`), cold ones as a shell does.

    Args:
        folder: for its own files.
        api: address of the Prefect server that warm commands use.

    Attributes:
        home: an output folder with the finished run BEFORE.
        data: the file that all experiments read.
        sites: a folder whose `sitecustomize.py` injects faults.
    """

    def __init__(self, folder: Path, api: str) -> None:
        self.folder = folder
        self.sites = folder / "site"
        self.sites.mkdir(parents=True)
        shutil.copy(injection.__file__, self.sites / "sitecustomize.py")
        self._path = os.pathsep.join(map(str, (self.sites, ROOT, ROOT / "tests")))
        self._warm = environment(
            PYTHONPATH=self._path,
            PREFECT_API_URL=api,
            PREFECT_HOME=str(folder / "prefect"),
            MPLCONFIGDIR=str(folder / "matplotlib"),
        )
        self.home, self.data = folder / "mlruns", folder / "sentences.jsonl"
        write_data(self.data)
        before = self.write_params(BEFORE, folder)
        with (folder / "starter.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "faults.warm_start", self.home, before],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._warm,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answer = self._process.stdin, self._process.stdout
        if self._answer.readline() != b"ready\n":
            self.stop()
            raise AssertionError((folder / "starter.log").read_text())

    def write_params(self, tiny: Tiny, folder: Path) -> Path:
        """An experiment's params file in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{tiny.name}.yaml"
        file.write_text(tiny.params.replace(DATA, str(self.data)))
        return file

    def stop(self) -> None:
        """Ends the starter; the commands go on."""
        self._requests.close()
        self._process.wait(END_SECONDS)
        self._answer.close()

    def start(
        self,
        case: Path,
        arguments: list[str],
        fault: Fault | None = None,
        *,
        cold: bool = False,
        variables: Mapping[str, str] = {},
    ) -> Started:
        """A command at work.

        Args:
            case: folder of the case; its output goes to a new folder below.
            cold: as a new process, with a Prefect server of its own.
        """
        jobs = case / "jobs"
        jobs.mkdir(parents=True, exist_ok=True)
        job = jobs / f"{len(list(jobs.iterdir())):04d}"
        job.mkdir()
        faulty = {injection.VARIABLE: json.dumps(asdict(fault))} if fault else {}
        given = {CASE: str(case), **faulty, **variables}
        if cold:
            with (job / "stdout").open("wb") as out, (job / "stderr").open("wb") as err:
                process = subprocess.Popen(
                    [*RNNKIT, *arguments],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment(PYTHONPATH=self._path, **given),
                    start_new_session=True,
                )
            return Started(job, process)
        request = {
            "job": str(job),
            "arguments": arguments,
            "cwd": str(ROOT),
            "environment": {**self._warm, **given},
        }
        self._requests.write(json.dumps(request).encode() + b"\n")
        self._requests.flush()
        return Started(job, None)


@contextmanager
def starting(folder: Path, api: str) -> Iterator[Starter]:
    """A starter for as long as the block lasts."""
    starter = Starter(folder, api)
    try:
        yield starter
    finally:
        starter.stop()


def processes(case: Path) -> list[psutil.Process]:
    """All processes of a case that live: commands, workers, servers."""
    commands = {int(file.read_text()) for file in (case / "jobs").glob("*/pid")}
    return [process for process in psutil.process_iter() if _belongs(process, case, commands)]


def _belongs(process: psutil.Process, case: Path, commands: set[int]) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.getsid(process.pid) in commands or process.environ().get(CASE) == str(case)
    except (psutil.Error, ProcessLookupError):
        return False
