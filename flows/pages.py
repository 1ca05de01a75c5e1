"""Flow runs, task runs and artifacts in Prefect's pages, sent by a thread beside the work.

The work never waits for Prefect: requests are queued in the order of what happened and one thread
sends them through Prefect's API. A request that is not answered is sent again until the command
ends, so a server that starts late or comes back shows the whole run. Prefect's own engine is not
used for it, because it asks the server before each run begins and ends, and fails the run where
the server does not answer.
"""

import contextvars
import itertools
import json
import logging
import math
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid4

import httpx
from prefect._internal.control_listener import get_intent
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.exceptions import PrefectHTTPStatusError, TerminationSignal
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.console import out
from flows.processes.servers import Server, ServerFailed
from flows.settings import without_secrets

WAIT_SECONDS = 10.0
"""Seconds since Prefect's last answer after which a command that has ended waits no longer. An API
that works answers in milliseconds, on a busy machine in seconds."""
PAUSE_SECONDS = 0.5
"""Seconds until a request that was not answered is sent again."""
REQUEST_SECONDS = 60.0
"""Seconds a request may take; one that is sent twice may be carried out twice."""
UPDATE_SECONDS = 2.0
"""Seconds between two updates of a progress."""
MAX_REASON = 200  # characters of an error
LOGS_PER_REQUEST = 200
LOGGER = "rnnkit"
"""The name beside our lines in Prefect's logs."""
BUSY = (429, 500, 502, 503, 504)
"""HTTP statuses of a server that may answer later."""

ERROR = "error"
"""Key of the artifact with a failed run's error."""

Request = Callable[[SyncPrefectClient], object]
State = Mapping[str, Any]


def key_of(*names: str) -> str:
    """A key as Prefect wants it: small letters, digits and dashes.

    >>> key_of("PTB.small", "result")
    'ptb-small-result'
    """
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


