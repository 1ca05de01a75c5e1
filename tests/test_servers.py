"""A server that starts in a folder keeps others from starting there until it answers."""

import fcntl
from pathlib import Path

from flows import servers
from flows import settings as places


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
        server.wait("/health")
        assert not taken(turn)
    finally:
        server.stop()
    broken = servers.prefect_for_a_command(settings)
    broken.stop()
    assert not taken(turn)
