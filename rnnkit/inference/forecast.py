"""Forecast the rows behind a table: as rows, a file or a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas

from rnnkit import figures
from rnnkit.errors import InputError
from rnnkit.inference import own_table
from rnnkit.inference.predict import Predictor
from rnnkit.runtime.files import write_atomic
from rnnkit.tasks import Task

SERIES_PER_BATCH = 64
"""Series in one batch."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """The rows behind a table.

    Args:
        task: that made it.
        items: what was read, one for each series.
        answers: to them, as `rnnkit predict` prints them.
    """

    task: Task
    items: list[Any]
    answers: list[dict[str, Any]]

    @cached_property
    def rows(self) -> pandas.DataFrame:
        """A row for each series, column and step: series (of several), time, step, column,
        forecast, and a column `quantile Q` for each quantile."""
        return self.task.rows_ahead(self.items, self.answers)

    @property
    def csv(self) -> str:
        """`rows` as CSV, with times in ISO 8601."""
        texts = self.rows["time"].map(pandas.Timestamp.isoformat)
        midnight = "T00:00:00"
        if texts.str.endswith(midnight).all():
            texts = texts.str.removesuffix(midnight)
        return str(self.rows.assign(time=texts).to_csv(index=False, lineterminator="\n"))

    def save(self, file: Path) -> None:
        """Write a file by its ending, one of `FORMATS`."""
        FORMATS[ending_of(file)](self, file)


FORMATS: Mapping[str, Callable[[Forecast, Path], None]] = {
    ".csv": lambda made, file: write_atomic(file, made.csv),
    ".parquet": lambda made, file: write_atomic(file, made.rows.to_parquet(index=False)),
    ".png": lambda made, file: figures.save(made.task.figure_ahead(made.items, made.answers), file),
}
"""Ending of a file -> what writes a forecast to it."""


def ending_of(file: Path) -> str:
    """The key of `FORMATS` of a file; raises InputError for another ending."""
    ending = file.suffix.lower()
    if ending not in FORMATS:
        raise InputError(f"{file}: a forecast is written as {', '.join(FORMATS)}; name it so")
    return ending


def forecast(predictor: Predictor, file: str | None) -> Forecast:
    """The rows behind the last ones of each series.

    Args:
        predictor: of a forecasting run.
        file: a table like the run's, with at least a window of rows; its last rows may lack the
            values of targets, and have those of covariates that are known ahead. None: the run's
            own table, as it is now.

    Raises:
        InputError: another task, or a table that cannot be read so.
    """
    task, fitted = predictor.task, predictor.prepared.fitted
    if not fitted.forecast_columns:
        raise InputError(
            f"only a forecasting model has rows behind a table, and this run's task is "
            f"{task.params.kind}; rnnkit predict has its answers"
        )
    items = own_table.items(fitted, file)
    names = [f"{file or 'the table'}, item {number}" for number, _ in enumerate(items, start=1)]
    answers: list[dict[str, Any]] = []
    for start in range(0, len(items), SERIES_PER_BATCH):
        batch = slice(start, start + SERIES_PER_BATCH)
        answers += predictor(items[batch], names[batch])
    return Forecast(task, items, answers)
