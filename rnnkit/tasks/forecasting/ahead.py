"""The rows behind a series: what the network reads for them, with their times.

The window is a series' last rows. The rows ahead have the times that follow
(`rnnkit.data.sources.following_times`), the calendar of these, and, where covariates are known
ahead, those of the table's own rows behind the last one with a value of a target.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from rnnkit.data.prepare.scale import Scaler
from rnnkit.data.sources.following_times import following
from rnnkit.errors import InputError, Note
from rnnkit.params.data import Data
from rnnkit.params.source import Table
from rnnkit.tasks.forecasting.columns import calendar, refuse_no_column, table_columns


@dataclass(frozen=True, eq=False)
class DatedWindow:
    """The last rows of a series, and the times of the rows ahead.

    Args:
        series: its name; empty for a single one.
        values: [window, columns] in units; with covariates known ahead [window + horizon, columns],
            NaN where a value is not known.
        past: [window] times.
        ahead: [horizon] times.
        columns: names of the table's columns in `values`, before those of the calendar.
        targets: names of the columns that are forecast.
    """

    series: str
    values: np.ndarray
    past: pd.DatetimeIndex
    ahead: pd.DatetimeIndex
    columns: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def target_values(self) -> np.ndarray:
        """[window, targets] in units."""
        return self.values[: len(self.past), [self.columns.index(name) for name in self.targets]]

    @property
    def shown(self) -> dict[str, object]:
        """What an answer repeats: series, times of the rows ahead, columns."""
        series = {"series": self.series} if self.series else {}
        return {**series, "times": as_texts(self.ahead), "columns": list(self.targets)}


def as_texts(times: pd.DatetimeIndex) -> list[str]:
    """ISO 8601; dates alone, where every time is a midnight without a zone.

    >>> as_texts(pd.DatetimeIndex(["2024-01-31"]))
    ['2024-01-31']
    >>> as_texts(pd.DatetimeIndex(["2024-01-31", "2024-01-31 12:00"]))
    ['2024-01-31T00:00:00', '2024-01-31T12:00:00']
    """
    if times.tz is None and bool((times == times.normalize()).all()):
        return [f"{time.date()}" for time in times]
    return [time.isoformat() for time in times]


def dated_windows(
    frame: pd.DataFrame, data: Data, horizon: int, scaler: Scaler
) -> list[DatedWindow]:
    """The last window of each series of a frame.

    Args:
        frame: as the source's reader gives it; rows behind a series may lack the targets.
        data: of the model.
        horizon: number of rows ahead.
        scaler: of the model.

    Raises:
        InputError: a missing column, too few rows, no known series, or unknown covariates ahead.

    Warns:
        Note: series that the model does not know are left out; times that lie on no grid.
    """
    make = partial(_dated_window, data=data, horizon=horizon, scaler=scaler)
    refuse_no_column(frame, table_columns(scaler, data.covariates))
    if scaler.series == ("",):
        return [make("", frame)]
    series = {str(name): rows for name, rows in frame.groupby("series", sort=False)}
    known = {name: rows for name, rows in series.items() if name in scaler.series}
    if not known:
        raise InputError(
            f"data.source.id: the model knows the series {_listed(scaler.series)}, and the table "
            f"has {_listed([*series])}; rename them, or train on these"
        )
    if len(known) < len(series):
        unknown = [name for name in series if name not in known]
        warnings.warn(
            f"{len(unknown)} of {len(series)} series were left out, because the model was not "
            f"trained on them: {_listed(unknown)}",
            Note,
            stacklevel=2,
        )
    return [make(name, rows) for name, rows in known.items()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _dated_window(
    name: str, rows: pd.DataFrame, data: Data, horizon: int, scaler: Scaler
) -> DatedWindow:
    columns, targets = table_columns(scaler, data.covariates), scaler.targets
    window = data.window
    of = f" of series {name!r}" if name else ""
    measured = rows[list(targets)].notna().all(axis=1).to_numpy()
    count = int(measured.nonzero()[0][-1]) + 1 if measured.any() else 0
    past, given = rows.iloc[:count], rows.iloc[count:]
    if count < window:
        raise InputError(
            f"data.source: a forecast needs {window} rows, the window, but there are {count}{of}; "
            "give more rows"
        )
    ahead = _times_ahead(past["time"], given["time"], of, data, horizon)
    before = pd.DatetimeIndex(past["time"].tail(window))
    values = past[list(columns)].tail(window).to_numpy(dtype=np.float64)
    if scaler.known:
        future = data.covariates.future
        values = np.concatenate([values, _known(given, columns, future, ahead, of)])
        waves = calendar(pd.Series(before.append(ahead)), data.covariates.calendar)
        values = np.concatenate([values, waves], axis=1)
    return DatedWindow(name, values, before, ahead, columns, targets)


def _times_ahead(
    past: pd.Series, given: pd.Series, of: str, data: Data, horizon: int
) -> pd.DatetimeIndex:
    """[horizon] the times of a table's own rows ahead, as far as there are any, and those that
    follow."""
    source = data.source
    frequency = source.frequency if isinstance(source, Table) else None
    rows_are_steps = isinstance(source, Table) and source.gaps == "keep"
    own = pd.DatetimeIndex(given.iloc[:horizon])
    times, on_grid = following(past, horizon, frequency, "data.source")
    differs = own != times[: len(own)]
    if differs.any() and on_grid and not rows_are_steps:
        place = int(differs.argmax())
        raise InputError(
            "data.source: the rows behind the last one with targets must follow without a gap, but "
            f"row {place + 1} of these{of} is at {own[place]}, and {times[place]} follows; add the "
            "rows between, or correct the time"
        )
    if not on_grid and not len(own):
        warnings.warn(
            f"the times{of} lie on no regular grid: those of the forecast follow at the median "
            f"distance, {times[0] - past.iloc[-1]}",
            Note,
            stacklevel=2,
        )
    if not differs.any():
        return times
    if len(own) < horizon:
        rows = pd.concat([past, given])
        rest = following(rows, horizon - len(own), frequency, "data.source").times
        return pd.DatetimeIndex(own.append(rest))
    return own


def _known(
    given: pd.DataFrame,
    columns: Sequence[str],
    future: Sequence[str],
    times: pd.DatetimeIndex,
    of: str,
) -> np.ndarray:
    """[horizon, columns] with the covariates of the table's rows ahead, NaN elsewhere."""
    values = np.full((len(times), len(columns)), np.nan)
    if not future:
        return values
    if len(given) < len(times):
        raise InputError(
            f"data.covariates.future: {', '.join(future)} must be known for the {len(times)} rows "
            f"behind the last one with targets{of}, from {times[0]} to {times[-1]}, but there are "
            f"{len(given)}; add rows with their time and these columns, the other columns empty"
        )
    for name in future:
        known = given[name].to_numpy(dtype=np.float64)[: len(times)]
        if np.isnan(known).any():
            raise InputError(
                f"data.covariates.future: {name} must be known in every row ahead, but it is "
                f"missing at {times[int(np.isnan(known).argmax())]}{of}; fill it in"
            )
        values[:, columns.index(name)] = known
    return values
