"""Dockerfile and compose.yaml: their commands, files and variables are those of the repository."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from command import environment

from flows import settings as places
from flows.cli import app

HOUSE = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
OURS = sorted(name for name, service in SERVICES.items() if service.get("image") == "rnnkit")
GIVEN = {"RNNKIT_TOKEN": "0123456789abcdef" * 2, "RNNKIT_PASSWORD": "p" * 32}
"""What whoever starts the services sets."""


def filled(text: str) -> str:
    """A value of compose.yaml with `${NAME}` and `${NAME:?message}` replaced."""
    return re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda name: GIVEN[name[1]], text)


def variables(service: str) -> dict[str, str]:
    return {name: filled(value) for name, value in SERVICES[service]["environment"].items()}


def test_pages_and_worker_are_made_of_the_dockerfile() -> None:
    assert OURS == ["pages", "worker"]
    assert SERVICES["pages"]["build"] == "."


def test_every_volume_and_every_service_that_is_waited_for_is_there() -> None:
    for service in SERVICES.values():
        volumes = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert set(volumes) <= set(COMPOSE["volumes"])
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        for awaited, condition in service.get("depends_on", {}).items():
            needs_check = condition["condition"] == "service_healthy"
            assert not needs_check or "healthcheck" in SERVICES[awaited]


def test_the_command_of_pages_is_one_of_rnnkit() -> None:
    (entrypoint,) = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
    assert entrypoint == "rnnkit"
    verb, *arguments = SERVICES["pages"]["command"]
    root: Any = typer.main.get_command(app)
    context = root.commands[verb].make_context(verb, arguments)
    assert context.params["host"] == "0.0.0.0"
    published = [port.split(":") for port in SERVICES["pages"]["ports"]]
    served = [context.params["mlflow_port"], context.params["prefect_port"]]
    assert [int(port) for *_, port in published] == served
    assert {address for address, *_ in published} == {"127.0.0.1"}
    hosts = re.findall(r"https?://(?:[^@/]*@)?(\w+):", " ".join(variables("worker").values()))
    assert set(hosts) == set(context.params["name"])  # the worker's requests are answered


def test_the_command_of_the_worker_is_one_of_prefect() -> None:
    assert SERVICES["worker"]["entrypoint"] == ["prefect"]
    *verbs, _ = subcommand(SERVICES["worker"]["command"])
    options = [word for word in SERVICES["worker"]["command"] if word.startswith("--")]
    shown = subprocess.run(
        [sys.executable, "-m", "prefect", *verbs, "--help"],
        capture_output=True, text=True, timeout=300, check=True, env=environment(),
    )  # fmt: skip
    assert options
    assert [option for option in options if option not in shown.stdout] == []


def subcommand(command: list[str]) -> list[str]:
    """The words of a command before its options, and the first option."""
    first = next(k for k, word in enumerate(command) if word.startswith("-"))
    return command[: first + 1]


def test_the_pool_of_the_worker_is_that_of_the_deployments() -> None:
    command = SERVICES["worker"]["command"]
    pool = command[command.index("--pool") + 1]
    deployments = yaml.safe_load((HOUSE / "prefect.yaml").read_text())["deployments"]
    assert {deployment["work_pool"]["name"] for deployment in deployments} == {pool}


@pytest.mark.parametrize("service", OURS)
def test_the_variables_of_a_service_are_read(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = variables(service)
    for name in [*os.environ]:
        if name.startswith(("MLFLOW_", "PREFECT_", "OPTUNA_")):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = places.read(tmp_path)
    if service == "pages":
        assert settings.tracking == given["MLFLOW_TRACKING_URI"]
        assert (settings.prefect, settings.study) == (None, None)
    else:
        assert settings.tracking == "http://pages:5000"
        assert settings.tracking_login == f"rnnkit:{GIVEN['RNNKIT_TOKEN']}"
        assert settings.prefect == "http://pages:4200/api"
        assert settings.study == given["OPTUNA_STORAGE"]
        headers = json.loads(given["PREFECT_CLIENT_CUSTOM_HEADERS"])
        assert headers == {"Authorization": f"Bearer {GIVEN['RNNKIT_TOKEN']}"}


def test_the_databases_are_those_that_are_made() -> None:
    script = COMPOSE["configs"]["databases"]["content"]
    made = {*re.findall(r"CREATE DATABASE (\w+);", script)}
    made.add(SERVICES["database"]["environment"]["POSTGRES_DB"])
    addresses = [v for s in OURS for v in variables(s).values() if v.startswith("postgresql")]
    assert {address.rpartition("/")[2] for address in addresses} == made == {
        "mlflow", "prefect", "study",
    }  # fmt: skip
    login = f"rnnkit:{GIVEN['RNNKIT_PASSWORD']}@database"
    assert all(address.partition("://")[2].startswith(f"{login}/") for address in addresses)


def test_the_bucket_is_the_one_that_is_made() -> None:
    bucket = variables("pages")["MLFLOW_ARTIFACTS_DESTINATION"].removeprefix("s3://")
    assert f"mkdir -p /data/{bucket} " in SERVICES["store"]["entrypoint"][-1]
    keys = {name: variables("store")[f"MINIO_ROOT_{name}"] for name in ("USER", "PASSWORD")}
    assert variables("pages")["AWS_ACCESS_KEY_ID"] == keys["USER"]
    assert variables("pages")["AWS_SECRET_ACCESS_KEY"] == keys["PASSWORD"]


def test_the_image_has_the_files_and_extras_that_are_there() -> None:
    copied = re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)
    names = [name for line in copied for name in shlex.split(line)[:-1]]
    assert names
    assert [name for name in names if not (HOUSE / name).exists()] == []
    kept = (HOUSE / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in names} == {line for line in kept if line.startswith("!")}
    extras = re.findall(r"\.\[([\w,]+)\]", DOCKERFILE)[0].split(",")
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    wanted = re.findall(r"FROM python:(\S+?)-", DOCKERFILE)[0]
    assert project["requires-python"] == f">={wanted}"
