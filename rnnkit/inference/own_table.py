"""Inputs from a file, a frame or the run's own table, in the form of the run's data."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import pandas
import pyarrow

from rnnkit.data import sources
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.sources import own_form
from rnnkit.errors import InputError, Note
from rnnkit.params.delimited import LAYOUT
from rnnkit.params.source import Table


def items(fitted: Fitted, file: str | None) -> list[Any]:
    """The inputs of a file like the run's data, as `Predictor` takes them.

    Args:
        fitted: of the model.
        file: its path; None: the run's own table, of a model that forecasts its next rows.

    Raises:
        InputError: the file cannot be read so.

    Warns:
        Note: what was changed or left out in reading a file; of the run's own table its run said.
    """
    data = fitted.data
    if file is None or fitted.forecast_columns:
        frame = sources.read_series_with_rows_ahead(
            data.source, file, fitted.table_columns, fitted.forecast_columns
        )
    else:
        column = fitted.inputs.column
        frame = own_form.read_inputs(data.source, file, column, fitted.columns, data.split)
    for note in frame.attrs.get("notes", ()) if file is not None else ():
        warnings.warn(f"{file}: {note}", Note, stacklevel=2)
    return fitted.items_to_answer(frame)


def items_of_frame(fitted: Fitted, frame: pandas.DataFrame) -> list[Any]:
    """As `items`, of a frame with the columns of the run's table; times may be its index.

    It is read as a Parquet file with the same content.
    """
    source = fitted.data.source
    table = source if isinstance(source, Table) else Table(path="")
    (time, *others) = [table.time] if isinstance(table.time, str) else table.time
    frame = frame.rename(columns=str)
    if isinstance(frame.index, pandas.DatetimeIndex) and time not in frame and not others:
        frame = frame.rename_axis(time)
    changes = {name: Table.model_fields[name].get_default() for name in LAYOUT}
    if time in frame.index.names or (
        time in frame and pandas.api.types.is_datetime64_any_dtype(frame[time])
    ):
        changes |= {"time_format": None, "time_unit": None}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "table.parquet")
        table = table.model_copy(update={**changes, "format": "parquet", "path": path})
        try:
            frame.to_parquet(path)
            rows = sources.read_series_with_rows_ahead(
                table, path, fitted.table_columns, fitted.forecast_columns
            )
        except InputError as error:
            raise InputError(str(error).replace(path, "the table")) from None
        except (pyarrow.ArrowException, ValueError) as error:  # as of values of several types
            reason = str(error).splitlines()[0]
            raise InputError(
                f"the table: every column must hold values of one type, but {reason}; convert them"
            ) from None
    for note in rows.attrs.get("notes", ()):
        warnings.warn(note.replace(path, "the table"), Note, stacklevel=2)
    return fitted.items_to_answer(rows)
