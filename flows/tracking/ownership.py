"""Ownership of runs on servers that several output folders may share.

Runs that a server holds for running though no process works on them were killed. Each output folder
closes its own.
"""

import socket
from contextlib import suppress
from typing import Any
from uuid import UUID

from flows.settings import Settings
from rnnkit.runs.run_folder import RunFolder

ID = "rnnkit.run_id"
"""Our id of a run: a tag in MLflow, a label in Prefect."""
HOME = "rnnkit.home"
"""The output folder it is in, with its machine: the same."""


def home_of(settings: Settings) -> str:
    """Machine and output folder, which identify the owner of a run on a server."""
    return f"{socket.gethostname()}:{settings.home}"


def is_worked_on(settings: Settings, run_id: str) -> bool:
    """Whether a process holds the folder of a run or a comparison."""
    return "running" in _statuses(settings, run_id)


def _statuses(settings: Settings, run_id: str) -> set[str]:
    places = (settings.runs / run_id, settings.comparisons / run_id)
    return {RunFolder(place).status for place in places}


def close_in_prefect(settings: Settings, run_id: str) -> None:
    """Labels this process's flow run as the one that works on a run, and closes what is left.

    Flow runs in state RUNNING have crashed where their run is unfinished and no process works on
    it, or this process does; one whose run has ended is about to report its end. A Prefect that
    does not answer here does not stop a training.

    Args:
        settings: where things are.
        run_id: of the run or the comparison, whose folder this process holds.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import State, StateType
    from prefect.runtime import flow_run
    from prefect.states import Crashed

    if flow_run.id is None:
        return
    this_flow_run, home = UUID(flow_run.id), home_of(settings)
    are_running = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
    )
    with suppress(Exception), get_client(sync_client=True) as client:
        client.update_flow_run_labels(this_flow_run, {ID: run_id, HOME: home})
        for run in client.read_flow_runs(flow_run_filter=are_running):
            other_id = str(run.labels.get(ID, ""))
            if run.id == this_flow_run or not other_id or run.labels.get(HOME) != home:
                continue
            if other_id == run_id or _statuses(settings, other_id) <= {"new", "interrupted"}:
                gone: State[Any] = Crashed(message="its process was killed")
                client.set_flow_run_state(run.id, gone, force=True)
