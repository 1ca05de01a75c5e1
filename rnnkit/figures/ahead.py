"""Forecasts of the rows behind a table, after the rows that they were made from."""

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnkit.figures import style
from rnnkit.figures.dates import date_axis, wall_times
from rnnkit.figures.style import INK, PALE, RED, dress, plain

MAX_PANELS = 12
"""Number of series and columns drawn, the first ones."""
PAST_ROWS = 3
"""Rows before the forecast that are drawn, per row of the forecast, but at least `MIN_PAST`."""
MIN_PAST = 60


def rows_ahead(ahead: pandas.DataFrame, before: pandas.DataFrame) -> Figure:
    """The forecast of each series and column, in units, its outermost quantiles as an interval.

    Args:
        ahead: columns time, step, column, forecast, of several series also series; `quantile Q`.
        before: columns time, column, value, and likewise series.
    """
    keys = ["series", "column"] if "series" in ahead else ["column"]
    past = dict(list(before.groupby(keys, sort=False)))
    groups = list(ahead.groupby(keys, sort=False))
    steps = int(ahead["step"].max())
    first = f" (first {MAX_PANELS} of {len(groups)})" if len(groups) > MAX_PANELS else ""
    title = f"Forecast of {'1 step' if steps == 1 else f'{steps} steps'} ahead{first}"
    groups = groups[:MAX_PANELS]
    figure = style.sheet(11, 0.9 + 2.6 * len(groups), title)
    panels = figure.subplots(len(groups), 1, squeeze=False)[:, 0]
    for axes, (name, rows) in zip(panels, groups, strict=True):
        shown = past[name].tail(max(MIN_PAST, PAST_ROWS * steps))
        dress(axes, plain(": ".join(map(str, name))), "", plain(name[-1]))
        _panel(axes, rows, shown)
        style.legend_above(axes)
    return figure


def _panel(axes: Axes, ahead: pandas.DataFrame, before: pandas.DataFrame) -> None:
    last = before.iloc[-1:]
    axes.plot(wall_times(before["time"]), before["value"], color=INK, lw=1.4, label="past")
    times = wall_times(pandas.concat([last["time"], ahead["time"]]))
    forecast = pandas.concat([last["value"], ahead["forecast"]])
    axes.axvline(times[0], color=PALE, linewidth=1, zorder=0)
    axes.plot(times, forecast, color=RED, lw=2, label="forecast")
    levels = sorted(float(c.split(" ")[1]) for c in map(str, ahead) if c.startswith("quantile "))
    if len(levels) > 1:
        low, high = (
            pandas.concat([last["value"], ahead[f"quantile {level:g}"]])
            for level in (levels[0], levels[-1])
        )
        label = f"{levels[0]:.3g} to {levels[-1]:.3g} quantile"
        axes.fill_between(times, low, high, color=RED, alpha=0.18, lw=0, label=label)
    date_axis(axes)
    axes.margins(x=0.01)
