"""Calibrated intervals: shifts by hand, their coverage, and what a finished run keeps of them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from pydantic import ValidationError
from shop_series import FUTURE, HORIZON, QUANTILE, WINDOW, experiment_of
from trained_runs import finish_in

from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.inference.predict import Predictor, load
from rnnkit.runs.model_folder import CALIBRATION
from rnnkit.tasks.forecasting.intervals import (
    RATE,
    Calibration,
    Windows,
    calibrate,
    described,
    first_shifts,
    follow,
)
from rnnkit.tasks.numbers import quantile_columns

LEVELS = (0.05, 0.3, 0.5, 0.95)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def windows(values: torch.Tensor, truth: torch.Tensor, measured: Any = None) -> Windows:
    """Windows of one series, one from every row."""
    there = torch.ones_like(truth).bool() if measured is None else measured
    row = torch.arange(len(truth)) + 50
    return Windows(values, truth, there, row, torch.zeros_like(row))


def fitted(levels: Any, values: torch.Tensor, truth: torch.Tensor, measured: Any = None) -> Any:
    """Shifts [horizon, targets, quantiles] of validation windows."""
    return first_shifts(levels, windows(values, truth, measured).errors)[0]


def apply(levels: Any, shifts: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Calibrated values of new windows."""
    none = torch.empty(0, dtype=torch.int64)
    row = torch.zeros(len(values), dtype=torch.int64)
    return Calibration(levels, shifts[None], 9, none, shifts[:0])(values, row, row)


def test_shifts_are_order_statistics_of_the_errors() -> None:
    truth, values = noise(101, 2, 3), noise(101, 2, 3, 4, seed=1).sort(dim=-1).values
    shifts = fitted(LEVELS, values, truth)
    for step in range(2):
        for target in range(3):
            errors = np.sort((truth[:, step, target, None] - values[:, step, target]).numpy(), 0)
            upper = math.ceil(102 * 0.95)  # the 97th smallest of 101
            lower, low = 102 - math.ceil(102 * 0.95), 102 - math.ceil(102 * 0.7)
            expected = [errors[lower - 1, 0], errors[low - 1, 1], 0, errors[upper - 1, 3]]
            assert shifts[step, target].tolist() == pytest.approx(expected, abs=1e-12)


def test_a_single_forecast_gets_an_interval_and_stays_the_median() -> None:
    truth, values = noise(200, 2, 1), noise(200, 2, 1, 1, seed=1)
    levels = (0.1, 0.5, 0.9)
    calibrated = apply(levels, fitted(levels, values, truth), values)
    assert calibrated.shape == (200, 2, 1, 3)
    assert torch.equal(calibrated[..., 1], values[..., 0])
    assert (calibrated.diff(dim=-1) >= 0).all()
    outside = (truth < calibrated[..., 0]) | (truth > calibrated[..., -1])
    assert outside.double().mean(dim=0).flatten().tolist() == pytest.approx([0.2] * 2, abs=0.02)


@pytest.mark.parametrize("forecast", ["too narrow", "too wide", "too high"])
def test_the_interval_holds_its_share_of_new_windows_of_the_same_kind(forecast: str) -> None:
    """By theorem the expected coverage lies between .9 and .9 + 2 / 501 of 500 windows."""
    size, level = {"too narrow": (0.1, 0), "too wide": (9, 0), "too high": (1, 2)}[forecast]
    ends = torch.tensor([-1.645, 0.0, 1.645]).double() * size + level
    levels, covered = (0.05, 0.5, 0.95), []
    for seed in range(200):
        old, new = noise(500, 1, 1, seed=2 * seed), noise(500, 1, 1, seed=2 * seed + 1)
        values = ends.expand(500, 1, 1, 3)
        low, _, high = apply(levels, fitted(levels, values, old), values).unbind(-1)
        covered.append(float(((low <= new) & (new <= high)).double().mean()))
    if forecast == "too high":  # the median stays, and no quantile above it falls below it
        assert np.mean(covered) >= 0.9
    else:
        assert np.mean(covered) == pytest.approx(0.902, abs=0.005)  # 3 standard errors


def test_missing_truth_shifts_nothing() -> None:
    truth, values = noise(60, 1, 2), noise(60, 1, 2, 1, seed=1)
    measured = torch.rand(60, 1, 2, generator=torch.Generator().manual_seed(2)) < 0.7
    measured[:, :, 1] = False
    filled, levels = truth.where(measured, 1e6), (0.1, 0.5, 0.9)
    shifts = fitted(levels, values, filled, measured)
    there = measured[:, 0, 0]
    assert torch.equal(shifts[:, :1], fitted(levels, values[there, :, :1], truth[there, :, :1]))
    assert (shifts[:, 1] == 0).all()


