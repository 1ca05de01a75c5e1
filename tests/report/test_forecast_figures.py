"""Figures of forecasts: dates, series, and rows ahead."""

import numpy as np
import pandas
import pytest
from drawn_figures import Saver, headings, title_of, told
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

from rnnkit import figures
from rnnkit.figures.dates import date_axis, wall_times
from rnnkit.figures.style import INK, RED, panel


def dated(horizon: int, zone: str | None = None) -> pandas.DataFrame:
    """Windows from every hour, whose forecast is off by a tenth of the step."""
    rows = [(s + h, h + 1) for s in range(100, 180) for h in range(horizon)]
    table = pandas.DataFrame(rows, columns=["row", "step"])
    hours = pandas.date_range("2024-03-29", periods=300, freq="h", tz=zone)
    table["time"] = hours[table["row"] - 100]
    table["truth a"] = np.sin(table["row"])
    table["forecast a"] = table["truth a"] + table["step"] / 10
    return table


@pytest.mark.parametrize("horizon", [1, 4])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_forecasts_are_drawn_over_their_dates(saved: Saver, zone: str | None, horizon: int) -> None:
    table = dated(horizon, zone)
    figure = saved(figures.forecasts(table, ("a",), "shop $1"))
    assert title_of(figure).startswith("shop \\$1: forecasts ")
    axes = figure.axes[0]
    assert axes.get_xlabel() == ""
    truth = next(line for line in axes.lines if to_hex(line.get_color()) == INK)
    first = table["time"].min().tz_localize(None)
    shown = np.asarray(truth.get_xdata(), dtype=float)
    assert shown[-1] == pytest.approx(date2num(table["time"].max().tz_localize(None)))
    assert shown[0] >= date2num(first)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert any("Mar" in label or "Apr" in label for label in labels)


def test_gaps_between_windows_have_no_line(saved: Saver) -> None:
    table = dated(4)
    table = table[~table["row"].between(150, 160)]
    starts = table["row"] - table["step"] + 1
    table = table[table.groupby(starts)["row"].transform("size") == 4]
    axes = saved(figures.forecasts(table, ("a",))).axes[0]
    truth = next(line for line in axes.lines if to_hex(line.get_color()) == INK)
    assert np.isnan(np.asarray(truth.get_ydata(), dtype=float)).any()


def test_every_range_of_times_has_a_few_dates() -> None:
    """Without a warning of matplotlib, from minutes to centuries."""
    for frequency in ("min", "15min", "h", "6h", "D", "W", "ME", "QE", "YE"):
        for count in (2, 9, 40, 96, 108, 160, 300):
            times = pandas.Series(pandas.date_range("1890-01-01", periods=count, freq=frequency))
            _, axes = panel(9, 3, "", ("", "", ""))
            axes.plot(wall_times(times), range(count))
            date_axis(axes)
            labels = [place for place in axes.get_xticks() if axes.get_xlim()[0] <= place]
            assert 2 <= len(labels) <= 14, (frequency, count)


def test_missing_times_have_no_place() -> None:
    times = pandas.Series(pandas.to_datetime(["2024-01-01", None]))
    assert np.isnan(wall_times(times)).tolist() == [False, True]


def rows(series: list[str], columns: list[str], intervals: bool) -> tuple[pandas.DataFrame, ...]:
    past = pandas.date_range("2024-01-01", periods=100, freq="h")
    ahead = pandas.date_range(past[-1], periods=13, freq="h")[1:]
    before, after = [], []
    for name in series:
        for column in columns:
            place = {"series": name} if name else {}
            before.append(pandas.DataFrame({**place, "time": past, "column": column, "value": 1.0}))
            forecast = pandas.DataFrame({**place, "time": ahead, "step": range(1, 13)})
            forecast = forecast.assign(column=column, forecast=2.0)
            if intervals:
                forecast = forecast.assign(**{"quantile 0.1": 1.5, "quantile 0.9": 2.5})
            after.append(forecast)
    return pandas.concat(after), pandas.concat(before)


@pytest.mark.parametrize("intervals", [False, True])
def test_rows_ahead_follow_the_rows_before(saved: Saver, intervals: bool) -> None:
    figure = saved(figures.rows_ahead(*rows(["a", "b"], ["x", "y"], intervals)))
    assert title_of(figure) == "Forecast of 12 steps ahead"
    assert headings(figure) == ["a: x", "a: y", "b: x", "b: y"]
    axes = figure.axes[0]
    assert told(axes) == ["past", "forecast", *["0.1 to 0.9 quantile"] * intervals]
    forecast = next(line for line in axes.lines if to_hex(line.get_color()) == RED)
    assert np.asarray(forecast.get_ydata()).tolist() == [1.0, *[2.0] * 12]  # from the last row on
    assert len(axes.collections) == intervals


def test_of_many_series_the_first_are_drawn(saved: Saver) -> None:
    series = [f"s{k}" for k in range(20)]
    figure = saved(figures.rows_ahead(*rows(series, ["x"], True)))
    assert title_of(figure) == "Forecast of 12 steps ahead (first 12 of 20)"
    assert len(figure.axes) == 12
    one = saved(figures.rows_ahead(*rows([""], ["x"], False)))
    assert headings(one) == ["x"]
