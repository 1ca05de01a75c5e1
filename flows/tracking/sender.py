"""A thread that sends a run to MLflow while it goes on. The run never waits for MLflow.

What MLflow does not get lies in the run's folder: the next command that reaches MLflow, or
`rnnkit sync`, sends it.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from flows.settings import Settings
from flows.tracking import unsent
from flows.tracking.failures import failure_of
from flows.tracking.mirror import End, Mirror, Tracker, id_of
from flows.tracking.sync import send_marked
from rnnkit.runs.run_folder import RunFolder

INTERVAL_SECONDS = 2.0
"""Between two looks at the journals: reading a long one takes 20 ms of Python's time."""
PAUSE_SECONDS = 60.0
"""Until an MLflow that failed is tried again."""
ANSWER_SECONDS = 10.0
"""How long the end of a run waits for one answer of MLflow's. A server answers in milliseconds; one
that imports, or stores a large model, in seconds."""
SWEEP_SECONDS = 5.0
"""How long the end of a run may take to close what killed processes left open."""
POLL_SECONDS = 0.05
FOR_GOOD = ("finished", "pruned")
"""Ends after which no process goes on with a trial or a member."""

EndOf = Callable[[RunFolder, Sequence[Mapping[str, Any]]], End | None]
"""How a trial or a member ended, by its folder and its journal; None: it goes on."""


class Children(NamedTuple):
    """Folders of trials or members with the tags of their runs, and how they end."""

    folders: Sequence[tuple[RunFolder, Mapping[str, str]]]
    end_of: EndOf


class Watched:
    """An MLflow client that knows how long it has waited for the answer to its present call."""

    def __init__(self, client: Any) -> None:
        self._client, self._called = client, 0.0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._called = time.monotonic()
            try:
                return call(*arguments, **named)
            finally:
                self._called = 0.0

        return watched

    @property
    def waited(self) -> float:
        """Seconds since the present call began; 0 between calls."""
        called = self._called
        return time.monotonic() - called if called else 0.0


class Sender:
    """Sends a run, its children, and what killed processes left open, in a thread of its own.

    Args:
        folder: of the run or the comparison; None: only what was left open.
        first: the id of what is closed before all else that was left open.
    """

    def __init__(self, settings: Settings, folder: RunFolder | None, first: str = "") -> None:
        self._settings, self._folder, self._first = settings, folder, first
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_asked = self._is_ending = self._is_done = self._has_swept = False
        self._end: End | None = None
        self._sweep_until = math.inf
        self._children = Children((), lambda *_: None)
        self._link, self._failure = "", ""
        self._client: Watched | None = None
        self._forget()

    def request(self, children: Children | None = None) -> None:
        """Has the thread look at the folders; returns at once."""
        with self._change:
            self._is_asked = True
            if children is not None:
                self._children = children
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="MLflow", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def link(self, seconds: float) -> str:
        """The run's page in MLflow; empty where it is not known within these seconds."""
        with self._change:
            self._change.wait_for(lambda: self._link, seconds)
            return self._link

    def finish(self, end: End | None) -> str:
        """Sends how the run ended; returns why that failed, if it did, and what to do.

        Waits while MLflow answers, and for one answer no longer than ANSWER_SECONDS.
        """
        with self._change:
            self._end, self._is_ending = end, True
            self._sweep_until = time.monotonic() + SWEEP_SECONDS
        self.request()
        while True:
            with self._change:
                if self._change.wait_for(lambda: self._is_done, POLL_SECONDS):
                    return self._failure
            if self._client is not None and self._client.waited > ANSWER_SECONDS:
                return failure_of(TimeoutError(f"no answer in {ANSWER_SECONDS:.0f} s"))

    def _work(self) -> None:
        """The thread: looks at the folders when asked, not too often, until the run has ended."""
        while not self._is_done:
            with self._change:
                self._change.wait_for(lambda: self._is_asked)
                self._is_asked, is_ending = False, self._is_ending
            try:
                self._send(is_ending)
                self._failure = ""
            except Exception as error:  # no reason to lose a training, whatever it is
                self._forget()
                self._failure = failure_of(error)
            with self._change:
                self._is_done = is_ending
                self._change.notify_all()
                pause = PAUSE_SECONDS if self._failure else INTERVAL_SECONDS
                self._change.wait_for(lambda: self._is_ending, pause)

    def _forget(self) -> None:
        """Takes up all runs anew: of a failed request it is not known what MLflow took."""
        self._tracker: Tracker | None = None
        self._mirror: Mirror | None = None
        self._of_children: dict[str, Mirror] = {}
        self._closed: set[str] = set()  # children that nothing more is sent of

    def _send(self, is_ending: bool) -> None:
        if self._tracker is None:
            self._tracker = Tracker(self._settings)
            self._client = Watched(self._tracker.client)
            self._tracker.client = self._tracker.registry.client = self._client
        if self._folder is not None:
            if self._mirror is None:
                self._mirror = Mirror(self._tracker, self._folder, None, {})
                with self._change:
                    self._link = self._mirror.link
                    self._change.notify_all()
            end = self._end if is_ending else None
            if end is None:
                self._mirror.advance()
            for folder, tags in self._children.folders:
                if folder.id not in self._closed:
                    self._send_child(self._tracker, self._mirror, folder, tags, is_ending)
            if end is not None:
                self._mirror.finish(end)
                unsent.clear(self._settings, self._folder.id)
        if not self._has_swept:
            if is_ending:
                self._sweep_until = time.monotonic() + SWEEP_SECONDS
            send_marked(self._tracker, self._settings, self._is_late, self._first)
            self._has_swept = True

    def _is_late(self) -> bool:
        """Whether what was left open may take no more of the run's end."""
        return time.monotonic() > self._sweep_until

    def _send_child(
        self,
        tracker: Tracker,
        parent: Mirror,
        folder: RunFolder,
        tags: Mapping[str, str],
        is_ending: bool,
    ) -> None:
        lines = folder.records()
        if not lines:
            return
        end = self._children.end_of(folder, lines)
        if end is None and is_ending and folder.status != "running":
            end = "interrupted"  # its worker died
        is_marked = "/" not in id_of(folder)  # a trial is found through its run
        if folder.id not in self._of_children:
            if is_marked:
                unsent.mark(self._settings, folder.id)
            self._of_children[folder.id] = Mirror(tracker, folder, parent, tags)
        mirror = self._of_children[folder.id]
        if end is None:
            mirror.advance()
            return
        if not mirror.is_closed(lines):
            mirror.finish(end)
            if is_marked:
                unsent.clear(self._settings, folder.id)
        if end in FOR_GOOD:
            self._closed.add(folder.id)


def send_unsent(settings: Settings, first: str) -> str:
    """Closes in MLflow what killed processes left open; returns what `Sender.finish` does."""
    return Sender(settings, None, first).finish(None)
