"""Servers that two commands start at the same instant in one new folder."""

import threading
from pathlib import Path

from flows import servers
from flows import settings as places


def test_they_start_one_after_the_other(tmp_path: Path) -> None:
    """Both would make the tables of one new database, and one would fail."""
    settings = places.read(tmp_path / "mlruns")
    started: list[servers.Server] = []

    def start() -> None:
        server = servers.prefect_for_a_command(settings)
        server.wait("/health")
        started.append(server)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in started:
        server.stop()
    assert len(started) == 2
