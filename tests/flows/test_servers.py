"""A server that starts in a folder keeps others from starting there until it answers.

What becomes of one that does not start, or ends.
"""

import fcntl
import signal
import threading
import time
from pathlib import Path

import pytest

from flows import settings as places
from flows.cli.tracking import up
from flows.launcher import Failure, prefect
from flows.processes import servers
from flows.processes.access_token import login_of
from rnnkit.errors import InputError


def taken(turn: Path) -> bool:
    with turn.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_one_at_a_time_makes_the_tables_of_a_new_database(tmp_path: Path) -> None:
    settings = places.read(tmp_path / "mlruns")
    server = servers.prefect_for_a_command(settings)
    turn = settings.home / "prefect" / "server.turn"
    try:
        assert taken(turn)
        server.wait()
        assert not taken(turn)
    finally:
        server.stop()


def test_whoever_starts_a_server_and_is_busy_keeps_nobody_waiting(tmp_path: Path) -> None:
    server = servers.prefect_for_a_command(places.read(tmp_path / "mlruns"))
    until = time.monotonic() + servers.START_SECONDS
    try:
        while taken(tmp_path / "mlruns" / "prefect" / "server.turn"):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert servers.answers(f"{server.url}/health", login_of(tmp_path / "mlruns"))
    finally:
        server.stop()


def test_a_server_that_has_ended_meanwhile_is_not_ready(tmp_path: Path) -> None:
    server = servers.prefect_for_a_command(places.read(tmp_path / "mlruns"))
    server.wait()
    server.process.kill()
    server.process.wait()
    with pytest.raises(servers.ServerFailed, match="Prefect's server did not start"):
        server.wait()


def test_a_server_that_does_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "IDLE_SECONDS", 1)
    begin = time.monotonic()
    server = servers.prefect_for_a_command(places.read(tmp_path / "mlruns"))
    server.process.send_signal(signal.SIGSTOP)
    with pytest.raises(servers.ServerFailed, match="Prefect's server did not start"):
        server.wait()
    assert time.monotonic() - begin < servers.START_SECONDS / 2


def test_a_server_that_is_stopped_gives_its_turn_on(tmp_path: Path) -> None:
    settings = places.read(tmp_path / "mlruns")
    turn = settings.home / "prefect" / "server.turn"
    broken = servers.prefect_for_a_command(settings)
    broken.stop()
    assert not taken(turn)


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    server = servers.Server(
        "A server",
        tmp_path,
        ["json.tool", "nowhere.json"],
        "http://127.0.0.1:1",
        tmp_path / "log",
        {},
    )
    with pytest.raises(
        servers.ServerFailed, match=f"A server did not start; .* {tmp_path}/log; "
    ) as told:
        server.wait()
    assert "nowhere.json" in str(told.value)
    assert "nowhere.json" in (tmp_path / "log").read_text()


def test_up_ends_when_one_of_its_servers_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[servers.Server] = []
    (tmp_path / "health").touch()

    def file_server(*_: object) -> servers.Server:
        port = servers.free_port()
        server = servers.Server(
            "A server",
            tmp_path,
            ["http.server", str(port), "--bind", servers.HOST, "--directory", str(tmp_path)],
            f"http://{servers.HOST}:{port}",
            tmp_path / f"{port}.log",
            {},
        )
        started.append(server)
        return server

    def kill_one() -> None:
        while not (tmp_path / "servers.json").exists():
            time.sleep(0.05)
        started[0].process.kill()

    monkeypatch.setattr(servers, "mlflow_pages", file_server)
    monkeypatch.setattr(servers, "prefect_with_pages", file_server)
    monkeypatch.setattr(places, "apply", lambda _: None)  # else it would be for all tests
    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(Failure, match=f"a server has ended by itself; .* {tmp_path}$"):
        up(tmp_path, servers.free_port(), servers.free_port(), False)
    killer.join()
    assert all(server.process.poll() is not None for server in started)
    assert not (tmp_path / "servers.json").exists()


def test_an_output_folder_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = places.read(tmp_path / "mlruns")
    (settings.home / "prefect").touch()  # in the place of the server's folder
    monkeypatch.setattr(places, "apply", lambda _: None)  # else it would be for all tests
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    refusal = pytest.raises(InputError, match=r"/mlruns/prefect: cannot be written: File exists$")
    with refusal, prefect(settings):
        """It does not come to this."""
