"""Prefect's server and MLflow's pages, on loopback, as processes that end with this one.

Starting a server takes about as long as importing everything else, so it is started first and
waited for last.
"""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from flows.settings import Settings
from rnnkit.errors import InputError
from rnnkit.runtime import files

START_SECONDS = 120  # seconds a server may take on a busy machine
MAX_REASON = 200  # characters of a server's last line
HOST, HEALTH = "127.0.0.1", "/health"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses without the proxies of the environment."""
_RECORD = "servers.json"

OTHER_PREFECT: Mapping[str, None] = {"PREFECT_SERVER_API_BASE_PATH": None}
OTHER_MLFLOW: Mapping[str, None] = dict.fromkeys(
    (
        "MLFLOW_ARTIFACTS_ONLY",
        "MLFLOW_GUNICORN_OPTS",
        "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        "MLFLOW_REGISTRY_STORE_URI",
        "MLFLOW_STATIC_PREFIX",
        "MLFLOW_UVICORN_OPTS",
    )
)
"""Variables of the user's own servers, which would move or change those that are started here."""


class ServerFailed(RuntimeError):
    """A server did not start."""


class Server:
    """A server process.

    Args:
        command: what to run, as arguments of this Python.
        url: its address; HEALTH below it answers when the server is ready.
        environment: variables beside this process's own; None: without this one.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        url: str,
        log: Path,
        environment: Mapping[str, str | None],
    ) -> None:
        self.name, self.url, self._log = name, url, log
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            # Two servers that start at once would both make the tables of one new database.
            self._turn = log.with_suffix(".turn").open("a")
            output = log.open("ab")
            self._log_begin = log.stat().st_size
        except OSError as error:
            raise InputError(f"{log.parent}: cannot be written: {error.strerror}") from None
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        variables = {**os.environ, **environment}
        with output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rnnkit.runtime.parent_process", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={name: value for name, value in variables.items() if value is not None},
                start_new_session=True,  # Ctrl-C is this process's to handle
            )
        self._is_ready = False
        self._start = threading.Thread(target=self._see_it_start, daemon=True)
        self._start.start()

    def _see_it_start(self) -> None:
        """Releases the start-up lock once the server answers; runs in a thread."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if answers(self.url + HEALTH):
                self._is_ready = True
                break
            time.sleep(0.1)
        self._turn.close()

    def wait(self) -> None:
        """Returns when the server answers; ServerFailed where it ended or did not in time."""
        self._start.join()
        if not self._is_ready or self.process.poll() is not None:
            self.stop()
            output = self._log.read_bytes()[self._log_begin :].decode(errors="replace")
            lines = [line.strip() for line in output.splitlines() if line.strip()]
            reason = f"; its last line: {lines[-1][:MAX_REASON]}" if lines else ""
            raise ServerFailed(f"{self.name} did not start; its output is in {self._log}{reason}")

    def stop(self) -> None:
        """Ends the server and what it started; what does not end when asked is killed."""
        self._turn.close()
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            server = psutil.Process(self.process.pid)
            family = [*server.children(recursive=True), server]
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    end(process)
            family = psutil.wait_procs(family, timeout=5)[1]
        self.process.wait()


def prefect_for_a_command(settings: Settings) -> Server:
    """Prefect's API for as long as this process lives, with neither pages nor schedules."""
    port = free_port()
    return Server(
        "Prefect's server",
        f"uvicorn --factory prefect.server.api.server:create_app --host {HOST} --port {port} "
        "--log-level error --lifespan on".split(),
        f"http://{HOST}:{port}/api",
        settings.home / "prefect" / "server.log",
        {**OTHER_PREFECT, "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"},
    )


def prefect_with_pages(settings: Settings, port: int) -> Server:
    """Prefect's API, pages and schedules."""
    return Server(
        "Prefect's server",
        ["prefect", "server", "start", "--host", HOST, "--port", str(port)],
        f"http://{HOST}:{port}/api",
        settings.home / "prefect" / "server.log",
        {
            **OTHER_PREFECT,
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port}",
            "PREFECT_UI_API_URL": f"http://{HOST}:{port}/api",
        },
    )


def mlflow_pages(settings: Settings, port: int) -> Server:
    """MLflow's pages over the tracking database."""
    return Server(
        "MLflow's server",
        [
            *f"mlflow server --host {HOST} --port {port} --workers 1 --serve-artifacts".split(),
            *("--default-artifact-root", str(settings.artifacts)),
            *("--artifacts-destination", str(settings.artifacts)),
            *("--allowed-hosts", f"{HOST}:{port},localhost:{port}"),
        ],
        f"http://{HOST}:{port}",
        settings.home / "mlflow-server.log",
        {
            **OTHER_MLFLOW,
            "MLFLOW_BACKEND_STORE_URI": settings.tracking,  # an argument is seen by everyone
            "MLFLOW_LOGGING_LEVEL": "WARNING",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes for language models
        },
    )


def announce(settings: Settings, prefect: str, mlflow: str) -> None:
    """Lets later commands find the servers of `rnnkit up`."""
    record = {"pid": os.getpid(), "prefect": prefect, "mlflow": mlflow}
    files.write_atomic(settings.home / _RECORD, json.dumps(record))


def withdraw(settings: Settings) -> None:
    """Removes what `announce` wrote."""
    (settings.home / _RECORD).unlink(missing_ok=True)


def announced(settings: Settings) -> dict[str, str]:
    """The addresses of a running `rnnkit up`, `prefect` and `mlflow`; empty if none runs."""
    try:
        record: dict[str, Any] = json.loads((settings.home / _RECORD).read_text())
        alive = psutil.pid_exists(record["pid"])
    except (OSError, ValueError, KeyError):
        return {}
    return record if alive and answers(record["prefect"] + HEALTH) else {}


def answers(url: str) -> bool:
    """Whether something answers at an address of this machine."""
    try:
        with DIRECT.open(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a port of loopback is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
