"""Schedules: a real server and its runs by the clock; who becomes champion; what is told."""

import http.server
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import psutil
import pytest
from command import RNNKIT, ROOT, environment, flow_runs

from flows import settings as places
from flows.cli import schedule as cli_schedule
from flows.processes import servers
from flows.processes.access_token import login_of, read_token
from flows.schedule import flow as scheduled
from flows.tracking.registry import Registered, Registry
from rnnkit.errors import InputError
from rnnkit.params import load
from rnnkit.runs.run_folder import RunFolder

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
def running(
    command: list[str], screen: Path | None = None, **more: str
) -> Iterator["subprocess.Popen[str]"]:
    """A command that Ctrl-C ends; what it says is in `screen`."""
    with (screen or Path(os.devnull)).open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, text=True, env=environment(**more)
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def versions(client: Any) -> dict[str, str]:
    """Our run id -> what its version's tag says."""
    found = client.search_model_versions("name = 'reviews'")
    return {v.tags["rnnkit.run_id"]: v.tags.get("rnnkit.evaluation.champion", "") for v in found}


def judged(client: Any, verdict: str, process: "subprocess.Popen[Any]") -> None:
    """Waits until a version was told so."""
    until = time.monotonic() + 200
    while not any(text.startswith(verdict) for text in versions(client).values()):
        assert process.poll() is None, "the schedule has ended"
        assert time.monotonic() < until, versions(client)
        time.sleep(0.2)