def test_quantiles_never_cross() -> None:
    shifts = torch.tensor([3.0, -3.0, 0.0, -4.0]).expand(1, 1, 4).double()
    values = torch.arange(4.0).expand(2, 1, 1, 4)
    assert apply(LEVELS, shifts, values)[0, 0, 0].tolist() == [-2, 2, 2, 2]


# ---------------------------------------------------------------------- following the test split


def slow_follow(levels: Any, first: Any, steps: Any, errors: Any, row: Any) -> tuple[Any, Any]:
    """The definition, a number at a time: shifts by window, and after the last one."""
    count, horizon, targets, _ = errors.shape
    followed = np.zeros((count + 1, horizon, targets, len(levels)))
    for h in range(horizon):
        for k in range(targets):
            for q, level in enumerate(levels):
                shift, known = first[h, k, q], 0
                for i in range(count + 1):
                    begin = row[i] if i < count else np.inf
                    while known < i and row[known] + h < begin:
                        error = errors[known, h, k, q]
                        if not np.isnan(error):
                            shift += steps[h, k, q] * (level - (error <= followed[known, h, k, q]))
                        known += 1
                    followed[i, h, k, q] = shift
    return followed[:-1], followed[-1]


def test_the_test_split_is_followed_as_by_the_definition() -> None:
    generator = np.random.default_rng(0)
    valid, test = generator.normal(size=(40, 3, 2, 4)), 3 * generator.normal(size=(60, 3, 2, 4))
    valid[generator.random(valid.shape) < 0.1] = np.nan
    test[generator.random(test.shape) < 0.1] = np.nan
    row = np.cumsum(generator.integers(1, 3, size=60))  # some windows were left out
    first, steps = first_shifts(LEVELS, torch.from_numpy(valid))
    ranges = RATE * (np.nanmax(valid, axis=0) - np.nanmin(valid, axis=0))
    np.testing.assert_allclose(steps[..., [0, 1, 3]].numpy(), ranges[..., [0, 1, 3]])
    assert (steps[..., 2] == 0).all()
    followed, after = follow(LEVELS, first, steps, torch.from_numpy(test), torch.from_numpy(row))
    expected, last = slow_follow(LEVELS, first.numpy(), steps.numpy(), test, row)
    np.testing.assert_allclose(followed.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(after.numpy(), last, rtol=1e-12)


def test_a_window_is_not_shifted_by_truth_that_was_not_known_at_its_first_row() -> None:
    """Truth of step h of the window from row s lies in row s + h."""
    levels, test, row = (0.1, 0.5, 0.9), noise(30, 4, 1, 1, seed=1), torch.arange(30)
    fit = first_shifts(levels, noise(50, 4, 1, 1))
    followed, _ = follow(levels, *fit, test, row)
    other = test.clone()
    place, step = torch.meshgrid(torch.arange(30), torch.arange(4), indexing="ij")
    other[place + step >= 20] += 100
    changed, _ = follow(levels, *fit, other, row)
    assert torch.equal(changed[:21], followed[:21])
    assert not torch.equal(changed[21], followed[21])


@pytest.mark.parametrize("change", [0.3, 1, 3])
def test_coverage_follows_noise_that_changes(change: float) -> None:
    """The coverage tends to .8 whatever the truth does."""
    levels = (0.1, 0.5, 0.9)
    valid = windows(torch.zeros(500, 2, 1, 1), noise(500, 2, 1))
    test = windows(torch.zeros(8_000, 2, 1, 1), change * noise(8_000, 2, 1, seed=1))
    calibration = calibrate(levels, valid, test, series=1)
    low, _, high = calibration(test.values, test.row, test.series).double().unbind(-1)
    covered = ((low <= test.truth) & (test.truth <= high)).double()[4_000:].mean()
    assert float(covered) == pytest.approx(0.8, abs=0.02)
    static = (test.truth.abs() <= valid.truth.abs().quantile(0.8)).double().mean()
    assert (abs(float(static) - 0.8) > 0.1) == (change != 1)
    new = calibration(test.values[:1], torch.tensor([0]), torch.tensor([0]))
    later = calibration(test.values[-1:], test.row[-1:], test.series[-1:])
    assert new[0, 0, 0].tolist() == pytest.approx(later[0, 0, 0].tolist(), rel=0.1)


def test_each_series_is_followed_by_itself() -> None:
    levels, row = (0.1, 0.5, 0.9), torch.arange(300)
    truth = torch.cat([noise(300, 1, 1), 5 * noise(300, 1, 1, seed=1)])
    shape = torch.zeros(600, 1, 1, 1)
    test = Windows(
        shape,
        truth,
        torch.ones_like(truth).bool(),
        torch.cat([row, row + 1_000]),
        torch.tensor([0, 1]).repeat_interleave(300),
    )
    valid = windows(torch.zeros(100, 1, 1, 1), noise(100, 1, 1, seed=2))
    both = calibrate(levels, valid, test, series=3)
    for k, own in ((0, slice(0, 300)), (1, slice(300, 600))):
        alone = calibrate(levels, valid, windows(shape[own], truth[own]), series=1)
        assert torch.equal(both.shifts[k], alone.shifts[0])
        assert torch.equal(both.followed[own], alone.followed)
    assert both.shifts[1, 0, 0, 2] > both.shifts[0, 0, 0, 2]
    assert torch.equal(both.shifts[2], first_shifts(levels, valid.errors)[0])  # no test windows


def test_an_interval_is_described_with_its_windows() -> None:
    none = torch.empty(0)
    few, enough = (Calibration((0.05, 0.5, 0.95), none, n, none, none) for n in (18, 19))
    assert described((0.05, 0.5, 0.95), enough) == (
        "between the 0.05 and the 0.95 quantile, 0.9 if exact; calibrated on 19 validation windows"
    )
    assert "18 validation windows, too few: 19 are needed" in described((0.05, 0.5, 0.95), few)


# ---------------------------------------------------------------------- runs


@pytest.mark.parametrize("data", [{}, FUTURE])
@pytest.mark.parametrize("task", [{"interval": 0.6}, QUANTILE])
def test_a_run_scores_and_keeps_its_intervals(tmp_path: Path, task: Any, data: Any) -> None:
    experiment = experiment_of(tmp_path, task=task, **data)
    run = finish_in(tmp_path, experiment, "x-1")
    levels = experiment.task.levels
    assert levels == pytest.approx(
        (0.2, 0.5, 0.8) if "interval" in task else QUANTILE["quantiles"], abs=1e-12
    )
    table = pandas.read_parquet(run.folder.path / "predictions.parquet")
    columns = quantile_columns(table.columns, "x")
    assert list(columns) == pytest.approx(levels)
    truth = table["truth x"]
    low, *_, high = (table[column] for column in columns.values())
    assert (table[columns[0.5]] == table["forecast x"]).all()
    test = run.result["test"]
    assert test["coverage"] == pytest.approx(((low <= truth) & (truth <= high)).mean())
    assert test["interval_width"] == pytest.approx((high - low).mean())
    assert {"coverage", "interval_width", "pinball"} <= set(run.result["shown"])
    windows = len(run.prepared.splits["valid"])
    assert f"calibrated on {windows} validation windows" in run.result["counted"]["coverage"]
    stored = json.loads((run.folder.path / "model" / CALIBRATION).read_text())
    assert np.shape(stored["shifts"]) == (2, HORIZON, 1, len(levels))
    predictor = load(run.folder.path / "model")
    assert predictor.task.calibration.to_json() == stored
    # New windows have the shifts after the test split.
    window = np.random.default_rng(0).normal(
        size=(WINDOW + (HORIZON if data else 0), 5 if data else 4)
    )
    (answer,) = predictor([("b", window)])
    plain = Predictor(predictor.experiment, predictor.prepared, predictor.network.state_dict())
    (bare,) = plain([("b", window)])
    assert answer["forecast"] == bare["forecast"]
    scale = float(predictor.task.scaler.target_scale(torch.tensor([60])))
    for k, level in enumerate(levels):
        before = np.ravel(bare["quantiles"][f"{level:g}"] if "loss" in task else bare["forecast"])
        expected = before + scale * np.array(stored["shifts"])[1, :, 0, k]
        middle = np.ravel(bare["forecast"])
        if level != 0.5:
            expected = (np.minimum if level < 0.5 else np.maximum)(expected, middle)
        if level in (levels[0], levels[-1]):
            quantile = np.ravel(answer["quantiles"][f"{level:g}"])
            assert quantile == pytest.approx(expected, rel=1e-5)


def test_a_retrained_run_has_no_interval_of_its_validation_split(tmp_path: Path) -> None:
    from rnnkit.data.prepare.prepared import train_and_valid
    from rnnkit.evaluation.finalize import finalize
    from rnnkit.runs.run_folder import RunFolder
    from rnnkit.tasks import prepare
    from rnnkit.training.train_into import train_into

    for name, task in (("plain", {}), ("quantiles", QUANTILE)):
        experiment = experiment_of(tmp_path, task=task)
        prepared = train_and_valid(prepare(experiment.data, experiment.task, tmp_path))
        folder = RunFolder(tmp_path / name)
        folder.create(experiment, {})
        for _ in train_into(folder, experiment, prepared):
            pass
        result = finalize(folder, experiment, prepared, tmp_path / "prepared")
        assert ("coverage" in result["test"]) == (name == "quantiles")
        assert not (folder.path / "model" / CALIBRATION).exists()
        if name == "quantiles":
            assert result["counted"]["coverage"].endswith("not calibrated on a validation split")


def test_a_file_is_scored_with_the_calibrated_interval(tmp_path: Path) -> None:
    rows = [f"2024-01-{t // 24 + 1:02d}T{t % 24:02d}:00,{math.sin(t * t)}" for t in range(200)]
    (tmp_path / "one.csv").write_text("\n".join(["time,x", *rows]))
    source = {"kind": "table", "path": str(tmp_path / "one.csv")}
    run = finish_in(tmp_path, experiment_of(tmp_path, source=source), "x-1")
    scored = evaluate_file(run.folder, str(tmp_path / "one.csv"), tmp_path)
    assert scored["test"]["coverage"] == pytest.approx(0.9, abs=0.1)
    assert "calibrated on" in scored["counted"]["coverage"]


def test_a_damaged_calibration_is_refused(tmp_path: Path) -> None:
    run = finish_in(tmp_path, experiment_of(tmp_path), "x-1")
    (run.folder.path / "model" / CALIBRATION).write_text("{}")
    with pytest.raises(InputError, match=r"calibration\.json"):
        load(run.folder.path)


# ---------------------------------------------------------------------- bounds


def test_bounds_hold_for_forecasts_and_intervals(tmp_path: Path) -> None:
    free = finish_in(tmp_path, experiment_of(tmp_path), "x-1")
    table = pandas.read_parquet(free.folder.path / "predictions.parquet")
    assert (table["forecast x"].min(), table["quantile 0.05 x"].min()) < (0, 0)
    bounds = {"lower": 0.0, "upper": 40_000.0}
    run = finish_in(tmp_path, experiment_of(tmp_path, task=bounds), "x-2")
    bounded = pandas.read_parquet(run.folder.path / "predictions.parquet")
    for name in ("forecast x", "quantile 0.05 x", "quantile 0.95 x"):
        expected = table[name].clip(0, 40_000)
        assert bounded[name].tolist() == pytest.approx(expected.tolist())
    beyond = {
        name: int(((values < 0) | (values > 40_000)).sum())
        for name, values in truth_of(run.prepared).items()
    }
    listed = ", ".join(f"{count} of {name}" for name, count in beyond.items())
    note = f"values beyond task.lower or task.upper, which no forecast reaches: {listed}"
    assert note in run.prepared.notes
    assert not any("beyond task.lower" in note for note in free.prepared.notes)


def truth_of(prepared: Any) -> dict[str, Any]:
    from rnnkit.tasks.forecasting.examples import forecast_rows

    return {name: forecast_rows(prepared.splits[name]) for name in ("valid", "test")}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"interval": 1.0}, "less than 1"),
        (
            {"interval": 0.8, **QUANTILE},
            r"task\.interval: with the quantile loss the interval",
        ),
        ({"lower": 1.0, "upper": 1.0}, r"task\.lower: must lie below task\.upper, 1, got 1"),
    ],
)
def test_intervals_and_bounds_that_say_nothing_are_refused(
    tmp_path: Path, task: Any, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        experiment_of(tmp_path, task=task)


def test_new_keys_leave_the_ids_of_older_runs_as_they_are(tmp_path: Path) -> None:
    from rnnkit.params.public import hashed_params

    hashed = hashed_params(experiment_of(tmp_path))["task"]
    assert not {"interval", "lower", "upper"} & set(hashed)
    changed = experiment_of(tmp_path, task={"interval": 0.8, "lower": 0.0})
    assert {"interval", "lower"} <= set(hashed_params(changed)["task"])
