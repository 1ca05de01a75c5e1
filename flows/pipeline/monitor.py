"""A run on the screen and in MLflow while it goes on. Neither decides anything."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.console import Stages, out
from flows.settings import Settings
from flows.tracking import unsent
from flows.tracking.locations import HOME, home_of
from flows.tracking.mirror import End, statuses
from flows.tracking.registry import ID
from flows.tracking.sender import Children, EndOf, Sender
from rnnkit.runs.run_folder import RunFolder


class Monitor:
    """Progress bars and the run in MLflow; an MLflow that fails or hangs does not stop the run.

    A thread of its own sends MLflow what lies in the folder of the run or the comparison, which
    this process holds.
    """

    def __init__(self, settings: Settings, folder: RunFolder, stages: Stages) -> None:
        self.stages = stages
        self._settings, self._folder = settings, folder
        self._sender = Sender(settings, folder)

    @property
    def link(self) -> str:
        """The run's page in MLflow; empty while it is not known."""
        return self.wait_for_link(0)

    def wait_for_link(self, seconds: float) -> str:
        """As `link`, known within these seconds; for a thread that may wait."""
        return self._sender.link(seconds)

    def send(self) -> None:
        """Has MLflow sent what the run's journal has gained."""
        self._sender.request()

    def send_children(
        self, folders: Sequence[tuple[RunFolder, Mapping[str, str]]], end_of: EndOf
    ) -> None:
        """Has MLflow sent what the folders of trials or members have gained, as runs below this
        one.

        Args:
            folders: each with the tags of its run.
            end_of: how one ended, by its folder and its journal; None: it goes on.
        """
        self._sender.request(Children(folders, end_of))

    def finish(self, end: End) -> None:
        """Sends MLflow how the run ended; prints a line where that fails."""
        if failure := self._sender.finish(end):
            out.print(failure, markup=False)

    @contextmanager
    def until_finished(self) -> Iterator[None]:
        """Marks a run that does not finish as failed or interrupted, in its folder and in MLflow.

        Likewise runs that a killed process left open before.
        """
        unsent.mark(self._settings, self._folder.id)
        self.send()
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
