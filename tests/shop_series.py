"""Three series of hours in one table, and forecasting experiments on them."""

import math
from pathlib import Path
from typing import Any

from rnnkit.data.prepare.prepared import Prepared
from rnnkit.params import Experiment
from rnnkit.tasks import Task, prepare, task_for
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import Epoch, State
from rnnkit.training.trainer import make_network

ROWS = {"b": 40, "a": 60, "short": 5}
HORIZON, WINDOW = 3, 6


def write(folder: Path) -> Path:
    """Three series of hours, mixed; b is a thousand times as large. x = 10 · price of that hour."""
    lines = []
    for name, rows in ROWS.items():
        size = 1_000 if name == "b" else 1
        for t in range(rows):
            price = math.sin(t * t)
            value = size * (10 * price + t / 10)
            stamp = f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00"
            lines.append(f"{stamp},{name},{value},{price},{t % 7},{t}")
    lines.sort(key=lambda line: line.split(",")[5])  # the rows of the series lie mixed
    path = folder / "shops.csv"
    path.write_text("\n".join(["time,shop,x,price,visitors,serial", *lines]))
    return path


def experiment_of(folder: Path, *, task: Any = None, train: Any = None, **data: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {
                "kind": "forecasting",
                "horizon": HORIZON,
                "targets": ["x"],
                "season": 4,
                **(task or {}),
            },
            "data": {
                "source": {"kind": "table", "path": str(write(folder)), "id": "shop"},
                "split": {"kind": "time", "valid": 0.2, "test": 0.2},
                "window": WINDOW,
                **data,
            },
            "model": {"representation": {"kind": "raw"}, "hidden": 12},
            "train": {"epochs": 2, "batch_size": 8, **(train or {})},
        }
    )


def built(experiment: Experiment, folder: Path) -> tuple[Prepared, Task, Any]:
    prepared = prepare(experiment.data, experiment.task, folder)
    task = task_for(experiment.task, prepared)
    return prepared, task, make_network(experiment, task).eval()


FUTURE = {"covariates": {"past": ["visitors"], "future": ["price"], "calendar": ["hour"]}}


def trained(experiment: Experiment, folder: Path) -> tuple[Prepared, Task, Any, dict[str, float]]:
    prepared, task, network = built(experiment, folder)
    *_, last = (r for r in train(experiment, prepared, State.start()) if isinstance(r, Epoch))
    network.load_state_dict(last.state.weights)
    split = prepared.splits["test"]
    return (
        prepared,
        task,
        network,
        evaluate(network, task, split, experiment, predictions=False).metrics,
    )


# Quantiles
QUANTILE = {"loss": "quantile", "quantiles": [0.1, 0.4, 0.5, 0.9]}
