"""Requests to Prefect's API: their order, what is sent again, what is dropped, and the wait."""

import http.server
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from prefect.exceptions import TerminationSignal
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import console
from flows.pages import FlowRun, Pages, api_queue
from flows.processes.access_token import authorization
from flows.processes.servers import ServerFailed
from rnnkit.runtime.secrets import remember

ID = "01890000-0000-7000-8000-000000000000"


class Api(http.server.HTTPServer):
    """In the place of Prefect's server: keeps what it is sent, and answers with an id."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        """Of the next answers; then 200."""
        self.requests: list[tuple[str, Any]] = []
        self.logins: set[str | None] = set()
        """What the requests had as their header `Authorization`."""
        self.of_this_command: Any = None
        """It as a server that this command has started; None: as another one."""

    @property
    def states(self) -> list[tuple[str, str]]:
        """Each state that was set: of what, and its name."""
        return [
            (path.split("/")[2], body["state"]["name"])
            for path, body in self.requests
            if path.endswith("/set_state")
        ]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Api

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        is_asked = self.server.statuses and "csrf" not in self.path  # Prefect's client gets a token
        status = self.server.statuses.pop(0) if is_asked else 200
        if status == 200:
            self.server.requests.append((self.path, body))
            self.server.logins.add(self.headers.get("Authorization"))
        found: Any = [] if self.path.endswith("/filter") else {"id": ID, "token": "t"}
        content = json.dumps(found | {"client": "c", "expiration": "2100-01-01T00:00:00Z"})
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    do_POST = do_PATCH = do_GET = answer

    def log_message(self, format: str, *args: object) -> None:
        return


class Started:
    """A server that this command has started."""

    def __init__(self, address: str) -> None:
        self.url_with_login = address

    def wait(self) -> None:
        """It answers."""


@pytest.fixture(params=["of this command", "another"])
def api(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Api]:
    monkeypatch.setattr(api_queue, "PAUSE_SECONDS", 0.01)
    server = Api()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}/api"
    if request.param == "of this command":
        server.of_this_command = Started(f"http://rnnkit:token@{address}")
        yield server
    else:
        with temporary_settings({PREFECT_API_URL: f"http://{address}"}):
            yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _shown(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test may have made the shared one quiet, or bound it to its own output
    monkeypatch.setattr(api_queue, "out", console.Terminal(highlight=False, soft_wrap=True))


def show(server: Any, *, fails: BaseException | None = None) -> None:
    """A flow run with one task."""
    with Pages(server) as shown, shown.flow_run("flow", "run", {"a": 1}) as flow_run:
        with flow_run.task("task") as task:
            task.table("key", [{"value": float("nan")}], "a table")
        if fails:
            raise fails


def test_requests_come_in_the_order_of_what_happened(api: Api) -> None:
    show(api.of_this_command)
    assert [path.removeprefix("/api") for path, _ in api.requests if "csrf" not in path][:4] == [
        "/flows/",
        "/flow_runs/",
        f"/flow_runs/{ID}/set_state",
        "/task_runs/",
    ]
    assert api.states == [
        ("flow_runs", "Running"),
        ("task_runs", "Running"),
        ("task_runs", "Completed"),
        ("flow_runs", "Completed"),
    ]
    (table,) = (body for path, body in api.requests if path.endswith("/artifacts/"))
    assert (table["key"], json.loads(table["data"])) == ("key", [{"value": None}])
    assert table["flow_run_id"] == ID


@pytest.mark.parametrize("api", ["of this command"], indirect=True)
def test_a_server_of_this_command_gets_its_token_past_any_proxy(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    show(api.of_this_command)
    assert api.logins == {authorization("rnnkit:token")}
    assert api.states[-1] == ("flow_runs", "Completed")


def test_a_server_that_is_busy_is_asked_again(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.statuses = [503, 500, 200, 502]
    show(api.of_this_command)
    assert [name for _, name in api.states] == ["Running", "Running", "Completed", "Completed"]
    assert capsys.readouterr().out == ""


def test_a_request_that_is_refused_is_dropped_with_a_line(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.statuses = [200, 200, 200, 401]
    show(api.of_this_command)
    assert ("flow_runs", "Completed") in api.states
    line = capsys.readouterr().out
    assert line.startswith("Prefect's pages lack this run or a part of it: ")
    assert "401" in line


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("no luck"), "Failed"),
        (TimeoutError("too long"), "TimedOut"),
        (KeyboardInterrupt(), "Crashed"),
        (SystemExit(143), "Crashed"),
        (TerminationSignal(15), "Crashed"),
    ],
)
def test_what_a_flow_run_raises_is_its_state(api: Api, error: BaseException, name: str) -> None:
    with pytest.raises(type(error)):
        show(api.of_this_command, fails=error)
    assert api.states[-1] == ("flow_runs", name)
    state = api.requests[-1][1]["state"]
    assert (type(error).__name__ in state["message"]) or str(error) in state["message"]


def test_a_cancelled_flow_run_is_shown_as_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prefect._internal.control_listener.get_intent", lambda: "cancel")
    with pytest.raises(TerminationSignal):
        show(api.of_this_command, fails=TerminationSignal(15))
    assert api.states[-1] == ("flow_runs", "Cancelled")


def test_a_retry_is_announced_and_begins(api: Api) -> None:
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        flow_run.retry(ValueError("no luck"), 30)
        flow_run.retrying()
    names = [name for _, name in api.states]
    assert names == ["Running", "AwaitingRetry", "Retrying", "Completed"]


def test_work_in_other_processes_is_followed(api: Api) -> None:
    works, fails, waits, left = (Future[None]() for _ in range(4))
    with Pages(api.of_this_command) as shown:
        follow = FlowRun(shown).follow("worker", 4)
        works.set_running_or_notify_cancel()
        follow([works, fails, waits, left])
        works.set_result(None)
        fails.set_exception(ValueError("no luck"))
        left.cancel()
        for _ in range(2):
            follow([works, fails, waits, left])
    names = [name for _, name in api.states]
    assert names == ["Running", "Completed", "Running", "Failed", "Cancelled"]


def logged(api: Api) -> list[tuple[str, str]]:
    """(level, message) of all lines of logs, in the order in which they came."""
    lines = [line for path, body in api.requests if path.endswith("/logs/") for line in body]
    return [(logging.getLevelName(line["level"]), line["message"]) for line in lines]


def test_lines_of_a_log_come_in_order_with_their_flow_run_and_task_run(api: Api) -> None:
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        flow_run.log("it begins")
        with flow_run.task("train") as task:
            for epoch in range(500):
                task.log(f"epoch {epoch}")
    expected = ["it begins", *(f"epoch {epoch}" for epoch in range(500))]
    assert logged(api) == [("INFO", message) for message in expected]
    batches = [body for path, body in api.requests if path.endswith("/logs/")]
    assert max(map(len, batches)) <= api_queue.LOGS_PER_REQUEST
    lines = [line for batch in batches for line in batch]
    assert {line["flow_run_id"] for line in lines} == {ID}
    assert "task_run_id" not in lines[0]
    assert {line["task_run_id"] for line in lines[1:]} == {str(task.id)}
    times = [line["timestamp"] for line in lines]
    assert times == sorted(times)


def test_lines_wait_for_the_flow_run_that_they_are_of(api: Api) -> None:
    """A request for an earlier line may be sent when a later flow run is not there yet."""
    with Pages(api.of_this_command) as shown, shown.flow_run("outer", "run", {}) as outer:
        outer.log("outer")
        with shown.flow_run("inner", "run", {}, outer) as inner:
            inner.log("inner")
    lines = [line for path, body in api.requests if path.endswith("/logs/") for line in body]
    assert [line["message"] for line in lines] == ["outer", "inner"]
    assert {line["flow_run_id"] for line in lines} == {ID}


def test_a_server_that_is_busy_gets_each_line_once(api: Api) -> None:
    api.statuses = [200, 200, 200, 503, 500]
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        for number in range(5):
            flow_run.log(f"{number}")
    assert [message for _, message in logged(api)] == list("01234")


def test_lines_that_are_refused_are_dropped_with_a_line(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.statuses = [200, 200, 200, 422]
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        flow_run.log("a")
    assert ("flow_runs", "Completed") in api.states
    assert "Prefect's pages lack this run or a part of it: " in capsys.readouterr().out


def test_an_error_is_logged_and_shown_once_where_it_was_raised(api: Api) -> None:
    with (
        pytest.raises(ValueError, match="no luck"),
        Pages(api.of_this_command) as shown,
        shown.flow_run("flow", "run", {}) as flow_run,
        flow_run.task("train") as task,
    ):
        raise ValueError("no luck")
    assert logged(api) == [("ERROR", "ValueError: no luck")]
    (artifact,) = (body for path, body in api.requests if path.endswith("/artifacts/"))
    assert (artifact["key"], artifact["type"]) == ("error", "markdown")
    assert artifact["data"] == "**ValueError: no luck**"
    assert artifact["task_run_id"] == str(task.id)
    assert [name for _, name in api.states] == ["Running", "Running", "Failed", "Failed"]


def test_an_interrupted_run_shows_no_error(api: Api) -> None:
    with pytest.raises(KeyboardInterrupt):
        show(api.of_this_command, fails=KeyboardInterrupt())
    assert logged(api) == []


def test_no_password_is_in_a_log(api: Api) -> None:
    remember("http://anna:secret@host/api")
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        flow_run.log("no answer of http://anna:secret@host/api")
    ((_, message),) = logged(api)
    assert "secret" not in message


def test_a_flow_run_and_the_one_it_is_a_part_of_get_the_runs_name_and_tags(api: Api) -> None:
    with (
        Pages(api.of_this_command) as shown,
        shown.flow_run("scheduled", "x", {}) as outer,
        shown.flow_run("experiment", "x", {}, outer) as inner,
    ):
        inner.rename("x-0123", ["x", "tagging", "gru"])
    sent = [body for path, body in api.requests if path == f"/api/flow_runs/{ID}"]
    assert sent == [{"name": "x-0123", "tags": ["x", "tagging", "gru"]}] * 2


def test_logging_never_waits_for_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_queue, "WAIT_SECONDS", 0.5)
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        Pages() as shown,
        shown.flow_run("flow", "run", {}) as flow_run,
    ):
        begin = time.monotonic()
        for number in range(1_000):
            flow_run.log(f"{number}")
        assert time.monotonic() - begin < 1


def test_a_progress_sends_the_latest_and_its_end(api: Api) -> None:
    with Pages(api.of_this_command) as shown, shown.flow_run("flow", "run", {}) as flow_run:
        progress = flow_run.progress("key", "a progress")
        for share in (0.1, 0.2, 1.0):
            progress.show(share)
    sent = [body["data"] for path, body in api.requests if "/artifacts/" in path]
    assert sent == [0.0, 100.0]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/api", "no address"])
def test_where_nothing_listens_the_wait_is_short_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setattr(api_queue, "WAIT_SECONDS", 0.5)
    begin = time.monotonic()
    with temporary_settings({PREFECT_API_URL: address}):
        show(None)
    assert time.monotonic() - begin < 10
    assert "Prefect's pages lack this run or a part of it: " in capsys.readouterr().out


def test_a_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        url_with_login = "http://127.0.0.1:9/api"

        def wait(self) -> None:
            raise ServerFailed("Prefect's server did not start")

    broken: Any = Broken()
    with Pages(broken) as shown, shown.flow_run("flow", "run", {}):
        """It does its work."""
    assert "Prefect's server did not start" in capsys.readouterr().out


def test_a_command_that_is_interrupted_does_not_wait_for_a_server_that_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Starting:
        url_with_login = "http://127.0.0.1:9/api"

        def wait(self) -> None:
            raise AssertionError("it was waited for")

    monkeypatch.setattr(api_queue, "WAIT_SECONDS", 0.5)
    starting: Any = Starting()
    with (
        pytest.raises(KeyboardInterrupt),
        Pages(starting) as shown,
        shown.flow_run("flow", "run", {}),
    ):
        raise KeyboardInterrupt
