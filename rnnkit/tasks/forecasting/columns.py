"""What each column of a series is: a target, a covariate, or left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnkit.errors import InputError, closest
from rnnkit.params.data import Covariates
from rnnkit.params.task import Forecasting


@dataclass(frozen=True)
class Columns:
    """The columns of the table by what they are.

    Args:
        targets: to forecast, in the task's order.
        past: those that a window shows, targets among them, in the table's order.
        future: those that are known ahead.
        unused: those that nothing reads.
    """

    targets: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    unused: tuple[str, ...]


def choose(names: Sequence[str], covariates: Covariates, task: Forecasting) -> Columns:
    """Say what each column is.

    Args:
        names: of the table's columns, without time and series.

    Raises:
        InputError: a name that is no column, or no column is left to forecast.
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
    apart = {*covariates.future, *(covariates.past or ())}
    targets = task.targets
    if targets is None:
        targets = tuple(name for name in names if name not in apart)
    if not targets:
        raise InputError(
            "task.targets: at least one column must be forecast, but all of "
            f"{', '.join(names)} are covariates; take one out of data.covariates"
        )
    rest = names if covariates.past is None else (*targets, *covariates.past)
    past = tuple(name for name in names if name in rest and name not in covariates.future)
    used = {*past, *covariates.future}
    return Columns(
        targets, past, covariates.future, tuple(name for name in names if name not in used)
    )
