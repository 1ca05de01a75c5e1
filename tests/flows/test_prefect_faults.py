"""A Prefect server that hangs or dies decides nothing: the run ends with the same result, in time.

Each command runs once with a server that works, its twin, and once with one that does not.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas
import psutil
import pytest
from command import RNNKIT, ROOT, SMALL, SWEEP, environment, flow_runs, prefect_server

from flows.pages.api_queue import WAIT_SECONDS
from flows.processes.servers import Server
from rnnkit.runs.run_folder import RunFolder

SLACK_SECONDS = 45
"""Differences between two runs of a busy machine. Waiting for Prefect's own engine took minutes."""
BLOCK = SMALL.replace("limit: 60", "limit: 20").replace("epochs: 3", "epochs: 15")
PARAMS = {
    "run": BLOCK,
    "tune": SWEEP.replace(SMALL, BLOCK).replace("trials: 4", "trials: 2")
    + "  sampler: {kind: random}\n  pruner: {kind: none}\n",
    "compare": f"{BLOCK}\nvariants:\n  gru: {{}}\n  rnn: {{model.cell.kind: rnn}}\n",
}
"""Verb -> params; a sweep and a comparison have two workers."""
SOME_SLOW = ["run", *(pytest.param(verb, marks=pytest.mark.slow) for verb in ("tune", "compare"))]
LACKING = "Prefect's pages lack this run or a part of it"


class Done:
    """A command that has ended, and what it has made.

    Args:
        during: called as soon as several epochs are done.
    """

    def __init__(
        self, folder: Path, verb: str, prefect: str, during: Callable[[], object] = lambda: None
    ) -> None:
        self.home, params = folder / "mlruns", folder / "small.yaml"
        params.write_text(PARAMS[verb])
        begin = time.monotonic()
        process = subprocess.Popen(
            [*RNNKIT, verb, str(params), "--mlruns", str(self.home)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(PREFECT_API_URL=prefect),
        )
        while process.poll() is None and self.epochs() < 5:
            time.sleep(0.05)
        assert process.poll() is None, "it ended before the fault"
        during()
        self.out, self.err = process.communicate(timeout=300)
        self.status, self.seconds = process.returncode, time.monotonic() - begin

    def epochs(self) -> int:
        """How many epochs its trainings have written."""
        journals = self.home.glob("runs/**/journal.jsonl")
        return sum(journal.read_text().count('"kind":"epoch"') for journal in journals)

    def made(self) -> dict[str, Any]:
        """Hashes and figures of what it has made, without what depends on the clock."""
        made: dict[str, Any] = {}
        for path in sorted(self.home.glob("runs/*")):
            assert RunFolder(path).status == "finished"
            result = json.loads((path / "result.json").read_text())
            made[path.name] = {key: value for key, value in result.items() if key != "seconds"}
            for name in ("model/weights.safetensors", "predictions.parquet"):
                made[f"{path.name}/{name}"] = sha256((path / name).read_bytes()).hexdigest()
        for path in self.home.glob("comparisons/*"):
            assert RunFolder(path).status == "finished"
            table = pandas.read_parquet(path / "comparison.parquet")
            made[path.name] = table.drop(columns=["seconds", "memory"]).to_json()
        return made


def compare(faulted: Done, twin: Done) -> None:
    """The same result, in the same time but for the wait at the end."""
    assert (faulted.status, faulted.err) == (0, "")
    assert faulted.made() == twin.made()
    assert faulted.seconds < twin.seconds + WAIT_SECONDS + SLACK_SECONDS


@pytest.fixture(scope="module")
def twin_of(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Callable[[str], Done]:
    """The same command, by its verb, with a server that works."""
    twins: dict[str, Done] = {}

    def find(verb: str) -> Done:
        if verb not in twins:
            twins[verb] = Done(tmp_path_factory.mktemp(verb), verb, prefect_api)
            assert (twins[verb].status, twins[verb].err) == (0, "")
            assert LACKING not in twins[verb].out
        return twins[verb]

    return find


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tests may stop; each lets it go on."""
    with prefect_server(tmp_path_factory.mktemp("stopped") / "mlruns") as running:
        yield running


@pytest.fixture
def silent_api() -> Iterator[str]:
    """The address of something that accepts connections and never answers."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    held.append(listener.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        listener.shutdown(socket.SHUT_RDWR)
    for connection, _ in held:
        connection.close()


def send(server: Server, name: str) -> None:
    """A signal to all processes of a server."""
    family = psutil.Process(server.process.pid)
    for process in [*family.children(recursive=True), family]:
        os.kill(process.pid, signal.Signals[name])


@pytest.mark.parametrize("verb", SOME_SLOW)
def test_an_api_that_never_answers_costs_no_result(
    tmp_path: Path, twin_of: Callable[[str], Done], silent_api: str, verb: str
) -> None:
    faulted = Done(tmp_path, verb, silent_api)
    compare(faulted, twin_of(verb))
    assert f"{LACKING}: its server has not answered for 10 seconds" in faulted.out


@pytest.mark.parametrize("verb", SOME_SLOW)
def test_a_server_that_hangs_in_the_middle_costs_no_result(
    tmp_path: Path, twin_of: Callable[[str], Done], server: Server, verb: str
) -> None:
    try:
        faulted = Done(tmp_path, verb, server.url_with_login, lambda: send(server, "SIGSTOP"))
    finally:
        send(server, "SIGCONT")
    compare(faulted, twin_of(verb))
    assert f"{LACKING}: its server has not answered for 10 seconds" in faulted.out


@pytest.mark.parametrize("verb", SOME_SLOW)
def test_a_server_that_is_killed_in_the_middle_costs_no_result(
    tmp_path: Path, twin_of: Callable[[str], Done], verb: str
) -> None:
    with prefect_server(tmp_path / "killed") as server:
        faulted = Done(tmp_path, verb, server.url_with_login, lambda: send(server, "SIGKILL"))
    compare(faulted, twin_of(verb))
    assert LACKING in faulted.out


def test_what_a_server_missed_is_sent_once_it_answers_again(tmp_path: Path, server: Server) -> None:
    def pause() -> None:
        send(server, "SIGSTOP")
        time.sleep(3)
        send(server, "SIGCONT")

    before = {run["id"] for run in flow_runs(server.url_with_login)}
    done = Done(tmp_path, "run", server.url_with_login, pause)
    assert (done.status, done.err) == (0, "")
    assert LACKING not in done.out
    (run,) = (run for run in flow_runs(server.url_with_login) if run["id"] not in before)
    assert run["name"].startswith("small-")  # the run's id
    assert run["state_name"] == "Completed"
