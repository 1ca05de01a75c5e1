"""Covariates: columns known in the past, known-future columns and the calendar."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shop_series import (
    FUTURE,
    HORIZON,
    WINDOW,
    built,
    experiment_of,
    trained,
)

from rnnkit.data.batches import gather
from rnnkit.errors import InputError
from rnnkit.tasks import prepare
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate


@pytest.mark.parametrize(
    ("task", "covariates", "columns", "targets"),
    [
        ({}, {}, ("x", "price", "visitors", "serial"), ("x",)),
        ({"targets": None}, {}, ("x", "price", "visitors", "serial"), ()),
        ({"targets": None}, {"past": ["price"]}, ("x", "price", "visitors", "serial"), ()),
        ({}, {"past": []}, ("x",), ("x",)),
        ({}, {"past": ["serial"], "future": ["price"]}, ("x", "serial", "price"), ("x",)),
        ({}, {"past": [], "calendar": ["month"]}, ("x", "month sin", "month cos"), ("x",)),
    ],
)
def test_what_each_column_is(
    tmp_path: Path, task: Any, covariates: Any, columns: Any, targets: Any
) -> None:
    experiment = experiment_of(tmp_path, task=task, covariates=covariates)
    prepared, _, _ = built(experiment, tmp_path)
    scaler = prepared.fitted.inputs.scaler
    assert scaler is not None
    assert scaler.columns == columns
    given = covariates.get("past", [])
    assert scaler.targets == (targets or tuple(name for name in columns if name not in given))
    left = [name for name in ("x", "price", "visitors", "serial") if name not in columns]
    told = f"columns that nothing reads: {', '.join(left)}"
    assert (told in prepared.facts["notes"]) == bool(left)


@pytest.mark.parametrize(
    ("task", "covariates", "message"),
    [
        ({}, {"future": ["prise"]}, r"data\.covariates\.future: .* 'prise' \(did you mean price"),
        ({}, {"past": ["y"]}, r"data\.covariates\.past: there is no column 'y'"),
        (
            {"targets": None},
            {"future": ["x", "price", "visitors", "serial"]},
            r"at least one column must be forecast, but all of x, price, visitors, serial are cov",
        ),
    ],
)
def test_columns_that_are_not_there(
    tmp_path: Path, task: Any, covariates: Any, message: str
) -> None:
    experiment = experiment_of(tmp_path, task=task, covariates=covariates)
    with pytest.raises(InputError, match=message):
        prepare(experiment.data, experiment.task, tmp_path)


def test_the_calendar_is_a_circle(tmp_path: Path) -> None:
    import pandas

    from rnnkit.tasks.forecasting.columns import calendar

    times = pandas.Series(pandas.to_datetime(["2024-01-01T06:00", "2024-04-07T18:00"]))
    waves = calendar(times, ["hour", "weekday", "month"])
    assert np.hypot(waves[:, ::2], waves[:, 1::2]) == pytest.approx(np.ones((2, 3)))
    assert waves[0] == pytest.approx([1, 0, 0, 1, 0, 1], abs=1e-12)  # six, Monday, January
    sunday = 2 * math.pi * 6 / 7
    expected = [-1, 0, math.sin(sunday), math.cos(sunday), 1, 0]  # eighteen, Sunday, April
    assert waves[1] == pytest.approx(expected, abs=1e-12)
    prepared, _, _ = built(experiment_of(tmp_path, **FUTURE), tmp_path)
    hour = prepared.splits["train"].inputs[:24, -2:]  # not scaled
    assert hour[6].tolist() == pytest.approx([1, 0], abs=1e-6)


def test_a_batch_shows_what_is_known_ahead_and_nothing_else(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path, **FUTURE), tmp_path)
    split = prepared.splits["test"]
    assert (prepared.fitted.inputs.features, split.known) == (6, 3)
    batch = gather(split, torch.tensor([2, 5]), "post", torch.float32)
    assert batch.inputs.shape == (2, WINDOW + HORIZON, 6)
    for k, item in enumerate((2, 5)):
        start = int(split.target_start[item])
        past, ahead = split.inputs[start - WINDOW : start], split.inputs[start : start + HORIZON]
        assert torch.equal(batch.inputs[k, :WINDOW, :5], past)
        assert torch.equal(batch.inputs[k, WINDOW:, 2:5], ahead[:, 2:])
        assert (batch.inputs[k, WINDOW:, :2] == 0).all()  # the target and what only the past knows
        assert batch.inputs[k, :, 5].tolist() == [0] * WINDOW + [1] * HORIZON


@pytest.mark.parametrize("relative_to", ["zero", "last", "season"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_no_unknown_value_leaks_into_a_forecast_and_known_ones_count(
    tmp_path: Path, relative_to: str, bidirectional: bool
) -> None:
    experiment = experiment_of(tmp_path, task={"relative_to": relative_to}, **FUTURE)
    experiment = experiment.replace({"model.bidirectional": bidirectional})
    prepared, task, network = built(experiment, tmp_path)
    split = prepared.splits["test"]
    row = int(split.target_start[3])

    def forecast(column: int | None, at: int) -> torch.Tensor:
        inputs = split.inputs.clone()
        if column is not None:
            inputs[at, column] += 5
        batch = gather(replace(split, inputs=inputs), torch.tensor([3]), "post", torch.float32)
        with torch.no_grad():
            return task.forecast(network(batch.inputs, None), batch.inputs)  # type: ignore[attr-defined]

    usual = forecast(None, 0)
    assert usual.shape == (1, HORIZON, 1)
    for ahead in range(HORIZON):
        for hidden in (0, 1):  # x, visitors
            assert torch.equal(forecast(hidden, row + ahead), usual)
        for known in (2, 3, 4):  # price, hour
            assert not torch.equal(forecast(known, row + ahead), usual)
    for column in range(5):
        assert not torch.equal(forecast(column, row - 2), usual)
    assert torch.equal(forecast(2, row + HORIZON), usual)  # behind the horizon


@pytest.mark.parametrize("relative_to", ["last", "season"])
def test_relative_forecasts_that_know_the_future_begin_at_their_baseline(
    tmp_path: Path, relative_to: str
) -> None:
    experiment = experiment_of(tmp_path, task={"relative_to": relative_to}, **FUTURE)
    prepared, task, network = built(experiment, tmp_path)
    with torch.no_grad():
        network.head.weight.zero_()
    split = prepared.splits["test"]
    found = evaluate(network, task, split, experiment, predictions=False).metrics
    baseline = {"last": "last value", "season": "seasonal naive"}[relative_to]
    assert found["mae"] == pytest.approx(score(task, prepared, split)[baseline]["mae"], rel=1e-5)


def test_a_network_learns_to_use_what_is_known_ahead(tmp_path: Path) -> None:
    """x follows the price of its own hour, which no past can tell."""
    quick = {"epochs": 40, "optimizer": {"kind": "adam", "learning_rate": 0.01}}
    quick["early_stopping"] = None  # type: ignore[assignment]
    blind = experiment_of(tmp_path, train=quick, covariates={"past": ["price"]})
    seeing = experiment_of(tmp_path, train=quick, covariates={"past": [], "future": ["price"]})
    scores = [trained(each, tmp_path)[3]["scaled_mse"] for each in (blind, seeing)]
    assert scores[1] < scores[0] / 3
