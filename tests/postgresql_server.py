"""A PostgreSQL server of a test's own, from the system's packages."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgresql_server(folder: Path, databases: Sequence[str]) -> Iterator[str]:
    """Its address on loopback, before the name of a database; skips the test where it is absent.

    Args:
        folder: where its files lie, a temporary one.
        databases: names of those that are made.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL's initdb is not installed")
    pytest.importorskip("psycopg", reason="PostgreSQL's client psycopg is not installed")
    programs, place = Path(initdb).resolve().parent, folder / "postgresql"
    place.mkdir(mode=0o700)
    user = "postgres" if os.getuid() == 0 else ""  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(place, user)
        for above in [folder, *folder.parents[:3]]:
            above.chmod(above.stat().st_mode | 0o011)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=user or None, cwd="/")

    call("initdb", "-D", str(place / "data"), "-A", "trust", "-U", "rnnkit")
    options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1"
    call(
        "pg_ctl", "-D", str(place / "data"), "-l", str(place / "log"), "-o", options, "-w", "start"
    )
    try:
        for name in databases:
            call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "rnnkit", name)
        yield f"postgresql+psycopg://rnnkit@127.0.0.1:{port}"
    finally:
        call("pg_ctl", "-D", str(place / "data"), "-m", "fast", "stop")