def test_scheduled_runs_complete_and_the_better_model_becomes_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real servers of Prefect and MLflow; the data change between the runs."""
    place = Place(tmp_path)
    place.data.write_text(reviews(150, seed=0, noise=0.9))  # labels that say next to nothing
    ports = [servers.free_port(), servers.free_port()]
    up = [*RNNKIT, "up", f"--mlflow-port={ports[0]}", f"--prefect-port={ports[1]}"]
    tracking = f"http://127.0.0.1:{ports[0]}"
    with running([*up, "--mlruns", str(place.home)]) as first:
        until = time.monotonic() + 2 * servers.START_SECONDS
        while not (place.home / "servers.json").exists():
            assert time.monotonic() < until
            assert first.poll() is None
            time.sleep(0.2)
        schedule = [*RNNKIT, "schedule", str(place.params), "--every", "15s"]
        # The runs reach MLflow through its server.
        schedule = [*schedule, "--mlruns", str(place.home)]
        screen = tmp_path / "screen"
        with running(schedule, screen, MLFLOW_TRACKING_URI=tracking) as run:
            import mlflow

            monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", read_token(place.home))
            client = mlflow.MlflowClient(tracking, tracking)
            judged(client, "promoted: there was no champion before it", run)
            place.data.write_text(reviews(900, seed=1, noise=0.0))
            judged(client, "promoted: better on the same", run)
            place.data.write_text(reviews(900, seed=2, noise=0.9))
            judged(client, "declined: not better on the same", run)
            told = versions(client)
            champion = client.get_model_version_by_alias("reviews", "champion")
            tags = client.get_run(champion.run_id).data.tags
            seen(lambda: "  declined: not better on" in screen.read_text(), run)
    runs = place.finished
    assert tags["rnnkit.evaluation.champion"].startswith("promoted: better on the same")
    assert f"{runs[0].id}  promoted: there was no champion" in screen.read_text()
    assert "View run" not in screen.read_text()  # MLflow's own lines
    assert len({run.id for run in runs}) == len(runs)  # each date is a run of its own
    first = "promoted: there was no champion before it"  # on labels that say next to nothing
    assert told[runs[0].id].startswith(f"{first}, but it does not beat its best baseline: The net")
    better = [
        run for run in runs if told.get(run.id, "").startswith("promoted: better on the same")
    ]
    assert better
    assert champion.tags["rnnkit.run_id"] == better[-1].id


def seen(what: Callable[[], object], process: "subprocess.Popen[Any]") -> None:
    """Waits until something is there."""
    until = time.monotonic() + 200
    while not what():
        assert process.poll() is None, "the schedule has ended"
        assert time.monotonic() < until
        time.sleep(0.1)


def of_a_run(process: psutil.Process) -> bool:
    return "spawn_main" in " ".join(process.cmdline())


def test_a_timeout_is_told_a_restart_starts_anew_and_sigterm_ends_it_all(tmp_path: Path) -> None:
    """A schedule that is killed, and one after it, with another params file, that is ended."""
    place, port, told = Place(tmp_path), servers.free_port(), tmp_path / "told"
    place.data.write_text(reviews(150, seed=0, noise=0.0))
    endless = place.params.read_text().replace("epochs: 6", "early_stopping: null, epochs: 100000")
    place.params.write_text(endless)
    command = [*RNNKIT, "schedule", str(place.params), "--every", "5s", f"--prefect-port={port}"]
    command += ["--mlruns", str(place.home)]
    impatient = ["--timeout=1s", "--retries=0", "--on-failure", f'echo "$RNNKIT_ERROR" >> {told}']

    def start(*options: str) -> "subprocess.Popen[str]":
        with (tmp_path / "screen").open("w") as screen, (tmp_path / "errors").open("w") as errors:
            return subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                stdout=screen,
                stderr=errors,
                text=True,
                env=environment(PREFECT_RUNNER_POLL_FREQUENCY="1"),  # seconds; else 10
                start_new_session=True,
            )

    def runs(epochs: int) -> dict[str, RunFolder]:
        found = [RunFolder(path.parent) for path in place.home.glob("runs/*/params.yaml")]
        return {run.id: run for run in found if run.experiment.train.epochs == epochs}

    process = start(*impatient)
    try:
        seen(lambda: "failed" in (tmp_path / "screen").read_text(), process)
        line = (tmp_path / "screen").read_text().splitlines()[3]
        assert "  reviews  failed: FlowRunTimeoutError: " in line
        assert "1.0 second(s)" in line
        assert "1.0 second(s)" in told.read_text()
        seen(lambda: any(map(of_a_run, psutil.Process(process.pid).children())), process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # runs that are due now stay in Prefect's database
        process.wait()
        assert not psutil.wait_procs(family, timeout=30)[1]
        seen_before = runs(100_000)
        place.params.write_text(endless.replace("100000", "99999"))
        while not servers.is_free(port):
            time.sleep(0.1)
        process = start()
        seen(lambda: any(run.records("epoch") for run in runs(99_999).values()), process)
        assert runs(100_000).keys() == seen_before.keys()
        api = f"http://{login_of(place.home)}@127.0.0.1:{port}/api"
        states = [each["state_type"] for each in flow_runs(api)]
        assert states.count("RUNNING") == 2  # it and its experiment, and nothing that was killed
        (run,) = [each for each in psutil.Process(process.pid).children() if of_a_run(each)]
        run.kill()
        seen(lambda: "failed" in (tmp_path / "screen").read_text(), process)
        assert (
            "  reviews  failed: Process exited with status code: -9"
            in (tmp_path / "screen").read_text()
        )
        seen(lambda: len(runs(99_999)) == 2, process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=100) == 143
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert {run.status for run in runs(99_999).values()} == {"interrupted"}
    assert (tmp_path / "errors").read_text().splitlines() == [
        "rnnkit: the schedule has ended; rnnkit resume goes on with the run it was in"
    ]
    assert len((tmp_path / "screen").read_text().splitlines()) == 4  # three of them at its start


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
    place.home.mkdir()
    prefects_own = {
        "PREFECT_API_URL": f"http://127.0.0.1:{ports[1]}/api",
        "PREFECT_API_AUTH_STRING": login_of(place.home),
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    env = environment(**prefects_own)
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    with running([*up, "--mlruns", str(place.home)]) as first:
        until = time.monotonic() + 2 * servers.START_SECONDS
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
        with running(worker, **prefects_own) as process:
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


def test_a_failure_is_told_to_an_address_or_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"name": "x", "date": "today", "error": 'it\'s "broken"'}
    server = http.server.HTTPServer(("127.0.0.1", 0), Catcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scheduled.notify(f"http://127.0.0.1:{server.server_port}/hook", facts)
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.server_port}")
    scheduled.notify("$HOOK/hook", facts)
    scheduled.notify("${HOOK}/hook", facts)
    server.shutdown()
    server.server_close()
    assert Catcher.caught == [facts] * 3
    scheduled.notify(f'printf "%s" "$RNNKIT_ERROR" > {tmp_path}/told', facts)
    assert (tmp_path / "told").read_text() == facts["error"]
    with pytest.raises(subprocess.CalledProcessError):
        scheduled.notify("exit 3", facts)


class Failing:
    """In the place of an experiment's run: it counts its calls, and fails as often as it is to."""

    def __init__(self, failures: int = 1_000) -> None:
        self.failures, self.calls = failures, 0
        self.experiment: Any = None

    def __call__(self, experiment: Any, settings: Any, flow_run: Any, date: str) -> Any:
        self.calls, self.experiment = self.calls + 1, experiment
        if self.calls <= self.failures:
            raise RuntimeError(f"no luck on {date}")
        if self.failures == 0:
            time.sleep(20)
        return {"run": "reviews-1"}


