"""SIGKILL to a command and its workers at a random instant of a stage, or when a file appears."""

import random
import time
from collections.abc import Callable

from faults.harness import COMMAND_SECONDS, Reference, Twin
from faults.started import POLL_SECONDS

START = "start"
"""The time before the first record of a journal: data and server, no run yet."""


def length(reference: Reference, stage: str) -> float:
    """Seconds that a stage took in the undisturbed run."""
    times = list(reference.begun.values())
    names = list(reference.begun)
    if stage == START:
        return times[0]
    k = names.index(stage)
    return max(0.01, times[k + 1] - times[k])


def kill_in(twin: Twin, reference: Reference, stage: str, chance: random.Random) -> str | None:
    """Starts the command and kills it in a stage, at an instant that the stage's undisturbed length
    sets.

    Returns:
        the stage in which it was killed, a later one where this run is faster; None: it ended.
    """
    before = len(twin.records("stage"))
    share = chance.random()
    started = twin.start()
    until = time.monotonic() + COMMAND_SECONDS

    def has_begun() -> bool:
        return stage == START or stage in [
            record["stage"] for record in twin.records("stage")[before:]
        ]

    while not has_begun() and started.poll() is None:
        assert time.monotonic() < until, f"{stage} was not reached"
        time.sleep(POLL_SECONDS)
    end = time.monotonic() + share * length(reference, stage)
    while time.monotonic() < end and started.poll() is None:
        time.sleep(POLL_SECONDS)
    if started.poll() is not None:
        return None
    started.kill()
    if started.poll() != -9:
        return None
    begun = [record["stage"] for record in twin.records("stage")[before:]]
    return begun[-1] if begun else START


def kill_when(twin: Twin, reached: Callable[[], bool], delay: float) -> bool:
    """Starts the command and kills it some seconds after a condition holds; False: it ended."""
    started = twin.start()
    while not reached() and started.poll() is None:
        time.sleep(POLL_SECONDS / 4)
    time.sleep(delay)
    if started.poll() is not None:
        return False
    started.kill()
    return started.poll() == -9
