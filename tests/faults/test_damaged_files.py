"""Damaged files of an unfinished run: one bit flipped, an end cut off, zeros, or a file lost.

The same command notices it, or it does no harm: with what is told on the way, the run ends as the
undisturbed one did.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from faults.damage import KINDS
from faults.experiments import PLAIN, SWEEP
from faults.harness import Reference, Twin, copied, fresh, interrupted
from faults.kills import kill_when
from faults.mending import mended
from faults.remains import left_processes
from faults.started import Starter
from faults.tally import Tally

FLIPS, OTHERS = 55, 8
"""Damaged copies of each kind of file: with one flipped bit, and with each other damage."""
SLOW_FLIPS, SLOW_OTHERS = 15, 2
"""The same where worker processes or a server must start."""

FILES = {
    "checkpoint": "runs/plain-*/checkpoints/*",
    "prepared data": "prepared/*/*",
    "journal": "runs/plain-*/journal.jsonl",
    "run's params": "runs/plain-*/params.yaml",
    "fingerprint": "runs/plain-*/fingerprint.json",
    "settings": "settings.yaml",
    "mlflow.db": "mlflow.db",
}
"""Kind of file -> where it lies in the output folder."""
SWEEP_FILES = {
    "study.db": "runs/sweep-*/study.db",
    "ranges of a search": "runs/sweep-*/trials/search.json",
    "trial's checkpoint": "runs/sweep-*/trials/*/checkpoints/*",
    "trial's journal": "runs/sweep-*/trials/*/journal.jsonl",
}
PREFECT_FILES = {"prefect.db": "prefect/prefect.db"}
SHORT = [
    ("checkpoint", "flip", 2),
    ("checkpoint", "truncate", 1),
    ("prepared data", "flip", 1),
    ("mlflow.db", "truncate", 1),
]

MakeTally = Callable[[str], Tally]


@pytest.fixture(scope="session")
def halfway(plain: Reference, tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Twin:
    """A training that was killed after its fourth epoch of five."""
    twin = fresh(PLAIN, tmp_path_factory.mktemp("halfway"), starter)
    return interrupted(plain, twin, "epoch-000004.")


@pytest.fixture(scope="session")
def halfway_sweep(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Twin:
    """A sweep that was killed in its trials."""
    twin = fresh(SWEEP, tmp_path_factory.mktemp("halfway-sweep"), starter)

    def begun() -> bool:
        return len(list(twin.home.glob("runs/sweep-*/trials/*/checkpoints/epoch-*"))) > 2

    assert kill_when(twin, begun, 0.0)
    return twin


@pytest.fixture(scope="session")
def halfway_alone(
    plain: Reference, tmp_path_factory: pytest.TempPathFactory, starter: Starter
) -> Twin:
    """A training that was killed in its epochs, with a Prefect server of its own."""
    twin = fresh(PLAIN, tmp_path_factory.mktemp("halfway-alone"), starter)
    alone = replace(twin, cold=True)
    assert kill_when(alone, lambda: bool(alone.records("epoch")), 0.0)
    assert left_processes(alone.folder) == []
    return alone


def damage_and_resume(
    reference: Reference, base: Twin, folder: Path, files: str, how: str, seeds: Iterable[int]
) -> Iterable[tuple[str, Callable[[], tuple[list[str], bool]]]]:
    """What was damaged, and a call that resumes it; each in a copy of an output folder."""
    for seed in seeds:
        chance = random.Random(f"{files} {how} {seed}")
        twin = copied(base, folder / f"{seed}")
        file = chance.choice(sorted(path for path in twin.home.glob(files) if path.is_file()))
        done = KINDS[how](file, chance)
        yield (
            f"{file.relative_to(twin.home)}: {done}",
            lambda twin=twin, file=file: mended(reference, twin, file),
        )


@pytest.mark.parametrize(("kind", "how", "count"), SHORT)
def test_damage_to_a_file_of_an_unfinished_run(
    plain: Reference,
    halfway: Twin,
    tmp_path: Path,
    tally: MakeTally,
    kind: str,
    how: str,
    count: int,
) -> None:
    counts = tally(f"{how} of {kind}")
    for what, resume in damage_and_resume(plain, halfway, tmp_path, FILES[kind], how, range(count)):
        counts.attempt(what, resume)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("kind", FILES)
def test_damage_to_each_kind_of_file_of_an_unfinished_run(
    plain: Reference, halfway: Twin, tmp_path: Path, tally: MakeTally, kind: str, how: str
) -> None:
    count = FLIPS if how == "flip" else OTHERS
    test_damage_to_a_file_of_an_unfinished_run(plain, halfway, tmp_path, tally, kind, how, count)


@pytest.mark.faults
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("kind", SWEEP_FILES)
def test_damage_to_each_kind_of_file_of_an_unfinished_sweep(
    sweep: Reference, halfway_sweep: Twin, tmp_path: Path, tally: MakeTally, kind: str, how: str
) -> None:
    seeds = range(SLOW_FLIPS if how == "flip" else SLOW_OTHERS)
    counts = tally(f"{how} of {kind}")
    cases = damage_and_resume(sweep, halfway_sweep, tmp_path, SWEEP_FILES[kind], how, seeds)
    for what, resume in cases:
        counts.attempt(what, resume)
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("kind", PREFECT_FILES)
def test_damage_to_the_database_of_prefects_server(
    plain: Reference, halfway_alone: Twin, tmp_path: Path, tally: MakeTally, kind: str, how: str
) -> None:
    seeds = range(SLOW_FLIPS if how == "flip" else SLOW_OTHERS)
    counts = tally(f"{how} of {kind}")
    cases = damage_and_resume(plain, halfway_alone, tmp_path, PREFECT_FILES[kind], how, seeds)
    for what, resume in cases:
        counts.attempt(what, resume)
    counts.check()