def test_a_scheduled_run_that_fails_is_told_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place, failing_flow = Place(tmp_path), Failing()
    monkeypatch.setattr(scheduled, "run_experiment", failing_flow)
    monkeypatch.setattr(scheduled, "RETRY_SECONDS", 0)
    monkeypatch.setattr(scheduled, "Pages", MagicMock())
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
    assert failing_flow.calls == 6
    assert failing_flow.experiment.train.start_from == str(tmp_path / "4")
    assert "Z  reviews  failed: RuntimeError: no luck on 2" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="no luck on 2") as caught:
        scheduled.run_scheduled.fn(experiment, place.home, False, 0, None, "exit 3")
    assert caught.value.__notes__ == [
        "exit 3 was not notified: Command 'exit 3' returned non-zero exit status 3."
    ]
    (line,) = capsys.readouterr().out.splitlines()
    assert "no luck on 2" in line
    assert line.endswith(
        "; --on-failure failed, too: Command 'exit 3' returned non-zero exit status 3."
    )
    assert failing_flow.experiment.train.start_from is None


def test_a_failed_try_is_repeated_and_one_that_takes_too_long_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, shown = Place(tmp_path), Mock()
    monkeypatch.setattr(scheduled, "RETRY_SECONDS", 0)
    tries = (load(place.params), places.read(place.home), "today")
    monkeypatch.setattr(scheduled, "run_experiment", Failing(failures=2))
    run = scheduled._attempts(*tries, 2, None, shown)
    assert run.id == "reviews-1"
    assert [call[0] for call in shown.method_calls] == ["retry", "retrying"] * 2
    endless = Failing(failures=0)
    monkeypatch.setattr(scheduled, "run_experiment", endless)
    with pytest.raises(TimeoutError, match=r"0\.2 second\(s\)"):
        scheduled._attempts(*tries, 1, 0.2, shown)
    assert endless.calls == 2


