"""Pages, database and store as compose.yaml has them, as processes on loopback.

`rnnkit up` listens on another address of loopback than its default, as on another machine.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, opened
from command import RNNKIT, ROOT, SWEEP, environment, flow_runs
from postgresql_server import postgresql_server

from flows.processes import servers
from flows.processes.access_token import authorization
from rnnkit.runs.model_folder import WEIGHTS

pytestmark = pytest.mark.slow

HOST = "127.0.0.2"
TOKEN = "0123456789abcdef" * 4
KEYS = {"AWS_ACCESS_KEY_ID": "rnnkit", "AWS_SECRET_ACCESS_KEY": "secret"}
REGION = {"AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    """An S3 store's client with the bucket `mlflow`; its address is `meta.endpoint_url`."""
    boto3 = pytest.importorskip("boto3", reason="the client of S3, boto3, is not installed")
    pytest.importorskip("moto", reason="the S3 store moto is not installed")
    port = servers.free_port()
    command = [sys.executable, "-m", "moto.server", "-H", servers.HOST, "-p", str(port)]
    with (tmp_path / "store.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://{servers.HOST}:{port}"
        until = time.monotonic() + servers.START_SECONDS
        while not answers(address):
            assert time.monotonic() < until, (tmp_path / "store.log").read_text()
            time.sleep(0.2)
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1",
            aws_access_key_id="rnnkit", aws_secret_access_key="secret",
        )  # fmt: skip
        client.create_bucket(Bucket="mlflow")
        yield client
        client.close()
    finally:
        process.kill()
        process.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def pages(home: Path, ports: tuple[int, int], **more: str) -> Iterator[None]:
    """`rnnkit up --host`, until both servers answer."""
    mlflow, prefect = ports
    options = [f"--mlflow-port={mlflow}", f"--prefect-port={prefect}", f"--host={HOST}"]
    log = home.with_suffix(".log").open("w")
    with log:
        command = [*RNNKIT, "up", "--mlruns", str(home), *options, "--name", "pages.example"]
        up = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment(**more))
    try:
        until = time.monotonic() + 2 * servers.START_SECONDS
        while not (home / "servers.json").exists():
            assert up.poll() is None, home.with_suffix(".log").read_text()
            assert time.monotonic() < until
            time.sleep(0.2)
        yield
    finally:
        up.terminate()
        up.wait()


def answer(address: str, **headers: str) -> tuple[int, str]:
    """The status of a request with the token, and its text."""
    request = urllib.request.Request(
        address, headers={"Authorization": authorization(f"rnnkit:{TOKEN}"), **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_a_sweep_sends_everything_to_servers_of_another_machine(tmp_path: Path, store: Any) -> None:
    ports = servers.free_port(), servers.free_port()
    with postgresql_server(("mlflow", "prefect", "study")) as database:
        served = {
            "RNNKIT_TOKEN": TOKEN,
            "MLFLOW_TRACKING_URI": f"{database}/mlflow",
            "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow",
            "MLFLOW_S3_ENDPOINT_URL": store.meta.endpoint_url,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
                f"{database.replace('+psycopg', '+asyncpg')}/prefect"
            ),
            **KEYS,
            **REGION,
        }
        with pages(tmp_path / "served", ports, **served):
            _a_run_elsewhere(tmp_path, ports, f"{database}/study")
            _requests_to_the_pages(ports)
            if CHROMIUM is not None:
                _pages_in_a_browser(ports, tmp_path)
    names = [entry["Key"] for entry in store.list_objects_v2(Bucket="mlflow")["Contents"]]
    for name in ("report.html", "predictions.parquet", WEIGHTS):
        assert any(key.endswith(f"/{name}") for key in names), names


def _a_run_elsewhere(folder: Path, ports: tuple[int, int], study: str) -> None:
    """A sweep in an output folder of its own, which has only addresses."""
    (folder / "small.yaml").write_text(SWEEP.replace("trials: 4", "trials: 2"))
    home, api = folder / "elsewhere", f"http://rnnkit:{TOKEN}@{HOST}:{ports[1]}/api"
    addresses = {
        "MLFLOW_TRACKING_URI": f"http://rnnkit:{TOKEN}@{HOST}:{ports[0]}",
        "PREFECT_API_URL": api,
        "OPTUNA_STORAGE": study,
    }
    done = subprocess.run(
        [*RNNKIT, "run", str(folder / "small.yaml"), "--mlruns", str(home), "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=500, env=environment(**addresses),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    run = json.loads(done.stdout)["run"]
    assert not (home / "mlflow.db").exists()
    assert not (home / "prefect").exists() or not [*(home / "prefect").glob("*.db")]
    assert not (home / "runs" / run / "study.db").exists()
    assert not (folder / "served" / "mlflow.db").exists()
    assert "COMPLETED" in {flow["state_type"] for flow in flow_runs(api)}
    found = answer(
        f"http://{HOST}:{ports[0]}/api/2.0/mlflow/experiments/get-by-name?experiment_name=small"
    )
    assert json.loads(found[1])["experiment"]["artifact_location"].startswith("mlflow-artifacts:/")


def _requests_to_the_pages(ports: tuple[int, int]) -> None:
    """Names of the command are answered, others refused; the default address has no server."""
    for port in ports:
        address = f"http://{HOST}:{port}/"
        assert answer(address)[0] == 200
        assert answer(address, Host=f"pages.example:{port}")[0] == 200
        assert answer(address, Host="other.example")[0] == 400
        assert answer(address, Authorization="Bearer no")[0] == 401
        assert not answers(f"http://{servers.HOST}:{port}/")
    search = f"http://{HOST}:{ports[0]}/api/2.0/mlflow/experiments/search?max_results=5"
    assert answer(search, Host=f"pages.example:{ports[0]}")[0] == 200


def _pages_in_a_browser(ports: tuple[int, int], folder: Path) -> None:
    """They show the run: their scripts reach their servers under the address of the page."""
    shown = {"": "small", "runs": r"\n[1-9]\d* runs?\n"}
    for port, (path, pattern) in zip(ports, shown.items(), strict=True):
        profile = folder / f"browser{port}"
        profile.mkdir()
        with opened(f"http://{HOST}:{port}/{path}?token={TOKEN}", profile) as tab:
            assert tab.shows(pattern), path
