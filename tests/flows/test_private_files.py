"""What a command writes is for its user alone, and no password of an address is in it."""

import base64
import os
import stat
from pathlib import Path

import pytest
from command import RNNKIT, SMALL, SWEEP, called

from flows import settings as places
from flows.processes import servers
from flows.tracking import registry
from rnnkit.errors import InputError
from rnnkit.runtime import secrets

PASSWORD, ENCODED = "cor/rect:horse", "cor%2Frect%3Ahorse"
FORMS = (PASSWORD, ENCODED, base64.b64encode(f"anna:{PASSWORD}".encode()).decode().rstrip("="))
"""The forms in which the password may be written."""


def readable_by_others(folder: Path) -> list[str]:
    """Files and folders below a folder that another user may read, write or enter."""
    return [str(path) for path in folder.rglob("*") if path.lstat().st_mode & 0o077]


def with_password(folder: Path) -> list[Path]:
    """Files below a folder that hold the password, but for the settings."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "settings.yaml"]
    return [path for path in files if any(form.encode() in path.read_bytes() for form in FORMS)]


@pytest.fixture
def usual_umask() -> "object":
    """Gives the commands of a test the umask of most shells."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_a_run_with_a_tracking_server_that_is_down_and_its_password(
    tmp_path: Path, prefect_api: str
) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "small.yaml"
    params.write_text(SMALL)
    assert called(*RNNKIT, "check", params, "--mlruns", home).returncode == 0
    assert not readable_by_others(home)
    address = f"http://anna:{ENCODED}@{servers.HOST}:{servers.free_port()}"
    (home / "settings.yaml").write_text(f"tracking: {address}\n")
    (home / "settings.yaml").chmod(0o644)
    variables = {"PREFECT_API_URL": prefect_api, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    ran = called(*RNNKIT, "run", params, "--mlruns", home, **variables)
    assert ran.returncode == 0, ran.stderr
    assert "send the run with: rnnkit sync" in ran.stdout
    failed = [called(*RNNKIT, verb, "--mlruns", home, **variables) for verb in ("sync",)]
    failed.append(called(*RNNKIT, "register", "last", "--mlruns", home, **variables))
    for done in (ran, *failed):
        assert not any(form in done.stdout + done.stderr for form in FORMS)
    assert [done.returncode for done in failed] == [1, 1]
    assert not with_password(home)
    assert not readable_by_others(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize("key", ["tracking", "study"])
def test_a_database_that_cannot_be_opened_and_its_password(
    tmp_path: Path, prefect_api: str, key: str
) -> None:
    home, params = tmp_path / "mlruns", tmp_path / "sweep.yaml"
    params.write_text(SWEEP)
    home.mkdir()
    address = f"nosuch://anna:{ENCODED}@{servers.HOST}/runs?password={ENCODED}"
    (home / "settings.yaml").write_text(f"{key}: {address}\n")
    ran = called(*RNNKIT, "run", params, "--mlruns", home, PREFECT_API_URL=prefect_api)
    assert ran.returncode == (1 if key == "study" else 0)
    assert not any(form in ran.stdout + ran.stderr for form in FORMS)
    assert not with_password(home)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"http://anna:{PASSWORD}@host/", "in a password write %2F for /"),
        (f"postgresql://anna:{PASSWORD}@host/runs", "in a password write %2F for /"),
        (f"http://anna:{ENCODED}@[host", "is no address"),
    ],
)
@pytest.mark.parametrize("key", ["tracking", "prefect", "study"])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(
    tmp_path: Path, key: str, address: str, reason: str
) -> None:
    (tmp_path / "settings.yaml").write_text(f"{key}: {address!r}\n")
    with pytest.raises(InputError, match=f"^{key}: .*{reason}") as refusal:
        places.read(tmp_path)
    assert not any(form in str(refusal.value) for form in FORMS)


def test_the_login_of_a_server_is_not_in_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_remembered", set())
    monkeypatch.setenv("PREFECT_API_URL", f"https://anna:{ENCODED}@host/api")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://anna:{ENCODED}@host:5000")
    settings = places.read(tmp_path)
    assert (settings.prefect, settings.tracking) == ("https://host/api", "http://host:5000")
    assert settings.prefect_login == settings.tracking_login == f"anna:{PASSWORD}"
    assert PASSWORD not in repr(settings)
    assert places.without_secrets(f"{PASSWORD} is wrong") == "*** is wrong"


def test_one_output_folders_login_is_not_sent_to_the_server_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_login", None)
    name, password = registry.LOGIN
    monkeypatch.setenv(name, "users")
    monkeypatch.setenv(password, "own")
    registry._use_login(None)
    assert (os.environ[name], os.environ[password]) == ("users", "own")
    registry._use_login("anna:secret")
    assert (os.environ[name], os.environ[password]) == ("anna", "secret")
    registry._use_login(None)
    assert name not in os.environ
    assert password not in os.environ
