"""What each column of a series is: target, covariate or left out; columns of the calendar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnnkit.data.prepare.scale import Scaler
from rnnkit.errors import InputError, closest
from rnnkit.params.data import Covariates
from rnnkit.params.task import Forecasting

CYCLES: Mapping[str, Callable[[Any], Any]] = {
    "hour": lambda time: (time.hour + time.minute / 60) / 24,
    "weekday": lambda time: time.day_of_week / 7,
    "month": lambda time: (time.month - 1) / 12,
}
"""Name -> the fraction of the cycle that has passed, of a pandas DatetimeIndex."""


@dataclass(frozen=True)
class Columns:
    """Names of columns.

    Args:
        targets: to forecast, in the task's order.
        past: those that a window shows, targets among them, in the table's order.
        future: those known ahead.
        unused: those that nothing reads.
    """

    targets: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    unused: tuple[str, ...]


def choose(names: Sequence[str], covariates: Covariates, task: Forecasting) -> Columns:
    """Say what each column is; raise InputError for a name that is no column, or without a target.

    Args:
        names: of the table's columns, without time and series.
    """
    named = {
        "task.targets": task.targets or (),
        "data.covariates.past": covariates.past or (),
        "data.covariates.future": covariates.future,
    }
    for key, wanted in named.items():
        for name in wanted:
            if name not in names:
                raise InputError(
                    f"{key}: there is no column {name!r}{closest(name, list(names))}; "
                    f"the columns are {', '.join(names)}"
                )
    targets = task.targets
    if targets is None:
        apart = {*covariates.future, *(covariates.past or ())}
        targets = tuple(name for name in names if name not in apart)
    if not targets:
        raise InputError(
            "task.targets: at least one column must be forecast, but all of "
            f"{', '.join(names)} are covariates; take one out of data.covariates"
        )
    rest = names if covariates.past is None else (*targets, *covariates.past)
    past = tuple(name for name in names if name in rest and name not in covariates.future)
    unused = tuple(name for name in names if name not in (*past, *covariates.future))
    return Columns(targets, past, covariates.future, unused)


def table_columns(scaler: Scaler, covariates: Covariates) -> tuple[str, ...]:
    """Columns of the table that a model reads: all but those of the calendar."""
    return scaler.columns[: len(scaler.columns) - len(calendar_names(covariates.calendar))]


def refuse_no_column(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise InputError for a column that a model reads and a table lacks."""
    for name in names:
        if name not in frame:
            raise InputError(
                f"data.source: the model reads a column {name!r}, and there is none; "
                f"the columns are {', '.join(n for n in frame.columns if n != 'time')}"
            )


def calendar_names(chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns of `calendar`.

    >>> calendar_names(["hour"])
    ('hour sin', 'hour cos')
    """
    return tuple(f"{name} {wave}" for name in chosen for wave in ("sin", "cos"))


def calendar(times: pd.Series, chosen: Sequence[str]) -> np.ndarray:
    """[rows, 2 · chosen] the sine and the cosine of each cycle, so that its end meets its start."""
    index = pd.DatetimeIndex(times)
    angles = [2 * np.pi * np.asarray(CYCLES[name](index), dtype=np.float64) for name in chosen]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1) if waves else np.empty((len(index), 0))
