"""Flow runs in Prefect's pages that a killed process left in state Running."""

from collections.abc import Mapping
from typing import Any

from flows.pages import FlowRun
from flows.settings import Settings
from flows.tracking.locations import HOME, home_of
from flows.tracking.mirror import statuses
from flows.tracking.registry import ID
from rnnkit.params import Experiment


def claim(flow_run: FlowRun, settings: Settings, run_id: str, experiment: Experiment) -> None:
    """Names and labels a flow run as the one that works on a run, and closes what is left.

    Flow runs in state RUNNING have crashed where their run is unfinished and no process works on
    it, or this process does; one whose run has ended is about to report its end.
    """
    home = home_of(settings)
    flow_run.rename(run_id, tags_of(experiment))

    def is_left(labels: Mapping[str, Any]) -> bool:
        other_id = str(labels.get(ID, ""))
        if not other_id or labels.get(HOME) != home:
            return False
        return other_id == run_id or statuses(settings, other_id) <= {"new", "interrupted"}

    flow_run.claim({ID: run_id, HOME: home}, is_left)


def tags_of(experiment: Experiment) -> list[str]:
    """Words by which Prefect's pages filter flow runs."""
    tags = [experiment.name, experiment.task.kind, experiment.model.cell.kind]
    return [*tags, "sweep"] if experiment.tune is not None else tags
