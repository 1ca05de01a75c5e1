"""MAPE, sMAPE and MASE: the source's own numbers, defined or left out, as other programs count."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_baselines import beside, forecast, series

from rnnkit.errors import InputError
from rnnkit.params import Experiment
from rnnkit.params.task import Forecasting
from rnnkit.tasks import prepare, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.cost import estimate
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import State
from rnnkit.training.trainer import make_network

BEER = """
443 410 420 532 433 421 410 512 449 381 423 531 426 408 416 520 409 398 398 507 432 398 406 526 428
397 403 517 435 383 424 521 421 402 414 500 451 380 416 492 428 408 406 506 435 380 421 490 435 390
412 454 416 403 408 482 438 386 405 491 427 383 394 473 420 390 410 488 415 398 419 488 414 374
"""
"""Australian beer production by quarters, 1992 to the middle of 2010, in megalitres (Australian
Bureau of Statistics 8301.0.55.001; `aus_production` of the R package tsibbledata)."""

TABLE = {
    "drift": (64.90, 58.88, 14.58, 4.12),
    "training mean": (38.45, 34.83, 8.28, 2.44),
    "last value": (62.69, 57.40, 14.18, 4.01),
    "seasonal naive": (14.31, 13.40, 3.17, 0.94),
}
"""RMSE, MAE, MAPE in percent and MASE: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles
and practice, 3rd edition, section 5.8 (trained until 2007, ten quarters ahead)."""

SMAPE = {
    "drift": 0.06688420698974792,
    "training mean": 0.040591938593181665,
    "last value": 0.06534526118152673,
    "seasonal naive": 0.01599931284945531,
}
"""Of the same forecasts, between 0 and 1, half of ours: utilsforecast 0.2.17, `losses.smape`."""


def test_beer_production_as_in_the_textbook_and_utilsforecast() -> None:
    values = torch.tensor([float(value) for value in BEER.split()])[:, None]
    train, test = series(values, [20, 40], 20, 10), series(values, [64], 20, 10)
    task = Forecasting(horizon=10, season=4)
    metrics = beside(task, forecast(task, 20, 64, train=train, test=test))
    for name, (rmse, mae, percent, mase) in TABLE.items():
        own = metrics[name]
        assert (own["rmse"], own["mae"]) == pytest.approx((rmse, mae), abs=0.005001), name
        assert 100 * own["mape"] == pytest.approx(percent, abs=0.005001), name
        assert own["mase"] == pytest.approx(mase, abs=0.005001), name
        assert own["smape"] == pytest.approx(2 * SMAPE[name], rel=1e-12), name


def experiment_of(folder: Path, values: list[float], **changes: Any) -> Experiment:
    """Hourly rows of one column, an eighth of them each for valid and test."""
    rows = [f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00,{y!r}" for t, y in enumerate(values)]
    (folder / "a.csv").write_text("\n".join(["time,load", *rows]))
    params = {
        "name": "x",
        "task": {"kind": "forecasting", "horizon": 2},
        "data": {
            "source": {"kind": "table", "path": str(folder / "a.csv")},
            "split": {"kind": "time", "valid": 0.125, "test": 0.125},
            "window": 4,
        },
        "model": {"representation": {"kind": "raw"}, "hidden": 4},
        "train": {"epochs": 1},
    }
    return Experiment.model_validate(params).replace(changes)


def scores(folder: Path, values: list[float], **changes: Any) -> tuple[Any, Any, Any]:
    """The untrained network's scores on test, the baselines', and the prepared data."""
    experiment = experiment_of(folder, values, **changes)
    prepared = prepare(experiment.data, experiment.task, folder)
    task, split = task_for(experiment.task, prepared), prepared.splits["test"]
    network = make_network(experiment, task)
    return evaluate(network, task, split, experiment, True), score(task, prepared, split), prepared


INTERMITTENT = [float(t % 3 == 0) * (1 + t % 5) * 0.7 for t in range(96)]


@pytest.mark.parametrize("scaling", ["standard", "minmax", "none"])
def test_zeros_are_left_out_of_mape_and_stand_in_the_predictions(
    tmp_path: Path, scaling: str
) -> None:
    found, beside, _ = scores(tmp_path, INTERMITTENT, **{"data.scaling": scaling})
    truth = found.predictions["truth load"]
    assert truth.tolist() == [INTERMITTENT[row] for row in found.predictions["row"]]
    assert found.metrics["mape_excluded"] == (truth == 0).sum() > 10
    assert found.metrics["mape"] < 10
    zero = found.predictions["forecast load"] * 0 == truth
    assert zero.sum() == found.metrics["mape_excluded"]
    # Last value: where it and the observation are 0, the error is 0.
    rows, steps = found.predictions["row"], found.predictions["step"]
    last = [INTERMITTENT[row - step] for row, step in zip(rows, steps, strict=True)]
    sizes = [abs(f) + abs(y) for f, y in zip(last, truth, strict=True)]
    terms = [
        2 * abs(f - y) / size if size else 0.0
        for f, y, size in zip(last, truth, sizes, strict=True)
    ]
    assert 0.0 in sizes
    assert beside["last value"]["smape"] == pytest.approx(sum(terms) / len(terms), rel=1e-12)


def test_small_units_change_no_ratio(tmp_path: Path) -> None:
    """torchmetrics divides by 1.17e-6 at least."""
    values = [2.0 + t % 7 for t in range(96)]
    _, large, _ = scores(tmp_path, values)
    _, small, _ = scores(tmp_path, [value * 2.0**-40 for value in values])
    for name in ("mape", "smape", "mase"):
        for baseline, metrics in large.items():
            assert small[baseline][name] == pytest.approx(metrics[name], rel=1e-9), baseline


def test_mase_drift_and_mean_do_not_depend_on_the_window_or_the_limit(tmp_path: Path) -> None:
    values = [t + 5 * (t % 6) + (40 if t < 10 else 0.0) for t in range(96)]
    _, short, _ = scores(tmp_path, values, **{"task.season": 6})
    for changes in ({"data.window": 30}, {"data.limit": 11}):
        _, other, _ = scores(tmp_path, values, **{"task.season": 6}, **changes)
        for baseline, metrics in short.items():
            for name in ("mae", "mase"):
                assert other[baseline][name] == pytest.approx(metrics[name], rel=1e-12), baseline
    train = torch.tensor(values[:72], dtype=torch.float64)
    naive = float((train[6:] - train[:-6]).abs().mean())
    assert short["last value"]["mase"] == pytest.approx(short["last value"]["mae"] / naive)
    slope = (values[71] - values[0]) / 71
    errors = [
        abs(values[row + h] - values[row - 1] - (h + 1) * slope)
        for row in range(84, 95)
        for h in range(2)
    ]
    assert short["drift"]["mae"] == pytest.approx(sum(errors) / len(errors), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "season", "why"),
    [
        (
            INTERMITTENT,
            72,
            "mase does not exist for valid and test: a season of 72 rows needs more for training "
            "than the 72 there are",
        ),
        (
            [3.0] * 72 + INTERMITTENT[:24],
            2,
            "mase does not exist for valid and test: the seasonal naive error of the training "
            "rows is 0",
        ),
    ],
)
def test_mase_without_a_scale_is_left_out_and_told(
    tmp_path: Path, values: list[float], season: int, why: str
) -> None:
    found, beside, prepared = scores(tmp_path, values, **{"task.season": season})
    assert why in prepared.notes
    assert "mase" not in found.metrics
    assert all("mase" not in metrics and metrics["mae"] > 0 for metrics in beside.values())


def test_a_season_shorter_than_the_training_rows_is_used(tmp_path: Path) -> None:
    found, _, prepared = scores(tmp_path, INTERMITTENT, **{"task.season": 71})
    naive = abs(INTERMITTENT[71] - INTERMITTENT[0])
    assert found.metrics["mase"] == pytest.approx(found.metrics["mae"] / naive)
    assert not prepared.notes


def test_mase_of_several_columns_leaves_out_the_constant_one_and_says_so() -> None:
    values = torch.stack([torch.ones(30), torch.arange(30.0)], dim=1)
    values[20:, 0] = 7.0
    task = Forecasting(horizon=1)
    data = forecast(
        task,
        4,
        20,
        **{
            name: series(values, first, 4, 1)
            for name, first in {"train": [4, 5], "valid": [20], "test": [24, 25]}.items()
        },
    )
    scaler = replace(
        data.fitted.inputs.scaler,
        columns=("x", "y"),
        targets=("x", "y"),
        offset=(0.0, 0.0),
        scale=(1.0, 1.0),
    )
    inputs = replace(data.fitted.inputs, scaler=scaler)
    data = replace(data, fitted=replace(data.fitted, inputs=inputs), facts={"notes": []})
    assert beside(task, data)["last value"]["mase"] == pytest.approx(1.0)  # of y alone
    assert data.notes == [
        "mase leaves out 1 of 2 columns of series, whose seasonal naive error is 0 or whose "
        "training rows are no more than a season"
    ]


@pytest.mark.parametrize(
    ("values", "changes", "message"),
    [
        (
            [*INTERMITTENT[:72], *[0.0] * 12, *INTERMITTENT[:12]],
            {"train.monitor": "valid/mape"},
            r"train.monitor: valid/mape does not exist for the validation split: every observation "
            r"is 0; choose one of valid/loss, valid/mae, valid/rmse, valid/smape",
        ),
        (
            INTERMITTENT,
            {"train.monitor": "valid/mase", "task.season": 80},
            r"train.monitor: valid/mase does not exist .* a season of 80 rows needs more",
        ),
    ],
)
def test_a_monitor_that_does_not_exist_is_refused(
    tmp_path: Path, values: list[float], changes: dict[str, Any], message: str
) -> None:
    experiment = experiment_of(tmp_path, values, **changes)
    prepared = prepare(experiment.data, experiment.task, tmp_path)
    with pytest.raises(InputError, match=message):
        next(train(experiment, prepared, State.start()))
    with pytest.raises(InputError, match=message):
        estimate(experiment, prepared)
