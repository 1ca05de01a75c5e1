"""Axes of dates."""

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num


def wall_times(times: pandas.Series) -> np.ndarray:
    """Positions of times on an axis, on the clock of their zone; missing times are NaN."""
    clock = pandas.DatetimeIndex(times).tz_localize(None)
    positions: np.ndarray = np.asarray(date2num(clock.to_numpy()), dtype=np.float64)
    return positions


def date_axis(axes: Axes) -> None:
    """Label the x axis of `wall_times` with dates, as coarse as its range allows."""
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
