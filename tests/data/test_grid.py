"""The regular grid of times: months, weeks, days of a zone, business days, named frequencies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnkit.data.sources.grid import find, named
from rnnkit.data.sources.table import read
from rnnkit.errors import InputError
from rnnkit.params.source import Table

SESSION = pd.date_range("2024-01-01T09:30", periods=24 * 60, freq="h")
SESSION = SESSION[(SESSION.day_of_week < 5) & (SESSION.hour >= 9) & (SESSION.hour < 16)]


def whole_series(first: str, step: pd.DateOffset) -> pd.Series:
    return pd.Series([pd.Timestamp(first) + k * step for k in range(60)])


def on_clock(first: str, frequency: str, zone: str) -> pd.Series:
    """Local times of a zone; those that it skips are later."""
    wall = pd.date_range(first, periods=200, freq=frequency)
    return pd.Series(wall.tz_localize(zone, ambiguous=[True] * 200, nonexistent="shift_forward"))


GRIDS = {
    "hours": whole_series("2024-01-01", pd.DateOffset(hours=1)),
    "days": whole_series("2024-01-01T12:30", pd.DateOffset(days=1)),
    "months": whole_series("2023-12-01", pd.DateOffset(months=1)),
    "quarters": whole_series("2023-02-01", pd.DateOffset(months=3)),
    "years": whole_series("1999-07-01", pd.DateOffset(years=1)),
    "the 30th, in February the last": whole_series("2015-01-30", pd.DateOffset(months=1)),
    "28 February": whole_series("2015-02-28", pd.DateOffset(years=1)),
    "hours with an offset": whole_series("2024-03-30T00:00+01:00", pd.DateOffset(hours=1)),
    "ends of months from April": pd.Series(pd.date_range("2015-04-30", periods=60, freq="ME")),
    "ends of months from February": pd.Series(pd.date_range("2015-02-28", periods=60, freq="ME")),
    "ends of quarters from June": pd.Series(pd.date_range("2015-06-30", periods=60, freq="QE")),
    "ends of February": pd.Series(pd.date_range("2015-02-28", periods=40, freq="YE-FEB")),
    "last business days": pd.Series(pd.date_range("2015-01-30", periods=60, freq="BME")),
    "first business days": pd.Series(pd.date_range("2015-01-01", periods=60, freq="BMS")),
    "business days": pd.Series(pd.date_range("2024-01-01", periods=60, freq="B")),
    "third Fridays": pd.Series(pd.date_range("2024-01-01", periods=60, freq="WOM-3FRI")),
    "hours of trade": pd.Series(SESSION),
    "days in Berlin": on_clock("2024-02-01", "D", "Europe/Berlin"),
    "days at half past two in Berlin": on_clock("2024-02-01T02:30", "D", "Europe/Berlin"),
    "weeks in Berlin": on_clock("2024-02-01", "7D", "Europe/Berlin"),
    "quarters of days in Berlin": on_clock("2024-02-01", "6h", "Europe/Berlin"),
    "ends of months in Berlin": on_clock("2024-02-01", "ME", "Europe/Berlin"),
    "days in Sao Paulo, where midnight is skipped": on_clock(
        "2017-08-01", "D", "America/Sao_Paulo"
    ),
    "hours in Berlin": pd.Series(
        pd.date_range("2024-10-20", periods=300, freq="h", tz="Europe/Berlin")
    ),
}


@pytest.mark.parametrize("name", GRIDS)
def test_a_regular_grid_is_found_again(name: str) -> None:
    times = GRIDS[name]
    whole = find(times)
    assert whole is not None
    assert list(whole.times) == list(times)
    inner = np.arange(5, len(times) - 1)
    kept = times.drop(np.random.default_rng(0).choice(inner, len(times) // 6, replace=False))
    found = find(kept)
    assert found is not None
    assert list(found.times) == list(times)


def test_days_and_hours_that_no_row_has_are_named() -> None:
    found = find(GRIDS["business days"].drop([7]))
    assert found is not None
    assert found.closed == "Saturday, Sunday"
    found = find(GRIDS["hours of trade"].drop([7]))
    assert found is not None
    assert found.closed == "Saturday, Sunday, 17 times of day, the first 00:30"
    found = find(GRIDS["days"].drop([5, 6, 12, 13]))  # two weekends of nine are gaps
    assert found is not None
    assert (len(found.times), found.closed) == (60, "")


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(
            ["2024-01-01", "2024-01-02", "2024-01-04T07:00", "2024-01-09"], format="ISO8601"
        ),
        # half a day is no step, it occurs once
        pd.to_datetime(
            ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03T12:00"], format="ISO8601"
        ),
        pd.to_datetime([0, 1, 2, 100_000, 100_001, 100_002], unit="s"),
        pd.to_datetime(["2024-01-01", "2024-01-02"]),
        pd.to_datetime(["2024-01-01"]),
    ],
)
def test_irregular_times_have_no_grid(times: pd.DatetimeIndex) -> None:
    assert find(pd.Series(times)) is None


def table(folder: Path, times: pd.Series, **options: str) -> Table:
    path = folder / "a.parquet"
    pd.DataFrame({"time": times, "x": np.arange(len(times), dtype=float)}).to_parquet(path)
    return Table.model_validate({"path": str(path), **options})


def test_what_is_no_gap_is_noted(tmp_path: Path) -> None:
    days = GRIDS["business days"]
    frame = read(table(tmp_path, days.drop([7]), gaps="forward"), None)
    assert len(frame) == 60
    assert frame.attrs["notes"] == [
        "no row has Saturday, Sunday: these are no gaps",
        "1 missing values were filled with the value before, at 1 times that were missing",
    ]
    irregular = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-06"]))
    (note,) = read(table(tmp_path, irregular), None).attrs["notes"]
    assert note.startswith("times lie on no regular grid, so rows are the steps and none counts as")
    assert read(table(tmp_path, irregular, gaps="keep"), None).attrs["notes"] == []


def test_a_month_end_that_is_missing_is_refused(tmp_path: Path) -> None:
    ends = GRIDS["ends of months from April"].drop([20])
    with pytest.raises(InputError, match=r"1 are missing, the first is 2016-12-31"):
        read(table(tmp_path, ends), None)
    frame = read(table(tmp_path, ends, gaps="forward"), None)
    assert list(frame["time"]) == list(GRIDS["ends of months from April"])


def test_a_frequency_names_the_grid(tmp_path: Path) -> None:
    weeks = pd.Series(pd.to_datetime(["2024-01-05", "2024-01-12", "2024-01-26"]))
    frame = read(table(tmp_path, weeks, gaps="forward", frequency="W-FRI"), None)
    assert frame["x"].tolist() == [0, 1, 1, 2]
    mixed = on_clock("2024-02-01", "D", "Europe/Berlin").drop([5])
    assert len(named(mixed, "D", "a").times) == 200
    assert len(named(GRIDS["hours in Berlin"].drop([5]), "h", "a").times) == 300


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        (
            "W-MON",
            r"a.parquet: every time must lie on the grid .* 3 do not, the first is 2024-01-05",
        ),
        ("fortnight", r"data.source.frequency: must be a frequency of pandas .* got 'fortnight'"),
        ("1ns", r"data.source.frequency: must be a frequency of pandas that fits the times"),
    ],
)
def test_a_frequency_that_does_not_fit_is_refused(
    tmp_path: Path, frequency: str, message: str
) -> None:
    weeks = pd.Series(pd.to_datetime(["2024-01-05", "2024-01-12", "2024-01-26"]))
    with pytest.raises(InputError, match=message):
        read(table(tmp_path, weeks, frequency=frequency), None)
