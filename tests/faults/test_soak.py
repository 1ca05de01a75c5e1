"""A long sweep whose workers are killed again and again: no trial and no epoch lost or doubled.

The short form of `make test` is in tests/flows/test_sweeps.py.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from faults.experiments import sweep as sweep_of
from faults.harness import Reference, Twin, compare, fresh, recovered, reference
from faults.started import Started, Starter
from faults.tally import Tally

TRIALS, EPOCHS = 50, 6
PAUSE_SECONDS = 4.0
"""Mean time between two kills; a new worker needs about as long for its imports."""
SOAK_SECONDS = 1_800.0

MakeTwin = Callable[[Reference], Twin]
MakeTally = Callable[[str], Tally]


def workers_of(started: Started) -> list[psutil.Process]:
    """Worker processes of a command."""
    try:
        children = psutil.Process(started.pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if "spawn_main" in " ".join(_words(child))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def soak(reference: Reference, twin: Twin, kills: int, pause: float) -> tuple[int, list[str]]:
    """Runs a sweep whose workers are killed; how many were, and what is wrong."""
    chance, killed = random.Random(50), 0
    started = twin.start()
    while killed < kills and started.poll() is None:
        done = len(list(twin.home.glob("runs/*/trials/*/journal.jsonl")))
        time.sleep(chance.uniform(0.5, 1.5) * pause)
        alive = workers_of(started)
        if alive and done:
            chance.choice(alive).kill()
            killed += 1
            wait_for_epoch(twin, started)
    try:
        ended = started.wait(SOAK_SECONDS)
        assert (ended.status, ended.untidy) == (0, []), ended
    except AssertionError as error:
        return killed, [str(error)]
    return killed, compare(reference, twin)


def epochs_of(twin: Twin) -> int:
    """Epochs that all trials have done."""
    journals = twin.home.glob("runs/*/trials/*/journal.jsonl")
    return sum(journal.read_bytes().count(b'"kind":"epoch"') for journal in journals)


def wait_for_epoch(twin: Twin, started: Started) -> None:
    """Three deaths in a row without an epoch in between end a sweep, as they should."""
    before = epochs_of(twin)
    while epochs_of(twin) == before and started.poll() is None:
        time.sleep(0.1)


@pytest.mark.faults
def test_a_killed_sweep_goes_on(sweep: Reference, twin: MakeTwin, tally: MakeTally) -> None:
    counts, hit = tally("kill -9 in tune"), twin(sweep)
    started = hit.start()
    while not epochs_of(hit):
        assert started.poll() is None
        time.sleep(0.002)
    started.kill()
    counts.add(recovered(sweep, hit), "while a trial is trained")
    counts.check()


@pytest.mark.faults
def test_a_sweep_loses_a_worker_and_is_killed(
    sweep: Reference, twin: MakeTwin, tally: MakeTally
) -> None:
    """A worker while its trial is trained, the whole command once its epochs go on."""
    counts, hit = tally("kill -9 of a sweep's worker, then of the sweep"), twin(sweep)
    started = hit.start()
    while not epochs_of(hit):
        assert started.poll() is None
        time.sleep(0.01)
    random.Random(0).choice(workers_of(started)).kill()
    wait_for_epoch(hit, started)
    started.kill()
    counts.add(recovered(sweep, hit), "one worker, then all")
    counts.check()


@pytest.mark.faults
def test_a_soak_of_fifty_trials(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, starter: Starter, tally: MakeTally
) -> None:
    tiny = sweep_of("soak", TRIALS, EPOCHS)
    undisturbed = reference(fresh(tiny, tmp_path_factory.mktemp("undisturbed"), starter))
    counts = tally("kill -9 of a sweep's worker")
    killed, wrong = soak(undisturbed, fresh(tiny, tmp_path / "soak", starter), 30, PAUSE_SECONDS)
    assert killed > 5, f"only {killed} workers were killed before the sweep ended"
    for _ in range(killed):
        counts.add(wrong, f"{killed} workers in a soak of {TRIALS} trials")
    counts.check()
