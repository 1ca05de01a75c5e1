"""The starter, the undisturbed runs, and the table at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.experiments import COMPARISON, PLAIN, SWEEP
from faults.harness import Reference, Twin, fresh, reference
from faults.started import Starter, starting
from faults.tally import PROPERTY, Tally, table


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Iterator[Starter]:
    """Starts commands that share a Prefect server."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("faults are injected through /proc, which this system has not")
    with starting(tmp_path_factory.mktemp("starter"), prefect_api) as starter:
        yield starter


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Reference:
    """The undisturbed training."""
    return reference(fresh(PLAIN, tmp_path_factory.mktemp("plain"), starter))


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Reference:
    """The undisturbed sweep with two workers."""
    return reference(fresh(SWEEP, tmp_path_factory.mktemp("sweep"), starter))


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Reference:
    """The undisturbed comparison."""
    return reference(fresh(COMPARISON, tmp_path_factory.mktemp("compared"), starter))


@pytest.fixture
def twin(tmp_path: Path, starter: Starter) -> Callable[[Reference], Twin]:
    """Makes a twin of a reference in a new folder."""
    made: list[Twin] = []

    def make(reference: Reference) -> Twin:
        made.append(fresh(reference.twin.tiny, tmp_path / f"{len(made)}", starter))
        return made[-1]

    return make


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Tally]]:
    """Makes the counts of a kind of fault, for the table at the end; checks them at the test's."""
    made: list[Tally] = []

    def make(kind: str) -> Tally:
        made.append(Tally(kind))
        return made[-1]

    yield make
    request.node.user_properties.extend((PROPERTY, tally.counts) for tally in made)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, over all workers of a session."""
    reports = [r for group in terminalreporter.stats.values() for r in group]
    counts = [
        tuple(value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "teardown"
    ]
    for line in table(counts):
        terminalreporter.write_line(line)
