"""Addresses of the saved views of MLflow's lists of runs, without importing MLflow.

MLflow's pages read a view from a tag of the experiment, `mlflow.sharedViewState.KEY`: JSON with
what the page would keep for itself (columns, order), and open it by `?viewStateShareKey=KEY`.
"""

import sqlite3
from contextlib import closing, suppress

from flows.processes.servers import pages_address
from flows.settings import Settings
from flows.tracking import database

SHARED = "mlflow.sharedViewState."
NEWEST, RANKED = "rnnkit-newest", "rnnkit-best"
"""Keys of the two views: newest first, trials below their sweep; and all by the objective."""
NEWEST_FIRST = """
SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active' AND
experiment_id IN (SELECT experiment_id FROM experiment_tags WHERE key = ?)
ORDER BY (
    SELECT max(start_time) FROM runs WHERE runs.experiment_id = experiments.experiment_id
) DESC
"""
"""MLflow's experiments with a view, the one with the newest run first."""


TRAINING = "workflowType=machine_learning"
"""Opens MLflow's pages for training and not those for language models, its default."""


def view_path(experiment_id: str, key: str = RANKED) -> str:
    """A view's address below that of MLflow's pages.

    >>> view_path("1", "k")
    '/#/experiments/1/runs?viewStateShareKey=k&workflowType=machine_learning'
    """
    return f"/#/experiments/{experiment_id}/runs?viewStateShareKey={key}&{TRAINING}"


def view_address(settings: Settings, name: str) -> str:
    """The address of an experiment's list of runs; empty where MLflow is elsewhere or lacks it."""
    number = local_experiments(settings).get(name)
    return "" if number is None else pages_address(settings) + view_path(number)


def local_experiments(settings: Settings) -> dict[str, str]:
    """Name -> id of the experiments in the local database that have a view, the one with the newest
    run first; empty where MLflow is elsewhere."""
    file = database.file_of(settings)
    if file is None or not file.exists():
        return {}
    address = f"{file.as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as connection:
        rows = connection.execute(NEWEST_FIRST, (SHARED + RANKED,)).fetchall()
        return {name: str(number) for name, number in rows}
    return {}
