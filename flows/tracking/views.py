"""What the list of runs in MLflow's pages shows: two saved views, as tags of the experiment."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flows.tracking.descriptions import VERDICT
from flows.tracking.rows import BEST, SECONDS, metric_name
from flows.tracking.view_links import NEWEST, RANKED, SHARED
from rnnkit.params import Experiment

PRIMARY = "mlflow.experiment.primaryMetric.name"
"""The tag with the metric that the chart page draws first."""
MAX_PARAM_COLUMNS = 8
MAX_SHOWN_METRICS = 2
ALWAYS_COMPARED = ("model.cell.kind", "model.hidden", "model.depth")
"""Params that have a column in every experiment."""


DURATION = "duration"
"""A column that MLflow's list always has, by the name that it has there."""


def column(kind: str, name: str) -> str:
    """A column as MLflow's pages name it.

    >>> column("metrics", "best/valid/loss")
    'metrics.`best/valid/loss`'
    """
    return f"{kind}.`{name}`"


WIDTH = 115
WIDTHS = {
    column("tags", VERDICT): 200,
    column("attributes", "Dataset"): 190,
    DURATION: 80,
    column("attributes", "Version"): 80,
    column("attributes", "User"): 80,
}
"""Widths of columns in pixels."""


def view_tags(experiment: Experiment, present: Mapping[str, str]) -> dict[str, str]:
    """The tags of an MLflow experiment with its two views, for one of its runs.

    Args:
        present: the tags that the experiment has; params that earlier views show stay, so that
            the views do not depend on the order in which runs are sent.
    """
    best = column("metrics", metric_name(BEST + experiment.monitor))
    searched = list(experiment.tune.search) if experiment.tune else []
    params = sorted({*_params(present), *searched, *ALWAYS_COMPARED})
    params = [path for path in params if path in searched] + [
        path for path in params if path not in searched
    ]
    shown = experiment.task.shown[:MAX_SHOWN_METRICS]
    columns = [
        best,
        column("tags", VERDICT),
        *(column("metrics", metric_name(f"test/{name}")) for name in shown),
        *(column("params", path) for path in params[:MAX_PARAM_COLUMNS]),
        column("metrics", SECONDS),
        DURATION,
        column("attributes", "Dataset"),
        column("attributes", "Version"),
        column("attributes", "User"),
    ]
    state: dict[str, Any] = {
        "selectedColumns": [name for name in columns if name != DURATION],  # it is always there
        "columnOrder": columns,
        "columnWidths": {name: WIDTHS.get(name, WIDTH) for name in columns},
    }
    newest = {**state, "orderByKey": "attributes.start_time", "orderByAsc": False}
    ascending = experiment.direction == "minimize"
    ranked = {**state, "orderByKey": best, "orderByAsc": ascending}
    return {
        SHARED + NEWEST: json.dumps(newest),
        SHARED + RANKED: json.dumps(ranked),
        PRIMARY: metric_name(BEST + experiment.monitor),
    }


def _params(tags: Mapping[str, str]) -> list[str]:
    """The params that a view shows already."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):  # a person may have edited it
        columns = json.loads(tags[SHARED + NEWEST])["selectedColumns"]
        named = [str(name) for name in columns if str(name).startswith("params.`")]
        return [name.removeprefix("params.`").removesuffix("`") for name in named]
    return []
