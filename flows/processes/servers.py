"""Prefect's server and MLflow's pages, as processes that end with this one.

They listen on loopback, unless `rnnkit up --host` says otherwise.

Starting a server takes about as long as importing everything else, so it is started first and
waited for last. Each asks for the token of the output folder: see `protection`.
"""

import contextlib
import errno
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from flows.processes.access_token import HOME_VARIABLE, authorization, login_of
from flows.processes.prefect_database import set_aside_damaged
from flows.processes.protection import HOSTS, NAMES_VARIABLE
from flows.settings import Settings, without_secrets
from rnnkit.errors import InputError
from rnnkit.runtime import files

START_SECONDS = 120  # seconds a server may take on a busy machine
IDLE_SECONDS = 30  # seconds without any CPU time after which a server is not starting any more
MAX_REASON = 200  # characters of a server's last line
GRACE_SECONDS = 3  # seconds a server that ends waits for open connections
HOST, HEALTH = "127.0.0.1", "/health"
PROXIED_VARIABLE = "RNNKIT_SERVE_ARTIFACTS"
"""Set for MLflow's server where clients on other machines send it their artifacts."""
ANY = "0.0.0.0"
"""All addresses of this machine."""
HEADERS = "PREFECT_CLIENT_CUSTOM_HEADERS"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses without the proxies of the environment."""
_RECORD = "servers.json"
PAGES = "http://127.0.0.1:5000"
"""MLflow's pages by default of `rnnkit up`."""

OTHER_PREFECT: Mapping[str, None] = dict.fromkeys(
    ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_SERVER_API_BASE_PATH")
)
OTHER_MLFLOW: Mapping[str, None] = dict.fromkeys(
    (
        "MLFLOW_ARTIFACTS_ONLY",
        "MLFLOW_GUNICORN_OPTS",
        "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        "MLFLOW_REGISTRY_STORE_URI",
        "MLFLOW_SERVER_ALLOWED_HOSTS",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
        "MLFLOW_STATIC_PREFIX",
        "MLFLOW_UVICORN_OPTS",
    )
)
"""Variables of the user's own servers, which would move or change those that are started here."""
FOR_A_COMMAND: Mapping[str, str] = {
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "false",  # no page reaches it without the token
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",  # its database gets them with the pages
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # which imports all of Prefect's plugins
}
"""Variables of a server without pages: what only they need is left out, half a second of CPU."""


class ServerFailed(RuntimeError):
    """A server did not start."""


@dataclass(frozen=True)
class Interface:
    """Where servers listen.

    Args:
        host: an address or a name of this machine; `ANY`: all of them.
        names: further names and addresses under which requests may reach it.
    """

    host: str = HOST
    names: tuple[str, ...] = ()

    def url(self, port: int) -> str:
        """An address under which this machine reaches a server."""
        return f"http://{HOST if self.host == ANY else self.host}:{port}"

    @property
    def is_remote(self) -> bool:
        """Whether other machines may reach it."""
        return self.host != HOST

    @property
    def further(self) -> tuple[str, ...]:
        """Names and addresses beside those of loopback under which requests may reach it."""
        return (*(() if self.host in (ANY, HOST) else (self.host,)), *self.names)

    @property
    def variables(self) -> dict[str, str]:
        """What their processes read."""
        return {NAMES_VARIABLE: ",".join(self.further)}

    @property
    def mlflow_variables(self) -> dict[str, str]:
        """What MLflow's own check of hosts and origins and its store of artifacts read."""
        if not self.is_remote:
            return {}
        names = [f"{name}{port}" for name in (*HOSTS, *self.further) for port in ("", ":*")]
        origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in names]
        return {
            PROXIED_VARIABLE: "1",
            "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(names),
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(origins),
        }


LOOPBACK = Interface()


