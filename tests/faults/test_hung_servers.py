"""Prefect's and MLflow's servers stopped, hung or killed while a training goes on.

The training's result does not depend on them, and what MLflow was not sent, `rnnkit sync` sends,
exactly once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from command import environment
from faults.experiments import LONG
from faults.harness import COMMAND_SECONDS, Reference, Twin, compare, fresh, reference
from faults.hung_server import hung_server
from faults.started import Starter, processes
from faults.tally import Tally

from flows.processes import servers

SHORT_SECONDS = 120.0
"""What a training of seconds may take whose servers hang; most of it is the command's imports."""
MAX_SLOWDOWN = 0.05
LEAST_SECONDS = 100.0
"""So long must a training take at least, for its slowdown to say something."""

MakeTwin = Callable[[Reference], Twin]
MakeTally = Callable[[str], Tally]


def sync_twice(twin: Twin) -> None:
    """Sends MLflow what it lacks; the second time there is nothing left."""
    for sent in (None, 0):
        ended = twin.start(verb=("sync",)).wait(COMMAND_SECONDS)
        assert (ended.status, ended.err) == (0, ""), ended
        assert sent is None or ended.out.startswith(f"{sent} sent "), ended.out


def outcome(reference: Reference, twin: Twin, limit: float) -> list[str]:
    """A command with its twin's variables to its end, then what MLflow lacks; what is wrong."""
    try:
        ended = twin.start().wait(limit)
        assert (ended.status, ended.untidy) == (0, []), ended
        sync_twice(replace(twin, cold=False, variables=None))
    except AssertionError as error:
        return [str(error)]
    return compare(reference, twin)


def test_hung_servers_change_nothing(plain: Reference, twin: MakeTwin, tally: MakeTally) -> None:
    """Prefect's and MLflow's at once."""
    counts = tally("hung servers")
    with hung_server() as url:
        variables = {"PREFECT_API_URL": f"{url}/api", "MLFLOW_TRACKING_URI": url}
        hung = replace(twin(plain), cold=True, variables=variables)
        counts.add(outcome(plain, hung, SHORT_SECONDS), "a short training")
    counts.check()


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory, starter: Starter) -> Reference:
    """An undisturbed training of two minutes, with a Prefect server of its own."""
    twin = fresh(LONG, tmp_path_factory.mktemp("long"), starter)
    done = reference(replace(twin, cold=True), is_counted=False)
    assert done.seconds > LEAST_SECONDS, f"{done.seconds} s are too short to measure a slowdown"
    return done


@pytest.mark.faults
@pytest.mark.parametrize("variable", ["PREFECT_API_URL", "MLFLOW_TRACKING_URI"])
def test_a_hung_server_costs_less_than_a_twentieth(
    long: Reference, twin: MakeTwin, tally: MakeTally, variable: str
) -> None:
    counts = tally(f"hung server: {variable}, two minutes")
    with hung_server() as url:
        address = f"{url}/api" if variable == "PREFECT_API_URL" else url
        hung = replace(twin(long), cold=True, variables={variable: address})
        counts.add(outcome(long, hung, long.seconds * (1 + MAX_SLOWDOWN)), "for the whole training")
    counts.check()


@contextmanager
def tracking_server(twin: Twin) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """An MLflow server over the output folder's own database, and its address."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *f"{sys.executable} -m mlflow server --host 127.0.0.1 --port {port} --workers 1".split(),
        *("--backend-store-uri", f"sqlite:///{twin.home / 'mlflow.db'}"),
        *("--artifacts-destination", str(twin.home / "artifacts"), "--serve-artifacts"),
    ]
    variables = environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", DO_NOT_TRACK="1")
    with (twin.folder / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env=variables, start_new_session=True
        )
    try:
        while not servers.answers(f"{url}/health", ""):
            assert server.poll() is None
            time.sleep(0.1)
        yield server, url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=lambda s: s.name)
def test_a_prefect_server_that_ends_or_stops_costs_less_than_a_twentieth(
    long: Reference, twin: MakeTwin, tally: MakeTally, number: signal.Signals
) -> None:
    """Its own server, after the first epoch."""
    counts = tally(f"Prefect's server, {number.name}")
    hit = replace(twin(long), cold=True)
    started = hit.start()
    while not hit.records("epoch"):
        assert started.poll() is None
        time.sleep(0.05)
    prefect = [p for p in processes(hit.folder) if "uvicorn" in " ".join(p.cmdline())]
    assert prefect
    for server in prefect:
        server.send_signal(number)
    try:
        ended = started.wait(long.seconds * (1 + MAX_SLOWDOWN))
        assert (ended.status, ended.untidy) == (0, []), ended
        wrong = compare(long, hit)
    except AssertionError as error:
        wrong = [str(error)]
    counts.add(wrong, "after the first epoch")
    counts.check()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=lambda s: s.name)
def test_a_tracking_server_that_ends_or_stops(
    plain: Reference, twin: MakeTwin, tally: MakeTally, number: signal.Signals
) -> None:
    """A real one, over the output folder's own database; the rows are complete after a sync."""
    counts = tally(f"MLflow's server, {number.name}")
    hit = twin(plain)
    with tracking_server(hit) as (server, url):
        started = replace(hit, variables={"MLFLOW_TRACKING_URI": url}).start()
        while not hit.records("step"):
            assert started.poll() is None
            time.sleep(0.002)
        os.killpg(server.pid, number)
        try:
            ended = started.wait(COMMAND_SECONDS)
            assert (ended.status, ended.untidy) == (0, []), ended
        except AssertionError as error:
            counts.add([str(error)], "during the training")
    if not counts.failed:
        with tracking_server(hit) as (_, url):
            sync_twice(replace(hit, variables={"MLFLOW_TRACKING_URI": url}))
        counts.add(compare(plain, hit), "during the training")
    counts.check()
