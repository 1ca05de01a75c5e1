"""Schedules: a real server and its runs by the clock; who becomes champion; what is told."""

import http.server
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import RNNKIT, ROOT, environment

from flows import servers
from flows.schedule import failing
from flows.schedule import flow as scheduled
from flows.tracking import Registered, Registry
from rnnkit.params import load
from rnnkit.runfolder import RunFolder

PARAMS = """
name: reviews
task: {kind: classification}
data:
  source: {kind: labelled_text, path: PATH}
  split: {kind: fractions, valid: 0.2, test: 0.3}
  tokenizer: {kind: words}
model:
  representation: {kind: embedding, size: 8}
  hidden: 8
train: {epochs: 6, batch_size: 16, optimizer: {kind: adam, learning_rate: 1e-2}}
"""
GOOD = ["fine", "lovely", "bright", "warm", "splendid"]
BAD = ["dull", "grey", "cold", "awful", "weak"]
FILL = ["the", "a", "film", "story", "of", "it", "and", "was", "scene", "actor", "plot"]


def reviews(count: int, seed: int, noise: float) -> str:
    """Texts with one telling word; a share of their labels is drawn."""
    draw = random.Random(seed)
    lines = ["text,label"]
    for number in range(count):
        positive = draw.random() < 0.5
        words = [draw.choice(FILL) for _ in range(draw.randrange(4, 12))]
        words.insert(draw.randrange(len(words)), draw.choice(GOOD if positive else BAD))
        label = draw.choice(["pos", "neg"]) if draw.random() < noise else ("neg", "pos")[positive]
        lines.append(f"{' '.join(words)} {number},{label}")
    return "\n".join(lines) + "\n"


class Place:
    """A params file, its data and its output."""

    def __init__(self, folder: Path) -> None:
        self.home, self.data = folder / "mlruns", folder / "reviews.csv"
        self.params = folder / "reviews.yaml"
        self.params.write_text(PARAMS.replace("PATH", str(self.data)))

    @property
    def finished(self) -> list[RunFolder]:
        found = [RunFolder(path.parent) for path in self.home.glob("runs/*/manifest.json")]
        return sorted(found, key=lambda run: (run.path / "manifest.json").stat().st_mtime)


@contextmanager
def running(command: list[str], **more: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(**more),
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def versions(client: Any) -> dict[str, str]:
    """Our run id -> what its version's tag says."""
    found = client.search_model_versions("name = 'reviews'")
    return {v.tags["rnnkit.run_id"]: v.tags.get("rnnkit.challenge", "") for v in found}


def judged(client: Any, verdict: str, process: "subprocess.Popen[Any]") -> None:
    """Waits until a version was told so."""
    until = time.monotonic() + 200
    while not any(text.startswith(verdict) for text in versions(client).values()):
        assert process.poll() is None, "the schedule has ended"
        assert time.monotonic() < until, versions(client)
        time.sleep(0.2)


def test_scheduled_runs_complete_and_the_better_model_becomes_champion(tmp_path: Path) -> None:
    """With real servers of Prefect and MLflow; the data change between the runs."""
    place = Place(tmp_path)
    place.data.write_text(reviews(150, seed=0, noise=0.9))  # labels that say next to nothing
    ports = [servers.free_port(), servers.free_port()]
    up = [*RNNKIT, "up", f"--mlflow-port={ports[0]}", f"--prefect-port={ports[1]}"]
    tracking = f"http://127.0.0.1:{ports[0]}"
    with running([*up, "--mlruns", str(place.home)]) as first:
        until = time.monotonic() + 2 * servers.WAIT
        while not (place.home / "servers.json").exists():
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.2)
        schedule = [*RNNKIT, "schedule", str(place.params), "--every", "15s"]
        # The runs reach MLflow through its server.
        with running([*schedule, "--mlruns", str(place.home)], MLFLOW_TRACKING_URI=tracking) as run:
            import mlflow

            client = mlflow.MlflowClient(tracking, tracking)
            judged(client, "promoted: there was no champion before it", run)
            place.data.write_text(reviews(900, seed=1, noise=0.0))
            judged(client, "promoted: better on the same", run)
            place.data.write_text(reviews(900, seed=2, noise=0.9))
            judged(client, "declined: not better on the same", run)
            told = versions(client)
            champion = client.get_model_version_by_alias("reviews", "champion")
    runs = place.finished
    assert len({run.id for run in runs}) == len(runs)  # each date is a run of its own
    assert told[runs[0].id] == "promoted: there was no champion before it"
    better = [
        run for run in runs if told.get(run.id, "").startswith("promoted: better on the same")
    ]
    assert better
    assert champion.tags["rnnkit.run_id"] == better[-1].id


def deployments() -> Any:
    import yaml

    return yaml.safe_load((ROOT / "prefect.yaml").read_text())


def test_prefect_yaml_deploys_what_is_there() -> None:
    (deployment,) = deployments()["deployments"]
    file, _, flow = deployment["entrypoint"].partition(":")
    assert f"def {flow}(" in (ROOT / file).read_text()
    assert (ROOT / deployment["parameters"]["params"]).exists()
    assert deployment["work_pool"]["name"]
    assert deployment["concurrency_limit"] == 1


