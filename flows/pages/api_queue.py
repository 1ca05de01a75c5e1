"""Requests to Prefect's API, in order, sent by a thread; the lines of logs are sent together."""

import contextvars
import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

import httpx

from flows.console import out
from flows.pages.connection import Api, connection
from flows.pages.states import failure
from flows.processes.servers import Server, ServerFailed

WAIT_SECONDS = 10.0
"""Seconds since Prefect's last answer after which a command that has ended waits no longer. An API
that works answers in milliseconds, on a busy machine in seconds."""
PAUSE_SECONDS = 0.5
"""Seconds until a request that was not answered is sent again."""
MAX_REASON = 200  # characters of an error
LOGS_PER_REQUEST = 200
BUSY = (429, 500, 502, 503, 504)
"""HTTP statuses of a server that may answer later."""

Request = Callable[[Api], object]


class LogLine(Protocol):
    """A line of a run's log."""

    @property
    def is_made(self) -> bool:
        """Whether Prefect has its run."""

    def as_json(self) -> dict[str, Any]:
        """As Prefect's API takes it, once it has the run."""


class ApiQueue:
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
        self._lines: list[LogLine] = []  # of logs, that are still to be sent
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

    def log(self, line: "LogLine") -> None:
        """Queues a line of a run's log; the next request sends all that wait."""
        with self._changed:
            self._lines.append(line)
        self.queue(self._send_lines)

    def show_once(self, error: BaseException) -> bool:
        """Whether an error is new: it goes up through a task run and its flow runs."""
        is_new, self._shown_error = error is not self._shown_error, error
        return is_new

    def _send_lines(self, api: Api) -> None:
        while True:
            with self._changed:
                waiting = self._lines[:LOGS_PER_REQUEST]
            # Later ones may be of a flow run that a request behind this one makes.
            lines = [*itertools.takewhile(lambda line: line.is_made, waiting)]
            if not lines:
                return
            try:
                api.request("POST", "/logs/", json=[line.as_json() for line in lines])
            except Exception as error:
                if _may_pass(error):
                    raise
                self._note(error)
            with self._changed:
                del self._lines[: len(lines)]

    def _send_all(self) -> None:
        try:
            with connection(self._server) as api:
                while not self._ended:
                    self._send(self._requests.get(), api)
                    with self._changed:
                        self._done, self._last = self._done + 1, time.monotonic()
                        self._changed.notify()
        except Exception as error:  # such as an address that is none
            self._note(error)

    def _send(self, request: Request, api: Api) -> None:
        while not self._ended:
            try:
                request(api)
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
        self._problem = failure(error).splitlines()[0][:MAX_REASON]


def _may_pass(error: Exception) -> bool:
    """Whether the same request may be answered later."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in BUSY
    return isinstance(error, httpx.TransportError)
