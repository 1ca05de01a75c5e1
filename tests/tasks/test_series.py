"""Several series in one table: split, scaling, windows, baselines, predictions."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shop_series import (
    FUTURE,
    HORIZON,
    QUANTILE,
    WINDOW,
    built,
    experiment_of,
)

from rnnkit.data.prepare.encoded_split import SPLITS
from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError
from rnnkit.inference.predict import Predictor
from rnnkit.tasks import prepare
from rnnkit.tasks.baselines import score
from rnnkit.training.evaluate import evaluate


def test_each_series_is_split_and_scaled_by_itself(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path), tmp_path)
    scaler = prepared.fitted.inputs.scaler
    assert scaler is not None
    assert (scaler.series, scaler.begin) == (("a", "b"), (0, 60))
    assert prepared.facts["series"] == {"kept": 2, "left_out": 1}
    assert prepared.facts["notes"] == [
        "1 of 3 series were left out: their training rows are too few for a window"
    ]
    assert prepared.facts["rows"] == {"train": 36 + 24, "valid": 12 + 8, "test": 12 + 8}
    assert prepared.facts["unused"] == 5
    inputs = prepared.splits["train"].inputs.double()
    for rows in (inputs[:36], inputs[60 : 60 + 24]):  # by its own training rows alone
        assert rows.mean(dim=0).abs().max() < 1e-6
        assert rows.std(dim=0, correction=0).sub(1).abs().max() < 1e-6
    units = scaler.inverse(prepared.splits["test"].targets[[0, 60]], torch.tensor([0, 60]))
    assert units.flatten().tolist() == pytest.approx([0, 0], abs=1e-2)
    with pytest.raises(ValueError, match=r"rows must say to which each value belongs"):
        scaler.inverse(inputs[:, :1])


def test_no_window_crosses_into_another_series(tmp_path: Path) -> None:
    prepared, _, _ = built(experiment_of(tmp_path), tmp_path)
    ends = {"a": (0, 60), "b": (60, 100)}
    for split in prepared.splits.values():
        last = split.target_start + HORIZON
        for first, stop in zip(split.input_start.tolist(), last.tolist(), strict=True):
            assert any(low <= first and stop <= high for low, high in ends.values())
    train = prepared.splits["train"]
    assert len(train) == (36 - 9 + 1) + (24 - 9 + 1)
    assert len(prepared.splits["test"]) == (12 - 2) + (8 - 2)


def test_moments_are_the_same_for_all_series(tmp_path: Path) -> None:
    split = {"kind": "time", "valid": "2024-01-02T00:00", "test": "2024-01-02T12:00"}
    prepared, _, _ = built(experiment_of(tmp_path, split=split), tmp_path)
    assert prepared.facts["rows"] == {"train": 48, "valid": 24, "test": 24 + 4}
    assert prepared.facts["time"]["valid"] == ["2024-01-02T00:00:00", "2024-01-02T11:00:00"]


def test_a_limit_takes_the_latest_times_of_all_series(tmp_path: Path) -> None:
    split = {"kind": "time", "valid": "2024-01-02T00:00", "test": "2024-01-02T12:00"}
    prepared, _, _ = built(experiment_of(tmp_path, split=split, limit=4), tmp_path)
    assert prepared.splits["valid"].item.tolist() == [32, 33, 60 + 32, 60 + 33]


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
    split = prepared.splits["test"]
    found = evaluate(network, task, split, experiment, predictions=True)
    beside = score(task, prepared, split)
    for name in ("mae", "rmse", "mase", "scaled_mse"):
        assert found.metrics[name] == pytest.approx(beside["last value"][name], rel=1e-4)
    table = found.predictions
    assert table is not None
    raw = np.array([[10 * math.sin(t * t) + t / 10, t] for t in range(60)])
    for name, begin, size in (("a", 0, 1), ("b", 60, 1_000)):
        own = table[table["series"] == name]
        source = [size * raw[row - begin, 0] for row in own["row"]]
        assert own["truth x"].tolist() == source  # exactly
    # By hand: the seasonal naive error of all training rows of each series.
    errors = []
    for name, begin, train_rows, size in (("a", 0, 36, 1), ("b", 60, 24, 1_000)):
        values = size * raw[:train_rows, 0]
        naive = np.abs(values[4:] - values[:-4]).mean()
        own = table[table["series"] == name]
        last = size * raw[own["row"] - begin - own["step"], 0]
        errors.append(np.abs(last - own["truth x"]) / naive)
    assert beside["last value"]["mase"] == pytest.approx(np.concatenate(errors).mean(), rel=1e-4)
    assert beside["training mean"]["scaled_mse"] > 0


def test_the_season_before_the_first_row_is_the_series_own_first_value() -> None:
    from rnnkit.tasks.forecasting.baselines import Past

    values = torch.arange(8.0)[:, None]
    scaler = Scaler(("x",), ("x",), (0.0, 0.0), (1.0, 1.0), 0, ("a", "b"), (0, 4))
    past = Past(values, torch.tensor([2, 6]), scaler)
    assert past(torch.tensor([-4, -1])).flatten().tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize("data", [{}, FUTURE])
@pytest.mark.parametrize("task_params", [{}, QUANTILE, {"relative_to": "season"}])
def test_a_predictor_gives_what_the_evaluation_gave(
    tmp_path: Path, data: Any, task_params: Any
) -> None:
    experiment = experiment_of(tmp_path, task=task_params, **data)
    prepared, task, network = built(experiment, tmp_path)
    split, scaler = prepared.splits["test"], prepared.fitted.inputs.scaler
    assert scaler is not None
    found = evaluate(network, task, split, experiment, predictions=True).predictions
    assert found is not None
    predictor = Predictor(experiment, prepared, network.state_dict())
    for item in (0, len(split) - 1):
        start = int(split.target_start[item])
        k = int(scaler.which(torch.tensor([start])))
        rows = split.inputs[start - WINDOW : start + (HORIZON if data else 0)].numpy()
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
    assert again.fitted.inputs.scaler == first.fitted.inputs.scaler
    assert [again.splits[split].known for split in SPLITS] == [3, 3, 3]