@pytest.mark.slow
def test_a_work_pools_worker_runs_what_prefect_yaml_deploys(tmp_path: Path) -> None:
    """As its comment says, but every 20 seconds and with a small experiment."""
    import yaml

    place = Place(tmp_path)
    place.data.write_text(reviews(150, seed=0, noise=0.0))
    content = deployments()
    (deployment,) = content["deployments"]
    deployment["parameters"] |= {"params": str(place.params), "home": str(place.home)}
    deployment["schedules"] = [{"interval": 20}]
    changed = tmp_path / "prefect.yaml"
    changed.write_text(yaml.safe_dump(content))
    ports = [servers.free_port(), servers.free_port()]
    up = [*RNNKIT, "up", f"--mlflow-port={ports[0]}", f"--prefect-port={ports[1]}"]
    env = environment(
        PREFECT_API_URL=f"http://127.0.0.1:{ports[1]}/api", PREFECT_HOME=str(tmp_path / "prefect")
    )
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    with running([*up, "--mlruns", str(place.home)]) as first:
        until = time.monotonic() + 2 * servers.WAIT
        while not (place.home / "servers.json").exists():
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.2)
        for arguments in (
            ["work-pool", "create", "--type", "process", deployment["work_pool"]["name"]],
            ["deploy", "--all", "--prefect-file", str(changed)],
        ):
            done = subprocess.run(
                [*prefect, *arguments],
                cwd=ROOT,
                capture_output=True,
                text=True,
                env=env,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        worker = [*prefect, "worker", "start", "--pool", deployment["work_pool"]["name"]]
        with running(worker, **{k: env[k] for k in ("PREFECT_API_URL", "PREFECT_HOME")}) as process:
            until = time.monotonic() + 240
            while len(place.finished) < 2:
                assert process.poll() is None
                assert time.monotonic() < until, "the worker did not run twice in time"
                time.sleep(0.5)


class Catcher(http.server.BaseHTTPRequestHandler):
    caught: list[Any] = []  # noqa: RUF012  # of the one test that uses it

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.caught.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


def test_a_failure_is_told_to_an_address_or_a_command(tmp_path: Path) -> None:
    facts = {"name": "x", "date": "today", "error": 'it\'s "broken"'}
    server = http.server.HTTPServer(("127.0.0.1", 0), Catcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failing.tell(f"http://127.0.0.1:{server.server_port}/hook", facts)
    server.shutdown()
    server.server_close()
    assert Catcher.caught == [facts]
    failing.tell(f'printf "%s" "$RNNKIT_ERROR" > {tmp_path}/told', facts)
    assert (tmp_path / "told").read_text() == facts["error"]
    with pytest.raises(subprocess.CalledProcessError):
        failing.tell("exit 3", facts)


class Failing:
    """In the place of the experiment's flow: it keeps what it is called with, and fails."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.experiment: Any = None

    def with_options(self, **options: Any) -> Any:
        self.options = options
        return self

    def __call__(self, experiment: Any, home: Path, date: str, again: int) -> Any:
        self.experiment = experiment
        raise RuntimeError(f"no luck on {date}")


def test_a_scheduled_run_that_fails_is_told_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, failing_flow = Place(tmp_path), Failing()
    monkeypatch.setattr(scheduled, "run_experiment", failing_flow)
    monkeypatch.setattr(scheduled.places, "apply", lambda _: None)  # else it would be for all tests
    monkeypatch.setattr(scheduled.console.out, "quiet", False)  # set back afterwards
    command = f'echo "$RNNKIT_NAME: $RNNKIT_ERROR" > {tmp_path}/told'
    experiment = load(place.params)
    champion = Registered("reviews", 4, "reviews-1", "")
    monkeypatch.setattr(Registry, "champion", lambda *_: champion)
    monkeypatch.setattr(Registry, "fetch", lambda _, address: tmp_path / address[-1])
    with pytest.raises(RuntimeError, match="no luck on 2"):
        scheduled.run_scheduled.fn(experiment, place.home, True, 5, 60.0, command)
    assert (tmp_path / "told").read_text().startswith("reviews: no luck on 2")
    assert failing_flow.options["retries"] == 5
    assert failing_flow.options["timeout_seconds"] == 60.0
    assert failing_flow.experiment.train.start_from == str(tmp_path / "4")
    with pytest.raises(RuntimeError):
        scheduled.run_scheduled.fn(experiment, place.home, False, 0, None, None)
    assert failing_flow.experiment.train.start_from is None


REFUSED = [
    ([], 'give one of --cron "0 3 * * *" and --every 6h'),
    (["--cron", "0 3 * * *", "--every", "6h"], 'give one of --cron "0 3 * * *" and --every 6h'),
    (["--every", "soon"], "--every soon: write a number and s, m, h or d, as 6h"),
    (["--every", "0h"], "--every 0h: write a number and s, m, h or d, as 6h"),
    (["--every", "6h", "--timeout", "x"], "--timeout x: write a number and s, m, h or d, as 6h"),
    (["--cron", "at three"], "--cron at three: write minute, hour, day, month and weekday, as"),
    (["--every", "6h", "--set", "seeds=[1]"], "reviews: a schedule runs one network; leave"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_a_schedule_that_cannot_be_kept_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    place = Place(tmp_path)
    done = subprocess.run(
        [*RNNKIT, "schedule", str(place.params), *options, "--mlruns", str(place.home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"rnnkit: {message}")
    assert len(done.stderr.splitlines()) == 1
