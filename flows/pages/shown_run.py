"""What Prefect's pages show of a run: its states, its log and its artifacts."""

import json
import logging
import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flows.pages.api_queue import ApiQueue
from flows.pages.connection import Api
from flows.pages.states import State, failure, state, state_of
from flows.settings import without_secrets

UPDATE_SECONDS = 2.0
"""Seconds between two updates of a progress."""
LOGGER = "rnnkit"
"""The name beside our lines in Prefect's logs."""
ERROR = "error"
"""Key of the artifact with a failed run's error."""


def key_of(*names: str) -> str:
    """A key as Prefect wants it: small letters, digits and dashes.

    >>> key_of("PTB.small", "result")
    'ptb-small-result'
    """
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


class Line(NamedTuple):
    """A line of a run's log."""

    run: "ShownRun"
    level: int
    message: str
    time: datetime

    @property
    def is_made(self) -> bool:
        """Whether Prefect has its flow run."""
        return self.run.is_made

    def as_json(self) -> dict[str, Any]:
        """As Prefect's API takes it; the run must have been made there before."""
        return {
            "name": LOGGER,
            "level": self.level,
            "message": self.message,
            "timestamp": self.time.isoformat(),
            **self.run._places(),
        }


class ShownRun(ABC):
    """A run in Prefect's pages: its states, its log and its artifacts."""

    kind: str  # as its address has it

    def __init__(self, pages: ApiQueue, id_: UUID | None) -> None:
        self._pages, self.id = pages, id_
        self._begin = time.monotonic()

    def set_state(self, state: State) -> None:
        """Its new state, whatever the last one was."""

        def send(api: Api) -> None:
            path = f"/{self.kind}s/{self.id}/set_state"
            api.request("POST", path, json={"state": state, "force": True})

        self._pages.queue(send)

    @contextmanager
    def as_states(self) -> Iterator[None]:
        """Running while the context lasts, then how it ended."""
        self._begin = time.monotonic()
        self.set_state(state("RUNNING"))
        try:
            yield
        except BaseException as error:
            if isinstance(error, Exception) and self._pages.show_once(error):
                self.log(failure(error), logging.ERROR)
                self.markdown(ERROR, f"**{failure(error)}**", "why it failed")
            self.set_state(state_of(error))
            raise
        self.complete()

    def log(self, message: str, level: int = logging.INFO) -> None:
        """A line in its log, and in that of its flow run; returns at once."""
        line = Line(self, level, without_secrets(message), datetime.now(UTC))
        self._pages.log(line)

    def complete(self) -> None:
        """Its end. Prefect shows when its server learnt of a state, so the time goes with it."""
        seconds = time.monotonic() - self._begin
        self.set_state(state("COMPLETED", message=f"{seconds:.1f} seconds"))

    def link(self, key: str, address: Callable[[], str], text: str) -> None:
        """A link to another page.

        Args:
            address: called by the thread that sends requests; empty: there is no link.
        """

        def send(api: Api) -> None:
            if to := address():
                self._create(api, "markdown", key, f"[{text}]({to})", None)

        self._pages.queue(send)

    def markdown(self, key: str, text: str, description: str) -> None:
        """A text of several lines."""
        self._pages.queue(lambda api: self._create(api, "markdown", key, text, description))

    def table(self, key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
        """A table; figures that JSON has no form for are left out."""
        data = json.dumps([{name: _finite(cell) for name, cell in row.items()} for row in rows])
        self._pages.queue(lambda api: self._create(api, "table", key, data, description))

    def progress(self, key: str, description: str) -> "Progress":
        """A progress bar."""
        return Progress(self._pages, self, key, description)

    def _create(self, api: Api, type_: str, key: str, data: Any, description: str | None) -> UUID:
        body = {"type": type_, "key": key, "data": data, "description": description}
        response = api.request("POST", "/artifacts/", json=body | self._places())
        return UUID(response.json()["id"])

    @property
    @abstractmethod
    def is_made(self) -> bool:
        """Whether Prefect has its flow run."""

    @abstractmethod
    def _places(self) -> dict[str, str]:
        """Where an artifact or a log's line of it is shown."""


class Progress:
    """The progress of a long task, updated every few seconds."""

    def __init__(self, pages: ApiQueue, run: ShownRun, key: str, description: str) -> None:
        self._pages, self._id = pages, UUID(int=0)
        self._percent, self._time, self._is_queued = 0.0, time.monotonic(), False

        def send(api: Api) -> None:
            self._id = run._create(api, "progress", key, 0.0, description)

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

    def _send(self, api: Api) -> None:
        self._is_queued = False
        api.request("PATCH", f"/artifacts/{self._id}", json={"data": self._percent})


def _finite(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