def test_bad_input_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, shown = Place(tmp_path), Mock()
    monkeypatch.setattr(scheduled, "RETRY_SECONDS", 0)
    calls = []

    def refuse(*given: object) -> None:
        calls.append(given)
        try:
            raise InputError("reviews.csv: there is no column text")
        except InputError as error:  # as a worker's error comes
            raise RuntimeError("a worker failed") from error

    monkeypatch.setattr(scheduled, "run_experiment", refuse)
    with pytest.raises(RuntimeError, match="a worker failed"):
        scheduled._attempts(load(place.params), places.read(place.home), "today", 5, None, shown)
    assert len(calls) == 1
    assert shown.method_calls == []


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"difference": {"verdict": "better"}, "verdict": "beats"}, ""),
        (
            {"difference": {"verdict": "worse"}, "verdict": "The network LOSES TO it."},
            ", but it does not beat its best baseline: The network LOSES TO it.",
        ),
        (
            {"difference": {"verdict": "undecided"}, "verdict": "Cannot be told."},
            ", but it does not beat its best baseline: Cannot be told.",
        ),
        ({"difference": None, "verdict": "It scores worse than it."}, "; It scores worse than it."),
        ({"difference": None, "verdict": ""}, ""),
    ],
)
def test_a_first_champion_that_does_not_beat_its_baseline_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: dict[str, Any], expected: str
) -> None:
    place, promoted = Place(tmp_path), list[Any]()
    run = RunFolder(place.home / "runs" / "reviews-1")
    run.create(load(place.params), {})
    run.finish(result)
    mine = Registered("reviews", 1, "reviews-1", "")
    monkeypatch.setattr(scheduled, "register", lambda *_: mine)
    monkeypatch.setattr(Registry, "champion", lambda *_: None)
    monkeypatch.setattr(Registry, "tag", lambda *_: None)
    monkeypatch.setattr(Registry, "promote", lambda _, model: promoted.append(model))
    outcome = scheduled.challenge_champion(run, places.read(place.home), Mock())
    assert outcome["reason"] == f"there was no champion before it{expected}"
    assert outcome["promoted"]
    assert promoted == [mine]