class Server:
    """A server process of an output folder.

    Args:
        command: what to run, as arguments of this Python.
        url: its address; HEALTH below it answers when the server is ready.
        environment: variables beside this process's own; None: without this one.
        before: called before it starts, while no other one of its kind is starting.
    """

    def __init__(
        self,
        name: str,
        home: Path,
        command: list[str],
        url: str,
        log: Path,
        environment: Mapping[str, str | None],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.url, self._home, self._log = name, url, home, log
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            # Two servers that start at once would both make the tables of one new database.
            self._turn = log.with_suffix(".turn").open("a")
            output = log.open("ab")
            self._log_begin = log.stat().st_size
        except OSError as error:
            raise InputError(f"{log.parent}: cannot be written: {error.strerror}") from None
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        before()
        variables = {**os.environ, HOME_VARIABLE: str(home), **environment}
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

    @property
    def url_with_login(self) -> str:
        """Its address as other output folders and other tools may use it, with the token."""
        return self.url.replace("://", f"://{login_of(self._home)}@")

    def _see_it_start(self) -> None:
        """Releases the start-up lock once the server answers, or is stopped and never will; runs
        in a thread."""
        used, last = 0.0, time.monotonic()
        until = last + START_SECONDS
        while time.monotonic() < min(until, last + IDLE_SECONDS) and self.process.poll() is None:
            if answers(self.url + HEALTH, login_of(self._home)):
                self._is_ready = True
                break
            if (seconds := self._cpu_seconds()) > used:
                used, last = seconds, time.monotonic()
            time.sleep(0.1)
        self._turn.close()

    def _cpu_seconds(self) -> float:
        try:
            return sum(psutil.Process(self.process.pid).cpu_times()[:2])  # user and system
        except psutil.NoSuchProcess:
            return 0.0

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
    return _prefect(settings, free_port(), LOOPBACK, FOR_A_COMMAND)


def prefect_with_pages(settings: Settings, port: int, at: Interface = LOOPBACK) -> Server:
    """Prefect's API, pages and schedules."""
    variables = {"PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": at.url(port)}
    return _prefect(settings, port, at, {**variables, "PREFECT_UI_API_URL": "/api"})


def _prefect(settings: Settings, port: int, at: Interface, variables: Mapping[str, str]) -> Server:
    database = settings.home / "prefect" / "prefect.db"
    return Server(
        "Prefect's server",
        settings.home,
        _uvicorn("flows.processes.prefect_server", port, at),
        f"{at.url(port)}/api",
        settings.home / "prefect" / "server.log",
        {**OTHER_PREFECT, **at.variables, **variables},
        partial(set_aside_damaged, database),
    )


def mlflow_pages(settings: Settings, port: int, at: Interface = LOOPBACK) -> Server:
    """MLflow's pages over the tracking database."""
    return Server(
        "MLflow's server",
        settings.home,
        _uvicorn("flows.tracking.mlflow_server", port, at),
        at.url(port),
        settings.home / "mlflow-server.log",
        {
            **OTHER_MLFLOW,
            **at.variables,
            **at.mlflow_variables,
            "MLFLOW_LOGGING_LEVEL": "WARNING",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes for language models
        },
    )


def _uvicorn(module: str, port: int, at: Interface) -> list[str]:
    """Arguments of Python that serve the app which a module's function `app` makes."""
    options = f"--host {at.host} --port {port} --lifespan on --no-proxy-headers --log-level error"
    grace = f"--timeout-graceful-shutdown {GRACE_SECONDS}"
    return ["uvicorn", *options.split(), *grace.split(), "--factory", f"{module}:app"]


def use_prefect(address: str, settings: Settings) -> None:
    """Sets the variables in which Prefect's clients look for the API's address and its login.

    A server of the output folder takes its token, another one the login in the settings' address.
    """
    os.environ["PREFECT_API_URL"] = address
    is_here = address != settings.prefect or address == _record(settings).get("prefect")
    login = login_of(settings.home) if is_here else settings.prefect_login
    if login is not None:
        headers = {"Authorization": authorization(login)}
        with contextlib.suppress(KeyError, ValueError):
            headers = {**json.loads(os.environ[HEADERS]), **headers}
        os.environ[HEADERS] = json.dumps(headers)  # of websockets, too
        os.environ["PREFECT_API_AUTH_STRING"] = login


def tracking_login(settings: Settings) -> str | None:
    """The login of MLflow's tracking server, `user:password`; the token where `rnnkit up` of the
    same output folder is that server."""
    if settings.tracking == _record(settings).get("mlflow"):
        return login_of(settings.home)
    return settings.tracking_login


def pages_address(settings: Settings) -> str:
    """Where MLflow's pages are: those of the tracking server, of `rnnkit up` where it runs, else
    where it will be by default."""
    if settings.tracking.startswith(("http://", "https://")):
        return without_secrets(settings.tracking).rstrip("/")
    return str(announced(settings).get("mlflow", PAGES))


def announce(settings: Settings, prefect: str, mlflow: str) -> None:
    """Lets later commands find the servers of `rnnkit up`."""
    record = {"pid": os.getpid(), "prefect": prefect, "mlflow": mlflow}
    files.write_atomic(settings.home / _RECORD, json.dumps(record))


def withdraw(settings: Settings) -> None:
    """Removes what `announce` wrote."""
    (settings.home / _RECORD).unlink(missing_ok=True)


def announced(settings: Settings) -> dict[str, Any]:
    """The addresses of a running `rnnkit up`, `prefect` and `mlflow`; empty if none runs."""
    record = _record(settings)
    try:
        alive = psutil.pid_exists(record["pid"])
        health = record["prefect"] + HEALTH
    except (KeyError, TypeError):
        return {}
    return record if alive and answers(health, login_of(settings.home)) else {}


def _record(settings: Settings) -> dict[str, Any]:
    """What `announce` wrote; empty if there is nothing."""
    try:
        record = json.loads((settings.home / _RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def answers(url: str, login: str) -> bool:
    """Whether something answers at an address of this machine.

    Args:
        login: `user:password`.
    """
    request = urllib.request.Request(url, headers={"Authorization": authorization(login)})
    try:
        with DIRECT.open(request, timeout=2):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a port of one of this machine's addresses is free.

    Raises:
        InputError: the address is not this machine's.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
                raise InputError(
                    f"--host {host}: is no address of this machine; give one of its own, or "
                    f"{ANY} for all"
                ) from None
            return False
        return True
