"""The thread that sends a run to MLflow: the run never waits for it, whatever MLflow does."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from test_mirror import EXPERIMENT, RESULT, a_run, epoch, in_mlflow
from test_rows import in_database, once

from flows.console import Stages
from flows.pipeline.monitor import Monitor
from flows.settings import Settings
from flows.tracking import database, failures, sender, unsent
from flows.tracking.mirror import ENDS, Tracker
from flows.tracking.sender import Children, Sender, Watched, send_unsent
from flows.tracking.sync import sync
from rnnkit.runs.run_folder import RunFolder

AT_ONCE_SECONDS = 1.0  # a call that waits for MLflow would take as long as the test lets it


@pytest.fixture
def hung(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a server that accepts and never answers."""
    monkeypatch.setattr(sender, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port = listener.getsockname()[1]
        yield replace(home, tracking=f"http://127.0.0.1:{port}")


@pytest.fixture
def down(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a server that is down."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return replace(home, tracking=f"http://127.0.0.1:{port}")


def test_a_hung_mlflow_keeps_no_run_waiting(
    hung: Settings, home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Tracker(hung)  # imports what the thread would import
    run = a_run(home, "x-1")
    monitor = Monitor(hung, run, Stages())
    began = time.monotonic()
    with monitor.until_finished():
        for number in range(1, 30):
            epoch(run, number)
            monitor.send()
            monitor.send_children([(run, {})], lambda *_: None)
            assert monitor.link == ""
        assert time.monotonic() - began < AT_ONCE_SECONDS
        run.finish(RESULT)
        monitor.finish("finished")
    assert time.monotonic() - began < AT_ONCE_SECONDS + 1
    printed = "MLflow could not be reached; send the run with: rnnkit sync (TimeoutError: no answer"
    assert printed in capsys.readouterr().out
    assert unsent.marked(home) == {"x-1"}
    assert [synced.sent for synced in sync(home)] == [True]  # an MLflow that answers
    assert {key: n for key, n in in_database(home, run).items() if n != 1} == {}
    assert once(run) <= in_database(home, run)
    assert [synced.sent for synced in sync(home)] == [False]
    assert unsent.marked(home) == set()


def test_an_interrupted_run_ends_as_interrupted_without_mlflow(
    down: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(down, "x-1")
    with pytest.raises(SystemExit) as end, Monitor(down, run, Stages()).until_finished():
        raise SystemExit(143)
    assert end.value.code == 143
    assert (
        "send the run with: rnnkit sync (MlflowException: API request to" in capsys.readouterr().out
    )


def test_a_failed_run_ends_with_its_own_failure_without_mlflow(down: Settings) -> None:
    run = a_run(down, "x-1")
    with (
        pytest.raises(ValueError, match="its own"),
        Monitor(down, run, Stages()).until_finished(),
    ):
        raise ValueError("its own")
    assert run.records()[-1]["reason"] == "ValueError: its own"


def test_a_run_goes_on_beside_a_broken_database(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.home / database.NAME).write_bytes(b"rubbish")
    run = a_run(home, "x-1")
    monitor = Monitor(home, run, Stages())
    with monitor.until_finished():
        epoch(run, 1)
        monitor.send()
        monitor.finish("finished")
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        f"MLflow does not have this run: MLflow's database {home.home}/mlflow.db is broken: it is "
        "damaged (file is not a database); make it anew from the run folders with: "
        "rnnkit sync --rebuild"
    )


def test_the_run_and_its_children_are_closed_at_the_end(home: Settings) -> None:
    """A child whose worker died has no end of its own."""
    run = a_run(home, "x-1")
    ended, died = (RunFolder(run.path / "trials" / f"trial-000{k}") for k in (0, 1))
    for trial in (ended, died):
        trial.create(EXPERIMENT, {})
        epoch(trial, 1)
    ended.append("pruned")
    unsent.mark(home, run.id)
    thread = Sender(home, run)
    children = [(ended, {}), (died, {})]
    thread.request(Children(children, lambda _, lines: ENDS.get(lines[-1]["kind"])))
    assert thread.link(100).partition("?")[0].endswith(in_mlflow(home, run).info.run_id)
    run.finish(RESULT)
    assert thread.finish("finished") == ""
    states = {r: in_tags(home, f"x-1{r}") for r in ("", "/trial-0000", "/trial-0001")}
    assert states == {"": "finished", "/trial-0000": "pruned", "/trial-0001": "interrupted"}
    assert unsent.marked(home) == set()


def in_tags(home: Settings, run_id: str) -> Any:
    """The state of a run by its tag in MLflow."""
    tracker = Tracker(home)
    return tracker.run(tracker.experiment("x"), run_id).data.tags["rnnkit.state"]


def test_the_next_command_closes_what_was_killed_after_its_end(home: Settings) -> None:
    run, other = a_run(home, "x-1"), a_run(home, "x-2")
    unsent.mark(home, run.id)
    run.finish(RESULT)
    epoch(other, 1)
    Monitor(home, other, Stages()).finish("interrupted")
    assert (in_tags(home, "x-1"), unsent.marked(home)) == ("finished", set())


def test_the_same_command_closes_what_was_killed_after_its_end(home: Settings) -> None:
    run = a_run(home, "x-1")
    unsent.mark(home, run.id)
    run.finish(RESULT)
    assert send_unsent(home, run.id) == ""
    assert (in_tags(home, "x-1"), unsent.marked(home)) == ("finished", set())


def test_the_commands_own_run_is_closed_first_where_there_is_no_time_for_all(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SWEEP_SECONDS", 0.01)
    for name in ("x-1", "x-2", "x-3"):
        a_run(home, name).finish(RESULT)
        unsent.mark(home, name)
    assert send_unsent(home, "x-2") == ""
    assert unsent.marked(home) == {"x-1", "x-3"}


def test_a_request_that_failed_is_repeated_after_a_pause_and_at_the_end(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, attempts, is_down = a_run(home, "x-1"), [], True
    epoch(run, 1)
    send = Sender._send

    def attempt(self: Sender, is_ending: bool) -> None:
        attempts.append(is_ending)
        if is_down:
            raise RuntimeError("no MLflow")
        send(self, is_ending)

    monkeypatch.setattr(Sender, "_send", attempt)
    thread = Sender(home, run)
    thread.request()
    until = time.monotonic() + 20
    while not attempts:
        assert time.monotonic() < until
        time.sleep(0.01)
    thread.request()
    time.sleep(0.2)
    assert attempts == [False]  # the pause
    is_down = False
    assert thread.finish("interrupted") == ""
    assert attempts == [False, True]
    assert in_tags(home, "x-1") == "interrupted"


def test_a_call_that_is_under_way_is_measured() -> None:
    release, client = threading.Event(), Watched(threading.Event())
    assert client.waited == 0
    slow = Watched(release)
    thread = threading.Thread(target=slow.wait, args=(20,))
    thread.start()
    until = time.monotonic() + 20
    while slow.waited < 0.05:
        assert time.monotonic() < until
        time.sleep(0.01)
    release.set()
    thread.join()
    assert slow.waited == 0


def test_no_password_is_in_the_line_at_the_end() -> None:
    error = OSError("API request to http://anna:secret@host/api failed\nand more")
    assert failures.failure_of(error) == (
        "MLflow could not be reached; send the run with: rnnkit sync "
        "(OSError: API request to http://host/api failed)"
    )
