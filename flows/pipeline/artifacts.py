"""What a run leaves in Prefect's pages: its table, its progress, and where it is in MLflow."""

import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

UPDATE_SECONDS = 2.0  # seconds between two updates of a progress


def key_of(*names: str) -> str:
    """A key as Prefect wants it: small letters, digits and dashes.

    >>> key_of("PTB.small", "result")
    'ptb-small-result'
    """
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


def result_table(name: str, result: Mapping[str, Any]) -> None:
    """The network against its baselines."""
    shown = [metric for metric in result["shown"] if metric in result["test"]]
    rows = [(result["network"], result["test"]), *result["baselines"].items()]
    create_table_artifact(
        table=[
            {"": network, **{metric: metrics.get(metric) for metric in shown}}
            for network, metrics in rows
        ],
        key=key_of(name, "result"),
        description=result["verdict"],
    )


def mlflow_link(name: str, link: str) -> None:
    """Where the run is in MLflow."""
    create_link_artifact(link=link, link_text="the run in MLflow", key=key_of(name, "mlflow"))


class Progress:
    """The progress of a long task, updated every few seconds.

    Args:
        name: of the experiment.
        what: trains, tunes.
    """

    def __init__(self, name: str, what: str) -> None:
        artifact = create_progress_artifact(
            0.0, key=key_of(name, what), description=f"{name}: {what}"
        )
        assert isinstance(artifact, UUID)
        self._id, self._percent, self._time = artifact, 0.0, time.monotonic()

    def show(self, share: float) -> None:
        """How much is done, from 0 to 1."""
        now, percent = time.monotonic(), round(100 * share, 1)
        if percent == self._percent or (share < 1 and now - self._time < UPDATE_SECONDS):
            return
        update_progress_artifact(self._id, progress=percent)
        self._percent, self._time = percent, now
