"""Flow runs and task runs of Prefect."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flows.pages.api_queue import ApiQueue
from flows.pages.connection import Api
from flows.pages.shown_run import ShownRun
from flows.pages.states import failure, state, state_of


class Pages(ApiQueue):
    """Prefect's pages; a context manager around the work.

    Args:
        server: one that this command has started; None: there is one.
    """

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


class FlowRun(ShownRun):
    """A flow run, which this process works on.

    Args:
        id_: of one that Prefect's engine runs.
    """

    kind = "flow_run"

    def __init__(self, pages: ApiQueue, id_: UUID | None = None) -> None:
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
            "state": state("PENDING"),
            "idempotency_key": str(uuid4()),
        }

        def send(api: Api) -> None:
            flow_id = api.request("POST", "/flows/", json={"name": flow}).json()["id"]
            place = {"parent_task_run_id": str(part.id)} if part else {}
            response = api.request(
                "POST", "/flow_runs/", json={**body, "flow_id": flow_id, **place}
            )
            self.id = UUID(response.json()["id"])

        self._pages.queue(send)

    def rename(self, name: str, tags: Sequence[str]) -> None:
        """Gives it, and the flow run that it is a part of, a name and tags."""
        if self._parent is not None:
            self._parent.rename(name, tags)
        body = {"name": name, "tags": [*tags]}
        self._pages.queue(lambda api: api.request("PATCH", f"/flow_runs/{self.id}", json=body))

    def claim(
        self, labels: Mapping[str, str], is_left: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        """Labels it, and closes flow runs that a killed process left.

        Args:
            is_left: whether the process of a flow run in state RUNNING is gone, by its labels.
        """
        running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}

        def send(api: Api) -> None:
            api.request("PATCH", f"/flow_runs/{self.id}/labels", json={**labels})
            for other in api.request("POST", "/flow_runs/filter", json=running).json():
                id_ = UUID(other["id"])
                if id_ != self.id and is_left(other["labels"] or {}):
                    left = FlowRun(self._pages, id_)
                    left.set_state(state("CRASHED", message="its process was killed"))

        self._pages.queue(send)

    def retry(self, error: Exception, seconds: float) -> None:
        """It failed and is tried again after some seconds."""
        self.set_state(
            {
                **state("SCHEDULED", "AwaitingRetry", failure(error)),
                "state_details": {
                    "scheduled_time": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
                },
            }
        )

    def retrying(self) -> None:
        """It is tried again."""
        self.set_state(state("RUNNING", "Retrying"))

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


class TaskRun(ShownRun):
    """A task run of a flow run."""

    kind = "task_run"

    def __init__(self, pages: ApiQueue, flow_run: FlowRun, task: str) -> None:
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
            "state": state("PENDING"),
        }
        pages.queue(
            lambda api: api.request(
                "POST", "/task_runs/", json={**body, "flow_run_id": str(flow_run.id)}
            )
        )

    def follow(self, future: "Future[Any]") -> None:
        """Takes over how work in another process stands."""
        if self._is_ended:
            return
        if not self._is_begun and (future.running() or (future.done() and not future.cancelled())):
            self._is_begun, self._begin = True, time.monotonic()
            self.set_state(state("RUNNING"))
        if future.done():
            self._is_ended = True
            if future.cancelled():
                self.set_state(state("CANCELLED"))
            elif error := future.exception():
                self.set_state(state_of(error))
            else:
                self.complete()

    @property
    def is_made(self) -> bool:
        return self._flow_run.is_made

    def _places(self) -> dict[str, str]:
        return {**self._flow_run._places(), "task_run_id": str(self.id)}