class Pages:
    """The queue of requests and the thread that sends them; a context manager around the work.

    Args:
        server: one that this command has started; None: there is one.
    """

    def __init__(self, server: Server | None = None) -> None:
        self._server = server
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._queued, self._done, self._ended = 0, 0, False
        self._last = 0.0  # when it answered, or was asked after it had answered everything
        self._problem = ""
        self._lines: list[Line] = []  # of logs, that are still to be sent
        self._shown_error: BaseException | None = None
        context = contextvars.copy_context()  # with Prefect's settings of this thread
        self._thread = threading.Thread(target=context.run, args=(self._send_all,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Waits for Prefect's answers, but not for long; a line where it did not answer."""
        try:
            if self._queued:
                self._wait(interrupted=kind is not None and not issubclass(kind, Exception))
        finally:
            self._ended = True
        if self._problem:
            out.print(
                f"Prefect's pages lack this run or a part of it: {self._problem}", markup=False
            )

    def queue(self, request: Request) -> None:
        """Queues a request; it may be sent more than once."""
        with self._changed:
            if self._queued == self._done:
                self._last = time.monotonic()
            self._queued += 1
        self._requests.put(request)

    def log(self, line: "Line") -> None:
        """Queues a line of a run's log; the next request sends all that wait."""
        with self._changed:
            self._lines.append(line)
        self.queue(self._send_lines)

    def show_once(self, error: BaseException) -> bool:
        """Whether an error is new: it goes up through a task run and its flow runs."""
        is_new, self._shown_error = error is not self._shown_error, error
        return is_new

    def _send_lines(self, client: SyncPrefectClient) -> None:
        while True:
            with self._changed:
                waiting = self._lines[:LOGS_PER_REQUEST]
            # Later ones may be of a flow run that a request behind this one makes.
            lines = [*itertools.takewhile(lambda line: line.run.is_made, waiting)]
            if not lines:
                return
            try:
                client.request("POST", "/logs/", json=[line.as_json() for line in lines])
            except Exception as error:
                if _may_pass(error):
                    raise
                self._note(error)
            with self._changed:
                del self._lines[: len(lines)]

    @contextmanager
    def flow_run(
        self,
        flow: str,
        name: str,
        parameters: Mapping[str, Any],
        parent: "FlowRun | None" = None,
    ) -> Iterator["FlowRun"]:
        """A flow run for as long as the context lasts; what it raises is its state.

        Args:
            flow: the flow's name.
            name: of the flow run.
            parameters: as JSON has them.
            parent: the flow run that this one is a part of.
        """
        flow_run = FlowRun(self)
        flow_run.create(flow, name, parameters, parent)
        with flow_run.as_states():
            yield flow_run

    def _send_all(self) -> None:
        retried_here = {PREFECT_CLIENT_MAX_RETRIES: 0}
        try:
            with (
                temporary_settings(retried_here),
                get_client(httpx_settings={"timeout": REQUEST_SECONDS}, sync_client=True) as client,
            ):
                while not self._ended:
                    self._send(self._requests.get(), client)
                    with self._changed:
                        self._done, self._last = self._done + 1, time.monotonic()
                        self._changed.notify()
        except Exception as error:  # such as an address that is none
            self._note(error)

    def _send(self, request: Request, client: SyncPrefectClient) -> None:
        while not self._ended:
            try:
                request(client)
            except Exception as error:  # whatever it is, it is no reason to lose a training
                if not _may_pass(error):
                    self._note(error)
                    return
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _wait(self, interrupted: bool) -> None:
        if self._server and not self._done and not interrupted:  # it may be starting
            try:
                self._server.wait()
            except ServerFailed as failure:
                self._problem = f"{failure}"
                return
            self._last = time.monotonic()
        with self._changed:
            while self._done < self._queued and self._thread.is_alive():
                left = self._last + WAIT_SECONDS - time.monotonic()
                if left <= 0:
                    self._problem = f"its server has not answered for {WAIT_SECONDS:.0f} seconds"
                    return
                self._changed.wait(left)

    def _note(self, error: Exception) -> None:
        self._problem = _failure(error).splitlines()[0][:MAX_REASON]


def _may_pass(error: Exception) -> bool:
    """Whether the same request may be answered later."""
    if isinstance(error, PrefectHTTPStatusError):
        return error.response.status_code in BUSY
    return isinstance(error, httpx.TransportError)


class Line(NamedTuple):
    """A line of a run's log."""

    run: "_Shown"
    level: int
    message: str
    time: datetime

    def as_json(self) -> dict[str, Any]:
        """As Prefect's API takes it; the run must have been made there before."""
        return {
            "name": LOGGER,
            "level": self.level,
            "message": self.message,
            "timestamp": self.time.isoformat(),
            **self.run._places(),
        }


class _Shown:
    """A run in Prefect's pages: its states, its log and its artifacts."""

    kind: str  # as its address has it

    def __init__(self, pages: Pages, id_: UUID | None) -> None:
        self._pages, self.id = pages, id_
        self._begin = time.monotonic()

    def set_state(self, state: State) -> None:
        """Its new state, whatever the last one was."""

        def send(client: SyncPrefectClient) -> None:
            client.request(
                "POST",
                f"/{self.kind}s/{self.id}/set_state",  # type: ignore[arg-type]
                json={"state": state, "force": True},
            )

        self._pages.queue(send)

    @contextmanager
    def as_states(self) -> Iterator[None]:
        """Running while the context lasts, then how it ended."""
        self._begin = time.monotonic()
        self.set_state(_state("RUNNING"))
        try:
            yield
        except BaseException as error:
            if isinstance(error, Exception) and self._pages.show_once(error):
                self.log(_failure(error), logging.ERROR)
                self.markdown(ERROR, f"**{_failure(error)}**", "why it failed")
            self.set_state(_state_of(error))
            raise
        self.complete()

    def log(self, message: str, level: int = logging.INFO) -> None:
        """A line in its log, and in that of its flow run; returns at once."""
        line = Line(self, level, without_secrets(message), datetime.now(UTC))
        self._pages.log(line)

    def complete(self) -> None:
        """Its end. Prefect shows when its server learnt of a state, so the time goes with it."""
        seconds = time.monotonic() - self._begin
        self.set_state(_state("COMPLETED", message=f"{seconds:.1f} seconds"))

    def link(self, key: str, address: Callable[[], str], text: str) -> None:
        """A link to another page.

        Args:
            address: called by the thread that sends requests; empty: there is no link.
        """

        def send(client: SyncPrefectClient) -> None:
            if to := address():
                self._create(client, "markdown", key, f"[{text}]({to})", None)

        self._pages.queue(send)

    def markdown(self, key: str, text: str, description: str) -> None:
        """A text of several lines."""
        self._pages.queue(lambda client: self._create(client, "markdown", key, text, description))

    def table(self, key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
        """A table; figures that JSON has no form for are left out."""
        data = json.dumps([{name: _finite(cell) for name, cell in row.items()} for row in rows])
        self._pages.queue(lambda client: self._create(client, "table", key, data, description))

    def progress(self, key: str, description: str) -> "Progress":
        """A progress bar."""
        return Progress(self._pages, self, key, description)

    def _create(
        self, client: SyncPrefectClient, type_: str, key: str, data: Any, description: str | None
    ) -> UUID:
        body = {"type": type_, "key": key, "data": data, "description": description}
        response = client.request("POST", "/artifacts/", json=body | self._places())
        return UUID(response.json()["id"])

    @property
    def is_made(self) -> bool:
        """Whether Prefect has its flow run."""
        raise NotImplementedError

    def _places(self) -> dict[str, str]:
        """Where an artifact or a log's line of it is shown."""
        raise NotImplementedError


class FlowRun(_Shown):
    """A flow run, which this process works on.

    Args:
        id_: of one that Prefect's engine runs.
    """

    kind = "flow_run"

    def __init__(self, pages: Pages, id_: UUID | None = None) -> None:
        super().__init__(pages, id_)
        self._parent: FlowRun | None = None

    def create(
        self, flow: str, name: str, parameters: Mapping[str, Any], parent: "FlowRun | None"
    ) -> None:
        """Makes it in Prefect, in state Pending."""
        self._parent = parent
        part = TaskRun(self._pages, parent, flow) if parent else None
        body: dict[str, Any] = {
            "name": name,
            "parameters": parameters,
            "state": _state("PENDING"),
            "idempotency_key": str(uuid4()),
        }

        def send(client: SyncPrefectClient) -> None:
            flow_id = client.request("POST", "/flows/", json={"name": flow}).json()["id"]
            place = {"parent_task_run_id": str(part.id)} if part else {}
            response = client.request(
                "POST", "/flow_runs/", json={**body, "flow_id": flow_id, **place}
            )
            self.id = UUID(response.json()["id"])

        self._pages.queue(send)

    def rename(self, name: str, tags: Sequence[str]) -> None:
        """Gives it, and the flow run that it is a part of, a name and tags."""
        if self._parent is not None:
            self._parent.rename(name, tags)
        body = {"name": name, "tags": [*tags]}
        self._pages.queue(
            lambda client: client.request("PATCH", f"/flow_runs/{self.id}", json=body)  # type: ignore[arg-type]
        )

    def claim(
        self, labels: Mapping[str, str], is_left: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        """Labels it, and closes flow runs that a killed process left.

        Args:
            is_left: whether the process of a flow run in state RUNNING is gone, by its labels.
        """
        running = {"state": {"type": {"any_": ["RUNNING"]}}}

        def send(client: SyncPrefectClient) -> None:
            assert self.id is not None
            client.update_flow_run_labels(self.id, dict(labels))
            for other in client.read_flow_runs(
                flow_run_filter=FlowRunFilter.model_validate(running)
            ):
                if other.id != self.id and is_left(other.labels):
                    left = FlowRun(self._pages, other.id)
                    left.set_state(_state("CRASHED", message="its process was killed"))

        self._pages.queue(send)

    def retry(self, error: Exception, seconds: float) -> None:
        """It failed and is tried again after some seconds."""
        self.set_state(
            {
                **_state("SCHEDULED", "AwaitingRetry", _failure(error)),
                "state_details": {
                    "scheduled_time": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
                },
            }
        )

    def retrying(self) -> None:
        """It is tried again."""
        self.set_state(_state("RUNNING", "Retrying"))

    @contextmanager
    def task(self, name: str) -> Iterator["TaskRun"]:
        """A task run for as long as the context lasts; what it raises is its state."""
        task_run = TaskRun(self._pages, self, name)
        with task_run.as_states():
            yield task_run

    def follow(self, name: str, count: int) -> Callable[[Sequence["Future[Any]"]], None]:
        """Makes task runs of one task, in state Pending.

        Returns:
            a function that takes over how the work in other processes stands, a future for each.
        """
        task_runs = [TaskRun(self._pages, self, name) for _ in range(count)]

        def take_over(futures: Sequence["Future[Any]"]) -> None:
            for task_run, future in zip(task_runs, futures, strict=True):
                task_run.follow(future)

        return take_over

    @property
    def is_made(self) -> bool:
        return self.id is not None

    def _places(self) -> dict[str, str]:
        return {"flow_run_id": str(self.id)}


class TaskRun(_Shown):
    """A task run of a flow run."""

    kind = "task_run"

    def __init__(self, pages: Pages, flow_run: FlowRun, task: str) -> None:
        self.id: UUID
        super().__init__(pages, uuid4())
        self._flow_run = flow_run
        self._is_begun = self._is_ended = False
        key = self.id.hex
        body = {
            "id": str(self.id),
            "name": f"{task}-{key[:3]}",
            "task_key": task,
            "dynamic_key": key,
            "state": _state("PENDING"),
        }
        pages.queue(
            lambda client: client.request(
                "POST", "/task_runs/", json={**body, "flow_run_id": str(flow_run.id)}
            )
        )

    def follow(self, future: "Future[Any]") -> None:
        """Takes over how work in another process stands."""
        if self._is_ended:
            return
        if not self._is_begun and (future.running() or (future.done() and not future.cancelled())):
            self._is_begun, self._begin = True, time.monotonic()
            self.set_state(_state("RUNNING"))
        if future.done():
            self._is_ended = True
            if future.cancelled():
                self.set_state(_state("CANCELLED"))
            elif error := future.exception():
                self.set_state(_state_of(error))
            else:
                self.complete()

    @property
    def is_made(self) -> bool:
        return self._flow_run.is_made

    def _places(self) -> dict[str, str]:
        return {**self._flow_run._places(), "task_run_id": str(self.id)}


class Progress:
    """The progress of a long task, updated every few seconds."""

    def __init__(self, pages: Pages, run: _Shown, key: str, description: str) -> None:
        self._pages, self._id = pages, UUID(int=0)
        self._percent, self._time, self._is_queued = 0.0, time.monotonic(), False

        def send(client: SyncPrefectClient) -> None:
            self._id = run._create(client, "progress", key, 0.0, description)

        pages.queue(send)

    def show(self, share: float) -> None:
        """How much is done, from 0 to 1."""
        now, percent = time.monotonic(), round(100 * share, 1)
        if percent == self._percent or (share < 1 and now - self._time < UPDATE_SECONDS):
            return
        self._percent, self._time = percent, now
        if not self._is_queued:  # one request waits at a time, and sends the latest
            self._is_queued = True
            self._pages.queue(self._send)

    def _send(self, client: SyncPrefectClient) -> None:
        self._is_queued = False
        client.request(
            "PATCH", "/artifacts/{id}", path_params={"id": self._id}, json={"data": self._percent}
        )


def _state(type_: str, name: str = "", message: str = "") -> State:
    return {"type": type_, "name": name or type_.capitalize(), "message": message}


def _state_of(error: BaseException) -> State:
    """The state of what raised an error; of a signal as Prefect's engine has it."""
    if isinstance(error, TerminationSignal) and get_intent() == "cancel":
        return _state("CANCELLED", message="Flow run was cancelled.")
    if isinstance(error, TimeoutError):
        return _state("FAILED", "TimedOut", _failure(error))
    if isinstance(error, Exception):
        return _state("FAILED", message=_failure(error))
    return _state("CRASHED", message=f"Execution was interrupted: {type(error).__name__}")


def _failure(error: BaseException) -> str:
    return without_secrets(f"{type(error).__name__}: {error}")


def _finite(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
