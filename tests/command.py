"""The command as a person's shell would start it, for tests that do, and what servers then hold."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.processes.servers import Server

from flows.processes.access_token import authorization

ROOT = Path(__file__).parents[1]
RNNKIT = [sys.executable, "-m", "flows.cli"]
SMALL = """
name: small
task: {kind: tagging}
data:
  source: {kind: builtin, name: python_tokens}
  tokenizer: {kind: characters}
  limit: 60
model:
  representation: {kind: embedding, size: 8}
  hidden: 8
train:
  epochs: 3
  batch_size: 16
  optimizer: {kind: adam, learning_rate: 1e-2}
  monitor: valid/loss
"""
"""An experiment that trains in a second."""
SWEEP = f"""{SMALL}
tune:
  trials: 4
  workers: 2
  search:
    train.clip: {{low: 0.5, high: 10, log: true}}
    model.depth: {{low: 1, high: 2}}
"""


def environment(**more: str) -> dict[str, str]:
    """This process's own, without addresses of servers that run elsewhere, and more."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
    return {**own, **more}


def called(
    *command: str | Path, timeout: float = 300, **more: str
) -> "subprocess.CompletedProcess[str]":
    """A command, started in the house, to its end.

    Args:
        more: variables beside this process's own.
    """
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment(**more),
    )


@contextmanager
def prefect_server(home: Path) -> Iterator["Server"]:
    """A Prefect server that answers, over an output folder of its own."""
    from flows import settings
    from flows.processes import servers

    where = settings.read(home)
    before, mask = dict(os.environ), os.umask(0o077)
    try:
        settings.apply(where)
        server = servers.prefect_for_a_command(where)
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.umask(mask)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def ask_prefect(api: str, path: str, body: Mapping[str, Any]) -> Any:
    """The answer of a Prefect server to a POST request.

    Args:
        api: its address, with its login.
    """
    login, _, server = api.removeprefix("http://").partition("@")
    request = urllib.request.Request(
        f"http://{server}/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": authorization(login)},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def flow_runs(api: str) -> list[dict[str, Any]]:
    """The newest flow runs that a Prefect server knows, up to 200.

    Args:
        api: its address, with its login.
    """
    found: list[dict[str, Any]] = ask_prefect(api, "flow_runs/filter", {"sort": "START_TIME_DESC"})
    return found
