"""Vectors with targets, one per row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnkit.data.sources.tabular import TableFile
from rnnkit.params.source import Vectors

if TYPE_CHECKING:
    import pandas as pd


def read(params: Vectors, split: str | None) -> pd.DataFrame:
    """Columns vector (float64 [features]), target (a list of str), and optional group and part.
    `attrs` has the names of `columns` and `targets`."""
    import pandas as pd

    file = TableFile(params, "csv")
    targets = [
        file.labels(file.column(name, "data.source.targets"), "every vector needs its target")
        for name in params.targets
    ]
    numbers = file.numbers(params.columns, {*params.targets, params.group, split})
    rows = zip(*(cells.replace(params.rename) for cells in targets), strict=True)
    frame = pd.DataFrame({"vector": list(numbers.to_numpy()), "target": list(map(list, rows))})
    frame = frame.assign(**file.chosen(split, "group"))
    frame.attrs = {"columns": tuple(numbers), "targets": params.targets, "notes": file.notes}
    return frame
