"""A reference run, its twin with a fault, and what differs between them.

reference   an undisturbed run of a tiny experiment
inject      its twin's command, with a fault
resume      the same command again until it ends well
compare     all that the two must have in common, and what must not be left
"""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faults.experiments import Tiny
from faults.home_state import State, differences, doubled, state_of
from faults.injection import Fault
from faults.remains import remains
from faults.started import Ended, Started, Starter

COMMAND_SECONDS = 300.0
"""A tiny experiment takes seconds; a command that takes so long hangs."""
TRIES = 4
"""So many starts may a run need after a fault; more are a dead end."""


class DeadEnd(AssertionError):
    """The same command does not come to its end."""


@dataclass(frozen=True)
class Twin:
    """An experiment in a folder of its own.

    Args:
        folder: of the case; below it `mlruns`, the params file and the output of each command.
    """

    tiny: Tiny
    folder: Path
    starter: Starter
    cold: bool = False
    """Whether commands are started as a shell does, with a Prefect server of their own."""
    variables: Mapping[str, str] | None = None
    """Of the environment of all its commands."""

    @property
    def home(self) -> Path:
        """The output folder."""
        return self.folder / "mlruns"

    @property
    def run(self) -> Path:
        """The folder of the experiment's run, or of its comparison."""
        kind = "comparisons" if self.tiny.verb == "compare" else "runs"
        return next((self.home / kind).glob(f"{self.tiny.name}-*"), self.home / kind / "none")

    def start(self, fault: Fault | None = None, *, verb: tuple[str, ...] = ()) -> Started:
        """The experiment's command, or another verb, at work."""
        params = self.starter.write_params(self.tiny, self.folder)
        arguments = [*(verb or (self.tiny.verb, str(params))), "--mlruns", str(self.home)]
        return self.starter.start(
            self.folder, arguments, fault, cold=self.cold, variables=self.variables or {}
        )

    def fault(self, **what: object) -> Fault:
        """A fault in the output folder."""
        log = self.folder / f"fault-{time.monotonic_ns()}.log"
        return Fault(folder=str(self.home.resolve()), log=str(log), **what)  # type: ignore[arg-type]

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The whole records of a kind in the journal, while it is written."""
        journal = self.run / "journal.jsonl"
        if not journal.exists():
            return []
        whole = journal.read_bytes().rpartition(b"\n")[0].splitlines()
        named = [json.loads(line) for line in whole if f'"kind":"{kind}"'.encode() in line]
        return [record for record in named if record["kind"] == kind]


@dataclass(frozen=True)
class Reference:
    """An undisturbed run."""

    twin: Twin
    state: State
    seconds: float
    """Of the whole command."""
    begun: Mapping[str, float]
    """Stage -> seconds from the command's start to the stage's; `end` is the command's."""
    operations: tuple[str, ...]
    """Writes, fsyncs and renames in the output folder, as in a fault's log, or none."""


def fresh(tiny: Tiny, folder: Path, starter: Starter) -> Twin:
    """A twin with an output folder in which another experiment was run."""
    twin = Twin(tiny, folder, starter)
    shutil.copytree(starter.home, twin.home)
    return twin


def reference(twin: Twin, *, is_counted: bool = True) -> Reference:
    """The undisturbed run of a twin; nothing is left of it.

    Args:
        is_counted: its file operations are counted, which makes a training of short epochs slower.
    """
    began, count = time.time(), twin.fault(action="count")
    ended = twin.start(count if is_counted else None).wait(COMMAND_SECONDS)
    assert (ended.status, ended.err) == (0, ""), ended
    left = remains(twin.folder, twin.home)
    assert left == [], left
    begun = {record["stage"]: record["time"] / 1000 - began for record in twin.records("stage")}
    operations = tuple(Path(count.log).read_text().splitlines()) if is_counted else ()
    begun["end"] = ended.seconds
    return Reference(twin, state_of(twin.home), ended.seconds, begun, operations)


def inject(twin: Twin, fault: Fault) -> Ended:
    """The twin's command with a fault: it ends well, or is killed, or tells what is wrong."""
    ended = twin.start(fault).wait(COMMAND_SECONDS)
    assert ended.status in (-9, 0, 1, 2), ended
    assert ended.untidy == [], f"more than lines of ours: {ended.err[-1000:]}"
    return ended


def resume(twin: Twin) -> list[Ended]:
    """The same command again until it ends well; all of its ends.

    Raises:
        DeadEnd: it does not.
    """
    ends = []
    for _ in range(TRIES):
        ends.append(twin.start().wait(COMMAND_SECONDS))
        assert ends[-1].untidy == [], f"more than lines of ours: {ends[-1].err[-1000:]}"
        if ends[-1].status == 0:
            return ends
    raise DeadEnd(f"ended {TRIES} times with {ends[-1].status}: {ends[-1].err.strip()[-500:]}")


def interrupted(reference: Reference, twin: Twin, checkpoint: str, records: int = 0) -> Twin:
    """A twin that was killed after a checkpoint and some more records of its journal.

    Args:
        checkpoint: the beginning of its name.
        records: written after it.
    """
    renames = [line.startswith(f"rename {checkpoint}") for line in reference.operations]
    place = renames.index(True)
    writes = reference.operations[:place].count("write journal.jsonl") + records
    kill = twin.fault(
        action="kill before", operations=("write",), names="journal.jsonl", number=writes + 1
    )
    assert inject(twin, kill).status == -9
    return twin


def copied(twin: Twin, folder: Path) -> Twin:
    """The same output folder once more, without the commands that were called before."""
    copy = replace(twin, folder=folder)
    shutil.copytree(twin.home, copy.home)
    return copy


def compare(reference: Reference, twin: Twin) -> list[str]:
    """What the twin has otherwise than its reference, and what is left of it; a line each."""
    return [
        *differences(reference.state, state_of(twin.home)),
        *doubled(twin.home),
        *remains(twin.folder, twin.home),
    ]


def recovered(reference: Reference, twin: Twin) -> list[str]:
    """Resumes a twin after its fault; what is wrong, a line each."""
    try:
        resume(twin)
        wrong = compare(reference, twin)
    except AssertionError as error:
        return [str(error)]
    if not wrong:
        shutil.rmtree(twin.folder)
    return wrong


def survived(reference: Reference, twin: Twin, fault: Fault) -> list[str]:
    """Injects a fault and resumes the twin; what is wrong, a line each."""
    try:
        inject(twin, fault)
        assert has_fired(fault), "the fault did not happen"
    except AssertionError as error:
        return [str(error)]
    return recovered(reference, twin)


def has_fired(fault: Fault) -> bool:
    """Whether a fault happened."""
    log = Path(fault.log)
    return log.exists() and "fired" in log.read_text().splitlines()
