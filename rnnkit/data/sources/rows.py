"""Rows of Parquet files; those of CSV and TSV are in `delimited`, of JSONL in `jsonl`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.limits import refuse_columns, refuse_expansion
from rnnkit.data.sources.opening import read_bytes
from rnnkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CELL_BYTES = 8
"""Size of a number of a Parquet file in memory; in the file, a thousand equal ones have a byte."""


def parquet(path: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a Parquet file, and the names of those columns that were pandas' index.

    An index without a name is a column `index` if it holds times, and is else left out: it numbers
    the rows. So is one that has the name of a column.
    """
    import pandas as pd
    import pyarrow.parquet

    content = read_bytes(path)
    try:
        facts = pyarrow.parquet.read_metadata(io.BytesIO(content))
        refuse_columns(path, facts.num_columns)
        groups = (facts.row_group(number) for number in range(facts.num_row_groups))
        cells = facts.num_columns * max(facts.num_rows, sum(group.num_rows for group in groups))
        refuse_expansion(path, cells * CELL_BYTES, len(content))
        # full: texts that are no UTF-8 would raise wherever they are used
        pyarrow.parquet.read_table(io.BytesIO(content)).validate(full=True)
        frame = pd.read_parquet(io.BytesIO(content))
    except InputError:
        raise
    except Exception as error:  # Arrow's, and any of pandas for damaged metadata
        reason = str(error).split(". ")[0].split("\n")[0].rstrip(".") or type(error).__name__
        raise InputError(
            f"{path}: a Parquet file is needed, but {reason}; write it again or set `format`"
        ) from None
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    of_time = (pd.DatetimeIndex, pd.PeriodIndex)
    names = [level.name or ("index" if isinstance(level, of_time) else None) for level in levels]
    index = {
        str(name): level
        for name, level in zip(names, levels, strict=True)
        if name is not None and str(name) not in map(str, frame.columns)
    }
    frame = frame.reset_index(drop=True)
    halves = frame.select_dtypes("float16").columns  # pandas has no groups of them
    frame = frame.astype(dict.fromkeys(halves, "float32"))
    for place, (name, level) in enumerate(index.items()):
        frame.insert(place, name, level)
    return frame, list(index)


@dataclass(frozen=True)
class Beginning:
    """First rows of a Parquet file.

    Args:
        columns: name -> values, under the names of `parquet`.
        index: those that were pandas' index.
        rows: of the whole file.
    """

    columns: dict[str, list[Any]]
    index: list[str]
    rows: int


def parquet_beginning(path: str, count: int) -> Beginning:
    """The first rows, without pandas, which takes half a second to import.

    Raises:
        InputError: it is no Parquet file.
    """
    import pyarrow.parquet

    content = read_bytes(path)
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        refuse_columns(path, file.metadata.num_columns)
        batch = next(file.iter_batches(batch_size=count), None)
        values: dict[str, list[Any]] = {} if batch is None else batch.to_pydict()
        metadata = file.schema_arrow.pandas_metadata or {}
    except InputError:
        raise
    except Exception as error:
        reason = str(error).split(". ")[0].split("\n")[0].rstrip(".") or type(error).__name__
        raise InputError(
            f"{path}: a Parquet file is needed, but {reason}; write it again"
        ) from None
    index = [name for name in metadata.get("index_columns", ()) if isinstance(name, str)]
    columns: dict[str, list[Any]] = {}
    for name, cells in values.items():
        if name in index and name.startswith("__index_level_"):
            if not any(isinstance(cell, datetime) for cell in cells):
                continue
            name = "index"
        columns[name] = cells
    return Beginning(columns, [name for name in index if name in columns], file.metadata.num_rows)
