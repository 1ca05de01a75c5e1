"""Forecasts over the truth, and the error by step of the horizon."""

from typing import Any

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnkit.figures import style
from rnnkit.figures.dates import date_axis, wall_times
from rnnkit.figures.style import BLUE, GREY, INK, PALE, RED, dress, legend, plain

MAX_TARGETS = 8
"""Number of targets drawn, the first ones."""
PANEL_ROWS = 160
"""Approximate rows of the series per panel, but at least `MIN_WINDOWS` windows."""
MIN_WINDOWS = 3
MAX_BARS = 24
"""Longest horizon whose errors are drawn as bars."""


def forecasts(predictions: pandas.DataFrame, targets: tuple[str, ...], series: str = "") -> Figure:
    """The forecast and truth of each target in the last non-overlapping windows, in units.

    Args:
        predictions: of one series: columns `row`, `step` (1 to horizon), and `truth X`,
            `forecast X` per target; `time`, else rows are numbered; for quantiles also `quantile Q
            X`, whose outermost two are drawn as an interval.
        targets: the names X.
        series: its name, where there are several.
    """
    horizon = int(predictions["step"].max())
    shown = targets[:MAX_TARGETS]
    steps = "1 step" if horizon == 1 else f"{horizon} steps"
    note = f" (first {MAX_TARGETS} of {len(targets)} targets)" if len(targets) > MAX_TARGETS else ""
    of = f"{plain(series)}: forecasts" if series else "Forecasts"
    title = f"{of} {steps} ahead over the truth{note}"
    figure = style.sheet(11, 0.9 + 2.9 * len(shown), title)
    ratios = [1] if horizon == 1 else [3, 1]
    panels = figure.subplots(len(shown), len(ratios), squeeze=False, width_ratios=ratios)
    windows = last_windows(predictions, horizon)
    for row, target in zip(panels, shown, strict=True):
        error = (predictions[f"forecast {target}"] - predictions[f"truth {target}"]).abs()
        heading = plain(f"{target}: MAE {error.mean():.4g}")
        dress(row[0], heading, "" if "time" in windows else "row of the table", plain(target))
        _over_truth(row[0], windows, target, horizon)
        style.legend_above(row[0])
        if horizon > 1:
            dress(row[1], "Error by step ahead", "steps ahead", "mean absolute error")
            _by_step(row[1], error.groupby(predictions["step"]))
    return figure


def last_windows(predictions: pandas.DataFrame, horizon: int) -> pandas.DataFrame:
    """The last non-overlapping windows, with a column `start`, sorted by row."""
    start = predictions["row"] - predictions["step"] + 1
    chosen: list[int] = []
    for first in sorted(start.unique().tolist(), reverse=True):
        if not chosen or first + horizon <= chosen[-1]:
            chosen.append(first)
        if len(chosen) >= max(MIN_WINDOWS, PANEL_ROWS // horizon):
            break
    table = predictions.assign(start=start)[start.isin(chosen)]
    return table.drop_duplicates(["start", "step"]).sort_values("row")


def _over_truth(axes: Axes, windows: pandas.DataFrame, target: str, horizon: int) -> None:
    rows = windows.set_index("row")
    rows = rows.reindex(range(rows.index.min(), rows.index.max() + 1))  # keep gaps
    places = _places(rows.reset_index())
    axes.plot(places, rows[f"truth {target}"], color=INK, linewidth=1.4, label="truth")
    if horizon == 1:
        look: dict[str, Any] = {"color": RED, "lw": 1.1, "ms": 4, "alpha": 0.9}
        axes.plot(places, rows[f"forecast {target}"], ".-", label="forecast", **look)
    else:
        for number, (_, window) in enumerate(windows.groupby("start")):
            own = _places(window)
            axes.axvline(own[0] - (own[1] - own[0]) / 2, color=PALE, linewidth=1, zorder=0)
            look = {"marker": "o", "ms": 4.5, "markevery": [0], "alpha": 0.9}
            label = "forecast, each from its dot" if number == 0 else None
            axes.plot(own, window[f"forecast {target}"], color=RED, lw=2, label=label, **look)
    _intervals(axes, windows, target)
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.01)
    if "time" in windows:
        date_axis(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _places(rows: pandas.DataFrame) -> np.ndarray:
    """[rows] on the x axis: their times, or their numbers."""
    return wall_times(rows["time"]) if "time" in rows else rows["row"].to_numpy(dtype=np.float64)


def _intervals(axes: Axes, windows: pandas.DataFrame, target: str) -> None:
    """Fill between the outermost quantiles, if there are any."""
    levels = sorted(
        float(column.split(" ", 2)[1])
        for column in windows.columns
        if column.startswith("quantile ") and column.split(" ", 2)[2] == target
    )
    if len(levels) < 2:
        return
    label = f"{levels[0]:.0%} to {levels[-1]:.0%} quantile"
    for _, window in windows.groupby("start"):
        low, high = (window[f"quantile {level:g} {target}"] for level in (levels[0], levels[-1]))
        look: dict[str, Any] = {"step": "mid" if len(window) == 1 else None, "alpha": 0.18, "lw": 0}
        axes.fill_between(_places(window), low, high, color=RED, label=label, **look)
        label = ""


def _by_step(axes: Axes, errors: "pandas.api.typing.SeriesGroupBy") -> None:
    """The mean error over windows, with its interquartile range."""
    mean, low, high = errors.mean(), errors.quantile(0.25), errors.quantile(0.75)
    steps = mean.index
    if len(steps) <= MAX_BARS:
        axes.bar(steps, mean, color=BLUE, alpha=0.75, width=0.7, label="mean")
        axes.vlines(steps, low, high, color=INK, linewidth=1.2, label="middle half")
    else:
        axes.fill_between(steps, low, high, color=GREY, alpha=0.3, lw=0, label="middle half")
        axes.plot(steps, mean, color=BLUE, linewidth=1.8, label="mean")
    axes.set_ylim(bottom=0, top=max(float(high.max()), float(mean.max())) * 1.35 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    legend(axes, "upper left")
