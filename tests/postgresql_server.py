"""A PostgreSQL server of a test's own, from the system's packages."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgresql_server(databases: Sequence[str]) -> Iterator[str]:
    """Its address on loopback, before the name of a database; skips the test where it is absent.

    Args:
        databases: names of those that are made.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL's initdb is not installed")
    pytest.importorskip("psycopg", reason="PostgreSQL's client psycopg is not installed")
    programs = Path(initdb).resolve().parent
    user = "postgres" if os.getuid() == 0 else ""  # PostgreSQL refuses to run as root
    place = Path(tempfile.mkdtemp())  # pytest's own folders are closed to another user
    if user:
        shutil.chown(place, user)
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
        call("pg_ctl", "-D", str(place / "data"), "-m", "immediate", "stop")
        shutil.rmtree(place)
