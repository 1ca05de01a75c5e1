"""`data.scaling: log`: trained, scored and refused."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from pydantic import ValidationError
from shop_series import experiment_of
from trained_runs import finish_in

from rnnkit.errors import InputError
from rnnkit.evaluation.champion import champion_predictions
from rnnkit.inference.predict import load
from rnnkit.params import Experiment
from rnnkit.tasks import prepare


def sales(folder: Path, values: list[float]) -> dict[str, Any]:
    """Hourly sales, and a heat that is sometimes negative."""
    rows = [
        f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00,{value},{math.sin(t)}"
        for t, value in enumerate(values)
    ]
    (folder / "sales.csv").write_text("\n".join(["time,x,heat", *rows]))
    return {"kind": "table", "path": str(folder / "sales.csv")}


def growing(folder: Path, scaling: str = "log", **task: Any) -> Experiment:
    """Sales that grow by 2 % an hour, with hours without any."""
    values = [0.0 if t % 11 == 0 else 1.02**t * (2 + math.sin(t * t)) for t in range(300)]
    return experiment_of(folder, source=sales(folder, values), scaling=scaling, task=task)


def test_forecasts_and_intervals_of_logs_are_never_negative(tmp_path: Path) -> None:
    run = finish_in(tmp_path, growing(tmp_path), "x-1")
    table = pandas.read_parquet(run.folder.path / "predictions.parquet")
    forecasts = table[[name for name in table if not name.startswith(("truth", "row", "time"))]]
    assert forecasts.min().min() >= 0
    # The scaled errors are those of the logarithms.
    scaler = run.prepared.fitted.inputs.scaler
    logs = np.log1p(table["forecast x"]) - np.log1p(table["truth x"])
    scaled = (logs / scaler.scale[0]).abs()
    assert run.result["test"]["scaled_mae"] == pytest.approx(scaled.mean(), rel=1e-5)
    assert run.result["test"]["scaled_mse"] == pytest.approx((scaled**2).mean(), rel=1e-5)
    errors = (table["forecast x"] - table["truth x"]).abs()
    assert run.result["test"]["mae"] == pytest.approx(errors.mean())
    # A drift that would fall below 0 counts as 0 on the scale of logarithms.
    assert all(math.isfinite(m["scaled_mse"]) for m in run.result["baselines"].values())
    window = np.column_stack([np.arange(6.0), np.zeros(6)])
    predictor = load(run.folder.path)
    assert min(np.ravel(predictor([window])[0]["quantiles"]["0.05"])) >= 0
    window[2, 0] = -1
    with pytest.raises(InputError, match=r"input 1: data\.scaling: log is for values that are nev"):
        predictor([window])


def test_a_zero_network_forecasts_the_last_value_of_logs_too(tmp_path: Path) -> None:
    import torch

    from rnnkit.tasks import task_for
    from rnnkit.tasks.baselines import score
    from rnnkit.training.evaluate import evaluate
    from rnnkit.training.trainer import make_network

    experiment = growing(tmp_path, relative_to="last")
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    task = task_for(experiment.task, prepared)
    network = make_network(experiment, task)
    with torch.no_grad():
        network.head.weight.zero_()
    split = prepared.splits["test"]
    metrics = evaluate(network, task, split, experiment, predictions=False).metrics
    beside = score(task, prepared, split)["last value"]
    for name in ("mae", "rmse", "scaled_mse", "scaled_mae"):
        assert metrics[name] == pytest.approx(beside[name], rel=1e-4)


@pytest.mark.parametrize("place", [10, 250])
def test_a_negative_value_is_refused(tmp_path: Path, place: int) -> None:
    values = [float(t) for t in range(300)]
    values[place] = -2.5
    experiment = experiment_of(tmp_path, source=sales(tmp_path, values), scaling="log")
    with pytest.raises(InputError, match=r"never negative, but column 'x' has -2\.5; choose stan"):
        prepare(experiment.data, experiment.task, tmp_path)


def test_logs_are_for_forecasting(tmp_path: Path) -> None:
    tree = {
        "name": "x",
        "task": {"kind": "classification"},
        "data": {"source": {"kind": "builtin", "name": "digits"}, "scaling": "log"},
        "model": {"representation": {"kind": "raw"}},
    }
    with pytest.raises(ValidationError, match=r"data\.scaling: log is for the targets of forecas"):
        Experiment.model_validate(tree)


def test_a_champion_with_logs_is_compared_with_logs_alone(tmp_path: Path) -> None:
    runs = {
        scaling: finish_in(tmp_path, growing(tmp_path, scaling), f"{scaling}-1")
        for scaling in ("log", "standard")
    }
    logs, plain = (load(run.folder.path) for run in runs.values())
    newer = runs["log"]
    predictions = champion_predictions(logs, logs.experiment, newer.prepared)
    own = pandas.read_parquet(newer.folder.path / "predictions.parquet")
    assert predictions.table["forecast x"].tolist() == pytest.approx(own["forecast x"].tolist())
    with pytest.raises(InputError, match=r"one of the two models has data\.scaling: log"):
        champion_predictions(plain, logs.experiment, newer.prepared)
