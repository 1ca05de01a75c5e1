"""Where things are: not part of an experiment, so not in its params."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from rnnkit.errors import InputError
from rnnkit.runtime import files
from rnnkit.runtime.secrets import remember
from rnnkit.runtime.secrets import without_secrets as without_secrets
from rnnkit.runtime.unfinished import remove_unfinished

TEXT = """\
# Where things are. null is local, in this folder. The tools' own environment variables
# (MLFLOW_TRACKING_URI, PREFECT_API_URL, OPTUNA_STORAGE) come first.
tracking: null   # MLflow: address of a tracking server or database
prefect: null    # Prefect: address of an API; null: `rnnkit up` if it runs, else one per command
study: null      # Optuna: address of a database; null: a SQLite file in each run's folder
runner: process  # where a sweep's workers run: process, dask or ray
cluster: null    # address of the Dask or Ray cluster; null: one of its own on this machine
"""
RUNNERS = ("process", "dask", "ray")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts of this machine: no request to them goes through a proxy."""

PREFECT_DATABASE = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
"""Variables with the address of Prefect's database; the second is the older name."""


@dataclass(frozen=True)
class Settings:
    """The output folder and the addresses in its settings.yaml."""

    home: Path
    tracking: str
    prefect: str | None
    study: str | None
    runner: str
    cluster: str | None
    tracking_login: str | None = field(default=None, repr=False)
    """`user:password` for MLflow's tracking server."""
    prefect_login: str | None = field(default=None, repr=False)
    """`user:password` for Prefect's API."""

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.home / "runs"

    @property
    def comparisons(self) -> Path:
        """One folder per comparison."""
        return self.home / "comparisons"

    @property
    def artifacts(self) -> Path:
        """Where a local MLflow keeps its artifacts."""
        return self.home / "artifacts"


def read(home: Path) -> Settings:
    """Reads the settings of an output folder, and makes it with local defaults at first use.

    From here on, what this process and its children write is for this user only.

    Raises:
        InputError: the folder cannot be written, or settings.yaml has an unknown key or a value
            that is no text.
    """
    from rnnkit.params.tree import read as read_tree

    os.umask(0o077)
    home = home.resolve()
    file = home / "settings.yaml"
    try:
        if not file.exists():
            home.mkdir(parents=True, exist_ok=True)
            remove_unfinished(home)  # of a process that was killed
            files.write_atomic(file, TEXT)
    except OSError as error:
        raise InputError(f"--mlruns {home}: cannot be written: {error.strerror}") from None
    with suppress(OSError):  # a read-only file system
        if file.stat().st_uid == os.geteuid():  # not another user's
            file.chmod(0o600)  # it may hold passwords
    tree = read_tree(file, instead="delete it to get the defaults back")
    known = ("tracking", "prefect", "study", "runner", "cluster")
    for key, value in tree.values.items():
        if key not in known or not isinstance(value, str | None):
            here = tree.place((key,))
            raise InputError(f"{here}: {key}: there are {', '.join(known)}, an address or null")
    values = tree.values
    runner, cluster = values.get("runner") or "process", values.get("cluster")
    if runner not in RUNNERS:
        here = tree.place(("runner",))
        raise InputError(f"{here}: runner must be one of {', '.join(RUNNERS)}, got {runner!r}")
    if cluster and runner == "process":
        here = tree.place(("cluster",))
        raise InputError(f"{here}: cluster: only dask and ray have one; write runner: dask or ray")
    tracking = os.environ.get("MLFLOW_TRACKING_URI") or values.get("tracking")
    prefect = os.environ.get("PREFECT_API_URL") or values.get("prefect")
    study = os.environ.get("OPTUNA_STORAGE") or values.get("study")
    for key, address in (("tracking", tracking), ("prefect", prefect), ("study", study)):
        _check_address(key, address or "")
        remember(address or "")
    tracking, tracking_login = _split_login(tracking)
    prefect, prefect_login = _split_login(prefect)
    return Settings(
        home=home,
        tracking=tracking or sqlite_address(home / "mlflow.db"),
        prefect=prefect,
        study=study,
        runner=runner,
        cluster=cluster,
        tracking_login=tracking_login,
        prefect_login=prefect_login,
    )


def sqlite_address(file: Path, driver: str = "sqlite") -> str:
    """The address of an SQLite file. A `?` would end its path, so such a path is quoted as a URI's.

    >>> sqlite_address(Path("/runs/study.db"))
    'sqlite:////runs/study.db'
    >>> sqlite_address(Path("/why?/study.db"))
    'sqlite:///file:/why%3F/study.db?uri=true'
    """
    path = str(file)
    return f"{driver}:///" + (f"file:{quote(path)}?uri=true" if "?" in path else path)


def _check_address(key: str, address: str) -> None:
    """Refuses an address whose password cannot be told from its path; the password is not shown.

    >>> _check_address("study", "postgresql://anna:se/cret@host/runs")
    Traceback (most recent call last):
    rnnkit.errors.InputError: study: its address has no port before the first /; ...
    """
    server, _, path = address.partition("://")[2].partition("/")
    port = server.rpartition(":")[2] if ":" in server and not server.endswith("]") else "0"
    if "@" not in server and "@" in path and not port.isdecimal():
        raise InputError(
            f"{key}: its address has no port before the first /; in a password write %2F for /, "
            "%40 for @ and %3A for :"
        )
    try:
        urlsplit(address)
    except ValueError as error:
        raise InputError(f"{key}: {without_secrets(address)} is no address: {error}") from None


def _split_login(address: str | None) -> tuple[str | None, str | None]:
    """A server's address without its login, so that no library can quote it; and the login.

    >>> _split_login("http://anna:se%2Fcret@host:5000/api")
    ('http://host:5000/api', 'anna:se/cret')
    >>> _split_login("postgresql://anna:secret@host/runs")  # a database takes it in its address
    ('postgresql://anna:secret@host/runs', None)
    """
    if address is None or not address.startswith(("http://", "https://")):
        return address, None
    parts = urlsplit(address)
    login, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=host).geturl(), unquote(login) if at else None


def apply(settings: Settings) -> None:
    """Sets what Prefect and MLflow read when they are imported; a variable that is set stays, and
    to the hosts without a proxy those of this machine are added."""
    defaults = {
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # the command prints failures in one line
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # the command starts its own: servers.py
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # by default a server that is down is
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",  # waited for longer than some trainings take
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # that is for the run's own result
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MPLCONFIGDIR": str(settings.home / "matplotlib"),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if (auth := os.environ.get("PREFECT_SERVER_API_AUTH_STRING")) is not None:
        os.environ.setdefault("PREFECT_API_AUTH_STRING", auth)  # the client's, for that server
    if "?" in os.environ["PREFECT_HOME"] and not any(map(os.environ.get, PREFECT_DATABASE)):
        database = Path(os.environ["PREFECT_HOME"]) / "prefect.db"
        os.environ[PREFECT_DATABASE[0]] = sqlite_address(database, "sqlite+aiosqlite")
    exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if exempt.strip() != "*":  # no proxy at all
        hosts = dict.fromkeys(host for host in map(str.strip, exempt.split(",")) if host)
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts | dict.fromkeys(LOOPBACK))
