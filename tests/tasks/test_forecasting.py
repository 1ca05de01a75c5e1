"""What a forecast is relative to: nothing, the last value, or the season before."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from rnnkit.params import Experiment
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate
from rnnkit.training.trainer import make_network


def experiment_of(folder: Path, relative_to: str, horizon: int) -> Experiment:
    """Two series with a season of 6, a trend and something else, in 200 rows."""
    rows = ["time,a,b"]
    for t in range(200):
        season, rest = math.sin(t / 6 * 2 * math.pi), math.sin(t * t)
        rows.append(
            f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00,{season + t / 50 + rest},{rest * 3}"
        )
    (folder / "a.csv").write_text("\n".join(rows))
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {
                "kind": "forecasting",
                "horizon": horizon,
                "season": 6,
                "targets": ["b", "a"],
                "relative_to": relative_to,
            },
            "data": {
                "source": {"kind": "table", "path": str(folder / "a.csv")},
                "split": {"kind": "time", "valid": 0.2, "test": 0.2},
                "window": 12,
            },
            "model": {"representation": {"kind": "raw"}, "hidden": 8},
        }
    )


def built(folder: Path, relative_to: str, horizon: int) -> tuple[Any, Any, Any, Experiment]:
    experiment = experiment_of(folder, relative_to, horizon)
    prepared = prepare(experiment.data, experiment.task, folder)
    task = task_for(experiment.task, prepared)
    return make_network(experiment, task).eval(), task, prepared, experiment


@pytest.mark.parametrize("horizon", [1, 4, 15])
@pytest.mark.parametrize(
    ("relative_to", "baseline"), [("last", "last value"), ("season", "seasonal naive")]
)
def test_a_network_that_says_nothing_is_the_baseline(
    tmp_path: Path, relative_to: str, baseline: str, horizon: int
) -> None:
    network, task, prepared, experiment = built(tmp_path, relative_to, horizon)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
    split = prepared.splits["test"]
    found = evaluate(network, task, split, experiment, predictions=True)
    beside = score(task, prepared, split)[baseline]
    for name in ("mae", "rmse", "scaled_mse", "mase"):
        assert found.metrics[name] == pytest.approx(beside[name], rel=1e-5)
    assert found.predictions is not None
    error = found.predictions["forecast a"] - found.predictions["truth a"]
    other = found.predictions["forecast b"] - found.predictions["truth b"]
    assert float((error.abs().mean() + other.abs().mean()) / 2) == pytest.approx(
        beside["mae"], rel=1e-5
    )


@pytest.mark.parametrize(
    ("relative_to", "follows"), [("zero", False), ("last", True), ("season", True)]
)
def test_a_relative_forecast_follows_the_level_of_its_window(
    tmp_path: Path, relative_to: str, follows: bool
) -> None:
    network, task, _, _ = built(tmp_path, relative_to, 4)
    window = torch.randn(3, 12, 2, generator=torch.Generator().manual_seed(0))

    def forecast(inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return task.forecast(network(inputs, None), inputs)

    shifted = forecast(window + torch.tensor([5.0, -2.0]))
    level = torch.tensor([-2.0, 5.0])  # the targets stand in another order than the columns
    assert torch.allclose(shifted, forecast(window) + level, atol=1e-4) == follows
