"""Values that the source lacks are read, filled, as inputs; they are no truth anywhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from rnnkit.data import sources
from rnnkit.data.batches import gather
from rnnkit.data.prepare.prepared import Prepared, train_and_valid
from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.tasks import Task, load_prepared, prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.tasks.numbers import Forecasts
from rnnkit.training.evaluate import evaluate
from rnnkit.training.trainer import make_network

HORIZON, WINDOW, ROWS = 3, 4, 60
GAPS = {"x": (5, 6, 7, 8, 20, 41, 43, 51, 52, 53, 54, 58), "y": (9, 51, 52, 53, 54, 57)}


def values() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.normal(10, 3, ROWS).round(3) for name in ("x", "y", "z")})
    for name, rows in GAPS.items():
        table.loc[list(rows), name] = np.nan
    table.insert(0, "time", pd.date_range("2024-01-01", periods=ROWS))
    return table


def experiment_of(folder: Path, table: pd.DataFrame, **task: Any) -> Experiment:
    table.to_csv(folder / "a.csv", index=False)
    source = {"kind": "table", "path": str(folder / "a.csv"), "gaps": "interpolate"}
    return Experiment.model_validate(
        {
            "name": "x",
            "task": {"kind": "forecasting", "horizon": HORIZON, "targets": ["x", "y"], **task},
            "data": {
                "source": source,
                "split": {"kind": "time", "valid": 0.2, "test": 0.25},
                "window": WINDOW,
                "scaling": "none",
            },
            "model": {"representation": {"kind": "raw"}, "hidden": 5},
            "train": {"epochs": 1, "batch_size": 7},
        }
    )


def built(experiment: Experiment, folder: Path) -> tuple[Prepared, Task, Any]:
    prepared = prepare(experiment.data, experiment.task, folder)
    task = task_for(experiment.task, prepared)
    return prepared, task, make_network(experiment, task).eval()


def test_metrics_are_over_measured_values(tmp_path: Path) -> None:
    table = values()
    experiment = experiment_of(tmp_path, table)
    prepared, task, network = built(experiment, tmp_path)
    test = prepared.splits["test"]
    truth = table[["x", "y"]].to_numpy()
    last = table[["x", "y"]].interpolate().to_numpy()
    begins = [b for b in range(45, 58) if not np.isnan(truth[b : b + HORIZON]).all()]
    assert test.item.tolist() == begins
    errors = np.array(
        [[np.abs(last[b - 1] - truth[b + h]) for h in range(HORIZON)] for b in begins]
    )
    baseline = score(task, prepared, test)["last value"]
    assert baseline["mae"] == pytest.approx(np.nanmean(errors), rel=1e-6)
    assert baseline["rmse"] == pytest.approx(np.nanmean(errors**2) ** 0.5, rel=1e-6)
    for step in range(HORIZON):
        expected = np.nanmean(errors[:, step])
        assert baseline[f"mae_step_{step + 1}"] == pytest.approx(expected, rel=1e-6)
    assert baseline["missing_truth"] == np.isnan(errors).sum() > 0
    scores = evaluate(network, task, test, experiment, predictions=True)
    assert scores.metrics["missing_truth"] == baseline["missing_truth"]
    there = (~np.isnan(errors)).sum()
    assert scores.counted["mae"] == (
        f"over {there} of {errors.size} values; {np.isnan(errors).sum()} are missing from the "
        "source and not scored"
    )
    assert scores.predictions is not None
    rows = scores.predictions["row"].to_numpy()
    for k, name in enumerate(("x", "y")):
        np.testing.assert_allclose(
            scores.predictions[f"truth {name}"], truth[rows, k].astype(np.float32)
        )
    measured = Forecasts(scores.predictions, experiment.task).measured()
    assert measured.items["weight"].sum() == there
    mean = measured.items["total"].sum() / measured.items["weight"].sum()
    assert mean == pytest.approx(scores.metrics["mae"])
    _, worst = Forecasts(scores.predictions, experiment.task).mistakes(None)  # type: ignore[arg-type]
    assert all(np.isfinite(row["error"]) for row in worst)
    dense = truth[~np.isnan(truth).all(axis=1)]
    assert len(dense) < len(truth)


def test_baselines_and_mase_are_fitted_on_measured_values(tmp_path: Path) -> None:
    table = values()
    table.loc[32, "x"] = np.nan  # the last training row
    prepared, task, _ = built(experiment_of(tmp_path, table), tmp_path)
    test = prepared.splits["test"]
    truth = table[["x", "y"]].to_numpy()
    filled = table[["x", "y"]].interpolate().to_numpy()
    train, steps = truth[:33], np.arange(HORIZON)
    ends = np.array([(train[31, 0] - train[0, 0]) / 31, (train[32, 1] - train[0, 1]) / 32])
    rows = test.target_start.numpy()
    wanted = truth[rows[:, None] + steps]
    naive = np.nanmean(np.abs(np.diff(train, axis=0)), axis=0)
    scores = score(task, prepared, test)
    for name, forecast in (
        ("training mean", np.nanmean(train, axis=0)),
        ("drift", filled[rows - 1][:, None] + (steps + 1)[:, None] * ends),
    ):
        errors = np.abs(wanted - forecast)
        assert scores[name]["mae"] == pytest.approx(np.nanmean(errors))
        assert scores[name]["mase"] == pytest.approx(np.nanmean(errors / naive))


@pytest.mark.parametrize("task", [{}, {"loss": "absolute"}, {"loss": "quantile"}])
def test_filled_targets_have_no_effect(tmp_path: Path, task: dict[str, Any]) -> None:
    """Other values in their place change no loss, no gradient and no metric."""
    experiment = experiment_of(tmp_path, values(), **task)
    prepared, of_task, network = built(experiment, tmp_path)
    assert of_task.prepared is prepared
    for split in prepared.splits.values():
        assert split.measured is not None
        other = replace(split, targets=split.targets.where(split.measured, 1e4))
        results = []
        for part in (split, other):
            network.zero_grad()
            batch = gather(part, torch.arange(min(9, len(part))), "post", torch.float32)
            loss = of_task.loss(network(batch.inputs, None), batch)
            loss.backward()
            gradients = torch.cat([p.grad.flatten() for p in network.parameters()])
            metrics = evaluate(network, of_task, part, experiment, predictions=False).metrics
            results.append((loss, gradients, metrics))
        (loss, gradients, metrics), (other_loss, other_gradients, other_metrics) = results
        assert loss == other_loss
        assert torch.equal(gradients, other_gradients)
        assert metrics == other_metrics


def test_a_series_without_gaps_has_no_mask(tmp_path: Path) -> None:
    table = values().interpolate(limit_direction="both")
    prepared, task, _ = built(experiment_of(tmp_path, table), tmp_path)
    assert prepared.splits["test"].measured is None
    assert "missing_truth" not in score(task, prepared, prepared.splits["test"])["last value"]
    table = values()
    table.loc[30, "z"] = np.nan
    table[["x", "y"]] = table[["x", "y"]].interpolate()
    prepared, _, _ = built(experiment_of(tmp_path, table), tmp_path)
    assert prepared.splits["test"].measured is None  # z is no target


def test_the_mask_is_stored_and_joined(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, values())
    prepared, _, _ = built(experiment, tmp_path)
    place = tmp_path / "prepared" / prepared.sha256
    again = load_prepared(place, experiment.data, experiment.task)
    measured = again.splits["train"].measured
    assert measured is not None
    assert measured is again.splits["test"].measured
    expected = ~values()[["x", "y"]].isna().to_numpy()
    assert measured.numpy().tolist() == expected.tolist()
    assert train_and_valid(again).splits["train"].measured is measured
    assert prepared.facts["missing_truth"] == {"train": 6, "valid": 2, "test": 10}
    assert prepared.notes[-1] == (
        "filled values are neither learned as targets nor scored: 6 of train, 2 of valid, 10 of "
        "test; windows that forecast nothing else, left out: 2"
    )


def test_a_new_file_is_scored_on_its_measured_values(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, values())
    prepared, _, _ = built(experiment, tmp_path)
    frame = sources.read(experiment.data.source, experiment.data.split)
    split = prepared.fitted.encode(frame, np.arange(len(frame)), "new")
    assert split.measured is not None
    assert int((~split.measured).sum()) == sum(map(len, GAPS.values()))
    assert 51 not in split.item.tolist()


def test_a_split_of_filled_values_alone_is_refused(tmp_path: Path) -> None:
    table = values()
    table.loc[45:58, ["x", "y"]] = np.nan
    table = table.iloc[:59].copy()
    table.loc[58, ["x", "y"]] = [1.0, 2.0]
    experiment = experiment_of(tmp_path, table, horizon=2)
    data = experiment.replace(
        {"data.split": {"kind": "time", "valid": 0.2, "test": "2024-02-16", "until": "2024-02-25"}}
    ).data
    with pytest.raises(InputError, match=r"test has 9 rows and needs horizon 2, after 4 rows of "):
        prepare(data, experiment.task, tmp_path)
    frame = sources.read(data.source, data.split).iloc[45:58]
    prepared, _, _ = built(experiment_of(tmp_path, values()), tmp_path)
    with pytest.raises(InputError, match=r"with a value in it that is not filled"):
        prepared.fitted.encode(frame.reset_index(drop=True), np.arange(13), "new")
