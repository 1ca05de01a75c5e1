"""The servers of `rnnkit up` and of a run: who is refused, and who is not.

Refused are foreign pages, other users of the machine and whoever else lacks the output folder's
token; a browser that `up` opens and rnnkit's own commands are not.
"""

import http.client
import json
import re
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import CHROMIUM, opened
from command import RNNKIT, ROOT, SMALL, called, environment, flow_runs

from flows.processes import servers
from flows.processes.access_token import authorization, login_of, opening_address, read_token

MLFLOW = (
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/ajax-api/2.0/mlflow/experiments/search?max_results=5"),
    ("POST", "/api/2.0/mlflow/experiments/create"),
    ("POST", "/ajax-api/2.0/mlflow/experiments/create"),
)
PREFECT = (
    ("GET", "/api/health"),
    ("GET", "/api/admin/settings"),
    ("POST", "/api/flows/"),
    ("POST", "/api/flow_runs/filter"),
)


SHOWN = (r"Recent Experiments[^$]*Default", "Flow Runs|Run a task or flow to get started")
"""What the pages of MLflow and Prefect show once their servers have answered them."""


class Up:
    """A running `rnnkit up`, started with `--open`, and the addresses that the browser got."""

    def __init__(self, folder: Path) -> None:
        self.home, opened = folder / "mlruns", folder / "opened"
        browser = folder / "browser"
        browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
        browser.chmod(0o700)
        ports = [f"--mlflow-port={servers.free_port()}", f"--prefect-port={servers.free_port()}"]
        self.process = subprocess.Popen(
            [*RNNKIT, "up", "--open", "--mlruns", str(self.home), *ports],
            cwd=ROOT,
            env=environment(BROWSER=str(browser)),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        self.printed = "".join(lines)
        self.opened = opened.read_text().split()
        record = json.loads((self.home / "servers.json").read_text())
        self.mlflow: str = record["mlflow"]
        self.prefect: str = record["prefect"]

    def ask_prefect(self, path: str, body: Mapping[str, Any]) -> Any:
        """Prefect's answer to a request with the token."""
        login = {"Authorization": authorization(login_of(self.home))}
        request = urllib.request.Request(
            f"{self.prefect}/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **login},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("up"))
    try:
        yield started
    finally:
        started.process.send_signal(signal.SIGINT)
        started.process.communicate(timeout=60)


def status(address: str, method: str, path: str, headers: Mapping[str, str]) -> int:
    """The status of an answer to a request with JSON."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc.rpartition("@")[2], timeout=30)
    body = json.dumps({"name": uuid.uuid4().hex}) if method == "POST" else None
    kind = {"Content-Type": "application/json"} if body else {}
    with closing(connection):
        connection.request(method, path, body, {**kind, **headers})
        return connection.getresponse().status


def refusals(address: str, token: str, requests: tuple[tuple[str, str], ...]) -> list[str]:
    """Requests that should be refused and are not; and that should not and are."""
    server, known = urlsplit(address), {"Authorization": authorization(f"rnnkit:{token}")}
    port = server.port
    foreign: list[tuple[dict[str, str], int]] = [
        ({**known, "Host": f"attacker.example:{port}"}, 400),
        ({**known, "Host": "attacker.example"}, 400),
        ({"Host": f"10.attacker.example:{port}"}, 400),
        ({**known, "Origin": "http://attacker.example"}, 403),
        ({**known, "Origin": "http://localhost:8888"}, 403),
        ({**known, "Origin": "null"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({}, 401),
        ({"Authorization": f"Bearer {'0' * 64}"}, 401),
        ({"Authorization": authorization("rnnkit:")}, 401),
        ({"Cookie": f"rnnkit={token}"}, 401),
    ]
    wrong = [
        f"{method} {path} with {headers}: {got}"
        for method, path in requests
        for headers, expected in foreign
        if (got := status(address, method, path, headers)) != expected
    ]
    return wrong + [
        f"{method} {path} with the token: {got}"
        for method, path in requests
        if (got := status(address, method, path, known)) >= 400
    ]


def test_the_servers_of_up_refuse_everyone_without_the_token(up: Up) -> None:
    token = read_token(up.home)
    assert refusals(up.mlflow, token, MLFLOW[:-1]) == []
    assert refusals(up.prefect, token, (("GET", "/"), *PREFECT)) == []


def test_the_server_of_a_run_refuses_everyone_without_the_token(prefect_api: str) -> None:
    token = urlsplit(prefect_api).password
    assert token is not None
    assert refusals(prefect_api, token, PREFECT) == []


def test_commands_send_the_token_or_the_login_of_their_settings(up: Up, tmp_path: Path) -> None:
    """A run in the same output folder, and one in another that has both addresses."""
    params = tmp_path / "small.yaml"
    params.write_text(SMALL)
    login, other = login_of(up.home), tmp_path / "mlruns"
    other.mkdir()
    (other / "settings.yaml").write_text(
        "".join(
            f"{key}: {address.replace('://', f'://{login}@')}\n"
            for key, address in (("tracking", up.mlflow), ("prefect", up.prefect))
        )
    )
    for home in (up.home, other):
        ran = called(*RNNKIT, "run", params, "--mlruns", home)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
        assert "rnnkit sync" not in ran.stdout
        assert read_token(up.home) not in ran.stdout
    assert not (other / "mlflow.db").exists()
    states = [run["state_type"] for run in flow_runs(up.prefect.replace("://", f"://{login}@"))]
    assert states.count("COMPLETED") == 2
    again = called(*RNNKIT, "up", "--mlruns", up.home)
    assert all(line.split()[-1] in again.stdout for line in up.printed.splitlines()[1:3])
    pages = re.escape(f"{opening_address(up.home, up.mlflow)}#/experiments/")
    assert re.search(rf"runs of small  {pages}\d+/runs\?", again.stdout)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
@pytest.mark.parametrize("number", [0, 1], ids=["MLflow", "Prefect"])
def test_a_browser_that_up_opens_shows_both_pages(up: Up, tmp_path: Path, number: int) -> None:
    assert read_token(up.home) not in "".join(up.opened)  # every user sees a browser's arguments
    with opened(up.opened[number], tmp_path) as tab:
        assert tab.shows(SHOWN[number])
        assert read_token(up.home) not in tab.evaluate("document.cookie")  # no script reads it
        other = (up.prefect.removesuffix("/api"), up.mlflow)[number]
        tab.evaluate(f"location.href = '{other}'")  # a link from one to the other
        assert tab.shows(SHOWN[1 - number])


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
def test_a_browser_that_has_the_token_sends_nothing_for_a_foreign_page(
    up: Up, tmp_path: Path
) -> None:
    """The page of another server, under another name of this machine, and on another port."""
    pages = up.prefect.removesuffix("/api")
    send = "method: 'POST', mode: 'no-cors', credentials: 'include'"
    body = """new Blob(['{"name": "forged"}'])"""  # without a type, which Prefect reads as JSON
    forge = f"fetch('{pages}/api/flows/', {{{send}, body: {body}}})"
    with opened(opening_address(up.home, pages), tmp_path) as tab:
        assert tab.shows(SHOWN[1])
        for foreign in (pages.replace("127.0.0.1", "localhost"), up.mlflow):
            tab.evaluate(f"location.href = '{foreign}'")
            until = time.monotonic() + 60
            while not str(tab.evaluate("location.href")).startswith(foreign):
                assert time.monotonic() < until
                time.sleep(0.1)
            assert tab.evaluate(f"{forge}.then(() => 'sent')") == "sent"
    assert "forged" not in {flow["name"] for flow in up.ask_prefect("flows/filter", {})}
