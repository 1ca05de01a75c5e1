"""A run on the screen and in MLflow while it goes on. Neither decides anything."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.console import Stages, out
from flows.settings import Settings, without_secrets
from flows.tracking.locations import HOME, home_of
from flows.tracking.mirror import End, Mirror, Tracker, statuses
from flows.tracking.registry import ID
from rnnkit.runs.run_folder import RunFolder

PAUSE_SECONDS = 60.0
"""Time until an MLflow that did not answer is tried again."""
MAX_REASON = 200  # characters of its error


class Monitor:
    """Progress bars and the run in MLflow; an MLflow that fails does not stop the run.

    What MLflow lacks lies in the folder of the run or the comparison, which this process holds, and
    `rnnkit sync` sends it later.
    """

    def __init__(self, settings: Settings, folder: RunFolder, stages: Stages) -> None:
        self.stages = stages
        self._settings, self._folder = settings, folder
        self._children: dict[str, Mirror] = {}
        self._paused_until, self._missed = 0.0, ""

    @cached_property
    def _tracker(self) -> Tracker:
        return Tracker(self._settings)

    @cached_property
    def _mirror(self) -> Mirror:
        return Mirror(self._tracker, self._folder, None, {})

    @property
    def link(self) -> str:
        """The run's page in MLflow; empty where MLflow does not answer."""
        return self._mirror.link if self._send(lambda _: None) else ""

    def send(self) -> None:
        """Sends MLflow what the run's journal has gained."""
        self._send(Mirror.advance)

    def send_children(
        self,
        children: Iterable[tuple[RunFolder, Mapping[str, str]]],
        end_of: Callable[[RunFolder, Sequence[Mapping[str, Any]]], End | None],
        *,
        last: bool = False,
    ) -> None:
        """Sends MLflow what the folders of trials or members have gained, as runs below this one.

        Args:
            children: folders, and tags of their runs.
            end_of: how one ended, by its folder and its journal; None: it goes on.
            last: this process does not send it again; so even an MLflow that has just failed is
                tried.
        """

        def send(parent: Mirror) -> None:
            for folder, tags in children:
                lines = folder.records()
                if not lines:
                    continue
                if folder.id not in self._children:
                    self._children[folder.id] = Mirror(self._tracker, folder, parent, tags)
                child, end = self._children[folder.id], end_of(folder, lines)
                if child.is_closed(lines):
                    continue
                if end is None:
                    child.advance()
                else:
                    child.finish(end)

        self._send(send, last=last)

    def finish(self, end: End) -> None:
        """Sends MLflow how the run ended; prints a line where that fails."""
        self._send(lambda mirror: mirror.finish(end), last=True)
        if self._missed:
            out.print(
                f"MLflow could not be reached; send the run with: rnnkit sync ({self._missed})",
                markup=False,
            )

    @contextmanager
    def until_finished(self) -> Iterator[None]:
        """Marks a run that does not finish as failed or interrupted, in its folder and in MLflow.

        Likewise runs that a killed process left open before.
        """
        self._send(lambda mirror: self._tracker.close_leftovers(mirror.experiment_id))
        _close_in_prefect(self._settings, self._folder.id)
        try:
            yield
        except Exception as error:
            self._folder.append("failed", reason=f"{type(error).__name__}: {error}")
            self.finish("failed")
            raise
        except BaseException:  # Ctrl-C, or a signal to end: Prefect has its own class
            self.finish("interrupted")
            raise

    def _send(self, call: Callable[[Mirror], object], *, last: bool = False) -> bool:
        """Whether MLflow took it; during a pause it is tried with the last alone."""
        if time.monotonic() < self._paused_until and not last:
            return False
        try:
            call(self._mirror)
        except Exception as error:  # no reason to lose a training, whatever it is
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            if last:
                self._missed = without_secrets(f"{type(error).__name__}: {error}").splitlines()[0][
                    :MAX_REASON
                ]
            return False
        return True


def _close_in_prefect(settings: Settings, run_id: str) -> None:
    """Labels this process's flow run as the one that works on a run, and closes what is left.

    Flow runs in state RUNNING have crashed where their run is unfinished and no process works on
    it, or this process does; one whose run has ended is about to report its end. A Prefect that
    does not answer here does not stop a training.
    """
    if flow_run.id is None:
        return
    this_flow_run, home = UUID(flow_run.id), home_of(settings)
    are_running = FlowRunFilter.model_validate({"state": {"type": {"any_": [StateType.RUNNING]}}})
    with suppress(Exception), get_client(sync_client=True) as client:
        client.update_flow_run_labels(this_flow_run, {ID: run_id, HOME: home})
        for run in client.read_flow_runs(flow_run_filter=are_running):
            other_id = str(run.labels.get(ID, ""))
            if run.id == this_flow_run or not other_id or run.labels.get(HOME) != home:
                continue
            if other_id == run_id or statuses(settings, other_id) <= {"new", "interrupted"}:
                gone: State[Any] = Crashed(message="its process was killed")
                client.set_flow_run_state(run.id, gone, force=True)
