"""`rnnkit up` as a user starts it: both servers answer, are announced, and end with it."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from flows.processes import servers
from flows.processes.access_token import login_of

pytestmark = pytest.mark.slow

UP = [sys.executable, "-m", "flows.cli", "up"]
PATIENCE = 2 * servers.START_SECONDS  # seconds; one server may take START_SECONDS


def ports() -> list[str]:
    return [f"--mlflow-port={servers.free_port()}", f"--prefect-port={servers.free_port()}"]


def announced(home, command: subprocess.Popen) -> dict:
    """The record that `up` writes once both servers answer."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and command.poll() is None:
        if (home / "servers.json").exists():
            return json.loads((home / "servers.json").read_text())
        time.sleep(0.2)
    raise AssertionError("up did not announce its servers")


@pytest.mark.parametrize(
    ("ending", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_both_servers_answer_are_found_and_end_with_the_command(tmp_path, ending, status):
    command = subprocess.Popen([*UP, "--mlruns", str(tmp_path), *ports()])
    family: list[psutil.Process] = []
    try:
        record = announced(tmp_path, command)
        family = psutil.Process(command.pid).children(recursive=True)
        assert len(family) >= 2
        for address in (record["mlflow"], record["prefect"]):
            assert servers.answers(f"{address}/health", login_of(tmp_path))

        again = subprocess.run(
            [*UP, "--mlruns", str(tmp_path)], capture_output=True, text=True, check=True
        )
        assert record["mlflow"] in again.stdout

        command.send_signal(ending)
        assert command.wait(timeout=60) == status
        left = psutil.wait_procs(family, timeout=5)[1]
        assert not left
        assert not (tmp_path / "servers.json").exists()
    finally:
        for process in [*family, *([command] if command.poll() is None else [])]:
            if process.is_running() if isinstance(process, psutil.Process) else True:
                process.kill()
        command.wait()


REFUSED = [
    (["--host", "a b"], "--host a b: must be a name or an IPv4 address, without port, as 0.0.0.0"),
    (["--host", "::1"], "--host ::1: must be a name or an IPv4 address, without port, as 0.0.0.0"),
    (
        ["--host", "0.0.0.0", "--name", "*.example"],
        "--name *.example: must be a name or an IPv4 address, without port, as 0.0.0.0",
    ),
    (
        ["--name", "pages"],
        "--name is for other machines, which reach none at 127.0.0.1; give --host",
    ),
    (
        ["--host", "192.0.2.1"],  # of no machine: it is for documentation
        "--host 192.0.2.1: is no address of this machine; give one of its own, or 0.0.0.0 for all",
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_where_no_server_can_listen_is_refused_in_one_line(tmp_path, options, message):
    command = [*UP, "--mlruns", str(tmp_path), *ports(), *options]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [f"rnnkit: {message}"]


def test_a_taken_port_is_refused_in_one_line(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = [f"--mlflow-port={port}", f"--prefect-port={servers.free_port()}"]
        command = [*UP, "--mlruns", str(tmp_path), *chosen]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"rnnkit: port {port} is taken; choose others with --mlflow-port and --prefect-port"
    ]