def test_a_run_whose_process_is_killed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect calls the hook; the arguments are those of its flow run and state."""
    command = f'printf "%s" "$RNNKIT_NAME: $RNNKIT_ERROR" > {tmp_path}/told'
    given = {"experiment": {"name": "reviews"}, "on_failure": command}
    run = SimpleNamespace(
        parameters=given, expected_start_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    scheduled.report_crash(
        flow=scheduled.run_scheduled, flow_run=run, state=SimpleNamespace(message="killed")
    )
    assert (tmp_path / "told").read_text() == "reviews: killed"
    assert capsys.readouterr().out == "2026-01-02T03:04:05Z  reviews  failed: killed\n"


def test_a_challenge_that_is_killed_before_the_promotion_is_repeated_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, told = Place(tmp_path), list[Any]()
    settings = places.read(place.home)
    run = RunFolder(place.home / "runs" / "reviews-2")
    run.create(load(place.params), {})
    champion, mine = (Registered("reviews", n, f"reviews-{n}", "") for n in (1, 2))
    there = [champion]

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(scheduled, "register", lambda *_: mine)
    monkeypatch.setattr(
        scheduled,
        "compare_with_champion",
        lambda *_: SimpleNamespace(is_better=True, reason="better"),
    )
    monkeypatch.setattr(scheduled, "_show_outcome", lambda *given: told.append(given[-2]))
    monkeypatch.setattr(Registry, "champion", lambda *_: there[-1])
    monkeypatch.setattr(Registry, "fetch", lambda *_: tmp_path)
    monkeypatch.setattr(Registry, "tag", lambda _, model, tags: told.append((model, tags)))
    monkeypatch.setattr(Registry, "promote", kill)
    said = [(mine, {"rnnkit.evaluation.champion": "promoted: better"}), "promoted: better"]
    with pytest.raises(KeyboardInterrupt):
        scheduled.challenge_champion(run, settings, Mock())
    assert told == said
    monkeypatch.setattr(Registry, "promote", lambda _, model: there.append(model))
    for reason in ("better", "it is the champion already"):
        found = scheduled.challenge_champion(run, settings, Mock())
        assert found == {"run": "reviews-2", "promoted": True, "reason": reason}
    assert told == said * 2
    assert there == [champion, mine]


def test_a_champion_whose_files_are_damaged_does_not_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, shown = Place(tmp_path), list[Any]()
    run = RunFolder(place.home / "runs" / "reviews-2")
    run.create(load(place.params), {})
    champion, mine = (Registered("reviews", n, f"reviews-{n}", "") for n in (1, 2))

    def refuse(*_: object) -> None:
        raise InputError("models:/reviews/1: a model must be as it was registered, but …")

    monkeypatch.setattr(scheduled, "register", lambda *_: mine)
    monkeypatch.setattr(scheduled, "_show_outcome", lambda *given: shown.append(given))
    monkeypatch.setattr(Registry, "champion", lambda *_: champion)
    monkeypatch.setattr(Registry, "fetch", refuse)
    monkeypatch.setattr(Registry, "tag", lambda *_: None)
    outcome = scheduled.challenge_champion(run, places.read(place.home), Mock())
    assert not outcome["promoted"]
    assert outcome["reason"] == (
        "they cannot be compared: models:/reviews/1: a model must be as it was registered, but …; "
        "to make the new one champion all the same: rnnkit register reviews-2 --champion"
    )
    assert len(shown) == 1


REFUSED = [
    ([], 'give one of --cron "0 3 * * *" and --every 6h'),
    (["--cron", "0 3 * * *", "--every", "6h"], 'give one of --cron "0 3 * * *" and --every 6h'),
    (["--every", "soon"], "--every soon: write a number and s, m, h or d, as 6h"),
    (["--every", "0h"], "--every 0h: write a number and s, m, h or d, as 6h"),
    (["--every", "6h", "--timeout", "x"], "--timeout x: write a number and s, m, h or d, as 6h"),
    (
        ["--every", "99999999999d"],
        "--every 99999999999d: write a number and s, m, h or d, as 6h, of",
    ),
    (["--every", "6h", "--timeout", "36501d"], "--timeout 36501d: write a number and s, m, h or d"),
    (["--cron", "at three"], "--cron at three: write minute, hour, day, month and weekday, as"),
    (["--every", "6h", "--timezone", "UTC"], "--timezone is for --cron; --every counts from now"),
    (["--cron", "0 3 * * *", "--timezone", "Nowhere"], "--timezone Nowhere: has no name that is"),
    (["--every", "6h", "--set", "seeds=[1]"], "reviews: a schedule runs one network; leave"),
]


def refusal(place: Place, *options: str, status: int = 2) -> str:
    """The one line that a schedule is refused with."""
    done = subprocess.run(
        [*RNNKIT, "schedule", str(place.params), *options, "--mlruns", str(place.home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_a_schedule_that_cannot_be_kept_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    assert refusal(Place(tmp_path), *options).startswith(f"rnnkit: {message}")


def test_bad_data_and_a_taken_port_are_refused_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert str(place.data) in refusal(place, "--every=6h")
    place.data.write_text("text,label\n")
    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refusal(place, "--every=6h", f"--prefect-port={port}") == (
            f"rnnkit: port {port} is taken; choose another with --prefect-port"
        )
    bad = refusal(place, "--every=6h", f"--prefect-port={servers.free_port()}")
    assert str(place.data) in bad


def test_an_experiment_has_one_schedule_at_a_time(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.data.write_text(reviews(40, 0, 0.0))
    with RunFolder(place.home / "schedules" / "reviews").lock():
        assert refusal(place, "--every=6h", status=75) == (
            "rnnkit: reviews is scheduled by another process"
        )


@pytest.mark.parametrize("name", ["America/New_York", ":Europe/Paris"])
def test_cron_is_in_the_time_zone_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TZ", name)
    assert cli_schedule._zone(None) == name.removeprefix(":")
    assert cli_schedule._zone("Asia/Tokyo") == "Asia/Tokyo"


def test_a_time_zone_of_this_machine_without_a_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0")
    with pytest.raises(InputError, match="the time zone of this machine: has no name that is kno"):
        cli_schedule._zone(None)
