"""Several series in one table, covariates, and what a forecast may know."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rnnkit.data.batches import gather
from rnnkit.data.prepare import prepare
from rnnkit.data.prepare.prepared import PARTS, Prepared
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.params import Experiment
from rnnkit.tasks import Task, task_for
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import Epoch, State, make_network, train

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


# Several series


def test_each_series_is_split_and_scaled_by_itself(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path), tmp_path)
    scaler = prepared.scaler
    assert scaler is not None
    assert (scaler.series, scaler.begin) == (("a", "b"), (0, 60))
    assert prepared.facts["series"] == {"kept": 2, "left_out": 1}
    assert prepared.facts["notes"] == [
        "1 of 3 series were left out: their training rows are too few for a window"
    ]
    assert prepared.facts["rows"] == {"train": 36 + 24, "valid": 12 + 8, "test": 12 + 8}
    assert prepared.facts["unused"] == 5
    inputs = prepared.parts["train"].inputs.double()
    for rows in (inputs[:36], inputs[60 : 60 + 24]):  # by its own training rows alone
        assert rows.mean(dim=0).abs().max() < 1e-6
        assert rows.std(dim=0, correction=0).sub(1).abs().max() < 1e-6
    units = scaler.inverse(prepared.parts["test"].targets[[0, 60]], torch.tensor([0, 60]))
    assert units.flatten().tolist() == pytest.approx([0, 0], abs=1e-2)
    with pytest.raises(ValueError, match=r"rows must say to which each value belongs"):
        scaler.inverse(inputs[:, :1])


def test_no_window_crosses_into_another_series(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path), tmp_path)
    ends = {"a": (0, 60), "b": (60, 100)}
    for part in prepared.parts.values():
        last = part.target_start + HORIZON
        for first, stop in zip(part.input_start.tolist(), last.tolist(), strict=True):
            assert any(low <= first and stop <= high for low, high in ends.values())
    train = prepared.parts["train"]
    assert len(train) == (36 - 9 + 1) + (24 - 9 + 1)
    assert len(prepared.parts["test"]) == (12 - 2) + (8 - 2)


def test_moments_are_the_same_for_all_series(tmp_path: Path) -> None:
    split = {"kind": "time", "valid": "2024-01-02T00:00", "test": "2024-01-02T12:00"}
    prepared, _, _ = built(experiment_of(tmp_path, split=split), tmp_path)
    assert prepared.facts["rows"] == {"train": 48, "valid": 24, "test": 24 + 4}
    assert prepared.facts["time"]["valid"] == ["2024-01-02T00:00:00", "2024-01-02T11:00:00"]


def test_a_limit_takes_the_latest_times_of_all_series(tmp_path: Path) -> None:
    split = {"kind": "time", "valid": "2024-01-02T00:00", "test": "2024-01-02T12:00"}
    prepared, _, _ = built(experiment_of(tmp_path, split=split, limit=4), tmp_path)
    assert prepared.parts["valid"].item.tolist() == [32, 33, 60 + 32, 60 + 33]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 40}, r"train has 36 rows at most in any of 3 series and needs window 40"),
        (
            {"split": {"kind": "time", "valid": "2024-01-03", "test": "2024-01-03T12:00"}},
            r"but test has 0 rows at most in any of 3 series and needs horizon 3, after 6",
        ),
    ],
)
def test_series_without_any_window_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    experiment = experiment_of(tmp_path, **change)
    with pytest.raises(InputError, match=message):
        prepare(experiment.data, experiment.task, tmp_path)


def test_baselines_and_predictions_are_in_each_series_units(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, task={"relative_to": "last"})
    prepared, task, network = built(experiment, tmp_path)
    with torch.no_grad():
        network.head.weight.zero_()
    part = prepared.parts["test"]
    found = evaluate(network, task, part, experiment, predictions=True)
    beside = score(task, prepared, part)
    for name in ("mae", "rmse", "mase", "scaled_mse"):
        assert found.metrics[name] == pytest.approx(beside["last value"][name], rel=1e-4)
    table = found.predictions
    assert table is not None
    raw = np.array([[10 * math.sin(t * t) + t / 10, t] for t in range(60)])
    for name, begin, size in (("a", 0, 1), ("b", 60, 1_000)):
        own = table[table["series"] == name]
        assert own["truth x"].to_numpy() == pytest.approx(
            size * raw[own["row"] - begin, 0], rel=1e-4, abs=1e-4 * size
        )
    # By hand: the seasonal naive error of each series' training rows that windows forecast.
    errors = []
    for name, begin, train_rows, size in (("a", 0, 36, 1), ("b", 60, 24, 1_000)):
        values = size * raw[WINDOW:train_rows, 0]
        naive = np.abs(values[4:] - values[:-4]).mean()
        own = table[table["series"] == name]
        last = size * raw[own["row"] - begin - own["step"], 0]
        errors.append(np.abs(last - own["truth x"]) / naive)
    assert beside["last value"]["mase"] == pytest.approx(np.concatenate(errors).mean(), rel=1e-4)
    assert beside["training mean"]["scaled_mse"] > 0


def test_the_season_before_the_first_row_is_the_series_own_first_value() -> None:
    from rnnkit.tasks.baselines.forecasts import Past

    values = torch.arange(8.0)[:, None]
    scaler = Scaler(("x",), ("x",), (0.0, 0.0), (1.0, 1.0), 0, ("a", "b"), (0, 4))
    past = Past(values, torch.tensor([2, 6]), scaler)
    assert past(torch.tensor([-4, -1])).flatten().tolist() == [0, 1, 4, 5]


# Columns


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
    scaler = prepared.scaler
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

    from rnnkit.data.prepare.calendar import calendar

    times = pandas.Series(pandas.to_datetime(["2024-01-01T06:00", "2024-04-07T18:00"]))
    waves = calendar(times, ["hour", "weekday", "month"])
    assert np.hypot(waves[:, ::2], waves[:, 1::2]) == pytest.approx(np.ones((2, 3)))
    assert waves[0] == pytest.approx([1, 0, 0, 1, 0, 1], abs=1e-12)  # six, Monday, January
    sunday = 2 * math.pi * 6 / 7
    expected = [-1, 0, math.sin(sunday), math.cos(sunday), 1, 0]  # eighteen, Sunday, April
    assert waves[1] == pytest.approx(expected, abs=1e-12)
    prepared, _, _ = built(experiment_of(tmp_path, **FUTURE), tmp_path)
    hour = prepared.parts["train"].inputs[:24, -2:]  # not scaled
    assert hour[6].tolist() == pytest.approx([1, 0], abs=1e-6)


# What is known ahead


def test_a_batch_shows_what_is_known_ahead_and_nothing_else(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path, **FUTURE), tmp_path)
    part = prepared.parts["test"]
    assert (prepared.features, part.known) == (6, 3)
    batch = gather(part, torch.tensor([2, 5]), "post", torch.float32)
    assert batch.inputs.shape == (2, WINDOW + HORIZON, 6)
    for k, item in enumerate((2, 5)):
        start = int(part.target_start[item])
        past, ahead = part.inputs[start - WINDOW : start], part.inputs[start : start + HORIZON]
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
    part = prepared.parts["test"]
    row = int(part.target_start[3])

    def forecast(column: int | None, at: int) -> torch.Tensor:
        inputs = part.inputs.clone()
        if column is not None:
            inputs[at, column] += 5
        batch = gather(replace(part, inputs=inputs), torch.tensor([3]), "post", torch.float32)
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
    part = prepared.parts["test"]
    found = evaluate(network, task, part, experiment, predictions=False).metrics
    baseline = {"last": "last value", "season": "seasonal naive"}[relative_to]
    assert found["mae"] == pytest.approx(score(task, prepared, part)[baseline]["mae"], rel=1e-5)


def trained(experiment: Experiment, folder: Path) -> tuple[Prepared, Task, Any, dict[str, float]]:
    prepared, task, network = built(experiment, folder)
    *_, last = (r for r in train(experiment, prepared, State.start()) if isinstance(r, Epoch))
    network.load_state_dict(last.state.weights)
    part = prepared.parts["test"]
    return (
        prepared,
        task,
        network,
        evaluate(network, task, part, experiment, predictions=False).metrics,
    )


def test_a_network_learns_to_use_what_is_known_ahead(tmp_path: Path) -> None:
    """x follows the price of its own hour, which no past can tell."""
    quick = {"epochs": 40, "optimizer": {"kind": "adam", "learning_rate": 0.01}}
    quick["early_stopping"] = None  # type: ignore[assignment]
    blind = experiment_of(tmp_path, train=quick, covariates={"past": ["price"]})
    seeing = experiment_of(tmp_path, train=quick, covariates={"past": [], "future": ["price"]})
    scores = [trained(each, tmp_path)[3]["scaled_mse"] for each in (blind, seeing)]
    assert scores[1] < scores[0] / 3


# Quantiles


QUANTILE = {"loss": "quantile", "quantiles": [0.1, 0.4, 0.5, 0.9]}


@pytest.mark.parametrize(
    ("quantiles", "message"),
    [
        ([0.1, 0.9], "hold the median"),
        ([0.9, 0.5, 0.1], "must rise"),
        ([0.5, 0.5, 0.9], "must rise"),
        ([0.0, 0.5, 0.9], "from above 0"),
        ([0.5], "at least three"),
    ],
)
def test_quantiles_that_make_no_interval_are_refused(
    tmp_path: Path, quantiles: list[float], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        experiment_of(tmp_path, task={"loss": "quantile", "quantiles": quantiles})


@pytest.mark.parametrize("covariates", [{}, FUTURE["covariates"]])
def test_quantiles_by_hand(tmp_path: Path, covariates: Any) -> None:
    task_params = QUANTILE | {"targets": ["x", "serial"]}
    experiment = experiment_of(tmp_path, task=task_params, covariates=covariates)
    prepared, task, network = built(experiment, tmp_path)
    part = prepared.parts["test"]
    found = evaluate(network, task, part, experiment, predictions=True)
    table, metrics = found.predictions, found.metrics
    assert table is not None
    losses, inside, width = [], [], []
    for name in ("x", "serial"):
        each = np.stack([table[f"quantile {q:g} {name}"] for q in (0.1, 0.4, 0.5, 0.9)], axis=1)
        truth = table[f"truth {name}"].to_numpy()
        assert (np.diff(each, axis=1) >= 0).all()
        assert (each[:, 2] == table[f"forecast {name}"]).all()
        missed = truth[:, None] - each
        levels = np.array([0.1, 0.4, 0.5, 0.9])
        losses.append(np.where(missed > 0, levels * missed, (levels - 1) * missed))
        inside.append((each[:, 0] <= truth) & (truth <= each[:, -1]))
        width.append(each[:, -1] - each[:, 0])
    assert metrics["pinball"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert metrics["coverage"] == pytest.approx(np.mean(inside))
    assert metrics["interval_width"] == pytest.approx(np.mean(width), rel=1e-5)
    assert "pinball" in experiment.task.metrics
    plain = experiment_of(tmp_path)
    assert "pinball" not in plain.task.metrics
    with pytest.raises(ValidationError, match=r"train\.monitor: must be one of"):
        experiment_of(tmp_path, train={"monitor": "valid/pinball"})


def test_the_pinball_loss_finds_the_quantiles_of_noise() -> None:
    from rnnkit.nn.losses import pinball

    noise = torch.randn(4_000, generator=torch.Generator().manual_seed(0)).double()
    levels = torch.tensor([0.1, 0.5, 0.9]).double()
    answer = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([answer], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        pinball(answer.expand(len(noise), 3), noise, levels).mean().backward()
        optimizer.step()
    # Near its least value the loss is flat: a step of 0.05 leaves a few hundredths.
    assert torch.allclose(answer.detach(), noise.quantile(levels), atol=0.05)
    with pytest.raises(ValueError, match=r"one output for each target and quantile is needed"):
        pinball(torch.zeros(4, 2), torch.zeros(4), levels)


# A finished model


@pytest.mark.parametrize("data", [{}, FUTURE])
@pytest.mark.parametrize("task_params", [{}, QUANTILE, {"relative_to": "season"}])
def test_a_predictor_gives_what_the_evaluation_gave(
    tmp_path: Path, data: Any, task_params: Any
) -> None:
    experiment = experiment_of(tmp_path, task=task_params, **data)
    prepared, task, network = built(experiment, tmp_path)
    part, scaler = prepared.parts["test"], prepared.scaler
    assert scaler is not None
    found = evaluate(network, task, part, experiment, predictions=True).predictions
    assert found is not None
    predictor = Predictor(experiment, prepared, network.state_dict())
    for item in (0, len(part) - 1):
        start = int(part.target_start[item])
        k = int(scaler.which(torch.tensor([start])))
        rows = part.inputs[start - WINDOW : start + (HORIZON if data else 0)].numpy()
        width = len(scaler.columns)
        scale, offset = (np.array(v).reshape(-1, width)[k] for v in (scaler.scale, scaler.offset))
        window = rows * scale + offset
        if data:
            window[WINDOW:, :2] = np.nan  # what cannot be known
        answer = predictor([(scaler.series[k], window)])[0]
        own = found[(found["row"] - found["step"] + 1 == start)].sort_values("step")
        size = 1_000 if scaler.series[k] == "b" else 1
        close = {"rel": 1e-3, "abs": 1e-3 * size}
        assert np.ravel(answer["forecast"]) == pytest.approx(own["forecast x"], **close)
        for level, values in answer.get("quantiles", {}).items():
            assert np.ravel(values) == pytest.approx(own[f"quantile {level} x"], **close)
        assert ("quantiles" in answer) == ("loss" in task_params)


def test_a_predictor_refuses_what_is_no_window_of_a_series(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, **FUTURE)
    prepared, _, network = built(experiment, tmp_path)
    predictor = Predictor(experiment, prepared, network.state_dict())
    ahead = np.zeros((9, 5))
    ahead[-1, -1] = np.inf
    for item, message in (
        (("c", np.zeros((9, 5))), r"there is no series 'c'; the series are a, b"),
        (np.zeros((9, 5)), r"must be a pair of a series' name and its window"),
        (("a", np.zeros((9, 4))), "must have 5 numbers per step, got 4"),
        (("a", np.full((9, 5), np.nan)), r"must be finite numbers that float32 can hold, got nan"),
        (("a", ahead), r"must be finite numbers that float32 can hold, got inf"),
        (("a", [["x"]]), r"must be numbers, got \[\['x'\]\]"),
        (("a", np.zeros((6, 5))), r"must have 9 steps, the window and the horizon, got 6"),
    ):
        with pytest.raises(InputError, match=message):
            predictor([item])


def test_prepared_data_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    experiment = experiment_of(tmp_path, **FUTURE)
    first, again = (prepare(experiment.data, experiment.task, tmp_path) for _ in range(2))
    assert again.scaler == first.scaler
    assert [again.parts[part].known for part in PARTS] == [3, 3, 3]
