"""Times of the rows ahead: the series' own grid goes on, or its median distance."""

import numpy as np
import pandas as pd
import pytest
from test_grid import GRIDS

from rnnkit.data.sources.following_times import following
from rnnkit.errors import InputError

AHEAD = 9
FREQUENCIES = {"B": "2024-01-01", "BME": "2024-01-31", "W-FRI": "2024-01-05", "15min": "2024-01-01"}


@pytest.mark.parametrize("name", GRIDS)
def test_the_times_ahead_are_those_that_were_cut_off(name: str) -> None:
    times = GRIDS[name]
    past, cut = times.iloc[:-AHEAD], times.iloc[-AHEAD:]
    ahead, on_grid = following(past, AHEAD, None, "a.csv")
    assert on_grid
    assert ahead.tolist() == pd.DatetimeIndex(cut).tolist()
    assert ahead.tz == pd.DatetimeIndex(times).tz


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_named_frequency_goes_on(frequency: str, zone: str | None) -> None:
    times = pd.Series(pd.date_range(FREQUENCIES[frequency], periods=60, freq=frequency, tz=zone))
    ahead, on_grid = following(times.iloc[:40].drop(20), 20, frequency, "a.csv")  # with a gap
    assert on_grid
    assert ahead.tolist() == times.iloc[40:].tolist()


def test_a_weekend_is_skipped_and_an_hour_of_winter_time_comes_twice() -> None:
    friday = pd.Series(pd.date_range("2024-01-01", "2024-03-08", freq="B"))
    monday, *_ = following(friday, 3, None, "a.csv").times
    assert str(monday.date()) == "2024-03-11"
    hours = pd.Series(pd.date_range("2024-10-24", "2024-10-27", freq="h", tz="Europe/Berlin"))
    ahead = following(hours, 5, None, "a.csv").times
    assert ahead.hour.tolist() == [1, 2, 2, 3, 4]


def test_days_are_closed_by_the_rows_alone_not_by_the_days_ahead() -> None:
    days = pd.date_range("2024-01-01", periods=14)
    twice = pd.Series(days[days.day_of_week != 5])  # too few Saturdays to say that they are closed
    ahead = following(twice, 30, None, "a.csv").times
    assert ahead.tolist() == pd.date_range("2024-01-15", periods=30).tolist()


def test_irregular_times_go_on_at_their_median_distance() -> None:
    minutes = np.cumsum([0, 7, 8, 7, 9, 7, 11, 7, 7])
    times = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min"))
    ahead, on_grid = following(times, 2, None, "a.csv")
    assert not on_grid
    assert [(time - times.iloc[-1]).total_seconds() for time in ahead] == [420, 840]
    in_zone = following(times.dt.tz_localize("Europe/Berlin"), 2, None, "a.csv").times
    assert in_zone.tz_localize(None).tolist() == ahead.tolist()


def test_nanoseconds_go_on_behind_the_year_2262() -> None:
    times = pd.Series(pd.date_range("2262-03-10", periods=32).astype("M8[ns]"))
    assert str(following(times, 9, None, "a.csv").times[-1].date()) == "2262-04-19"


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2024-01-01"], r"the distance of two rows at least, but there is one"),
        (pd.date_range("9999-12-01", periods=30).astype("M8[s]"), "before the year 10000, but 5"),
    ],
)
def test_times_that_cannot_go_on_are_refused(times: object, message: str) -> None:
    series = pd.Series(pd.to_datetime(times))  # type: ignore[call-overload]
    with pytest.raises(InputError, match=message):
        following(series, 5, None, "a.csv")
