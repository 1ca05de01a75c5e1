"""Many-to-one examples of a series: a window of the past and the steps that follow it.

All parts share one scaled array. The windows of train lie wholly inside it; those of valid and
test forecast their own rows alone, while their inputs may reach back over the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Forecasting
from rnnkit.prepare.built import Built, tensor
from rnnkit.prepare.prepared import Part
from rnnkit.prepare.scale import fit
from rnnkit.prepare.split_series import split_rows
from rnnkit.prepare.windows import series_windows
from rnnkit.sources.opening import closest

if TYPE_CHECKING:
    import pandas as pd


def build(frame: pd.DataFrame, data: Data, task: Forecasting) -> Built:
    """Split by time, scale by the training rows, lay windows; with a limit the latest of each part.

    Args:
        frame: time, and the columns.

    Raises:
        InputError: an unknown target, or a part that is too short for a window.
    """
    stretches = split_rows(frame, data.split)
    columns = tuple(name for name in frame.columns if name not in ("time", "part"))
    targets = columns if task.targets is None else task.targets
    for name in targets:
        if name not in columns:
            raise InputError(
                f"task.targets: there is no column {name!r}{closest(name, list(columns))}; "
                f"the columns are {', '.join(columns)}"
            )
    used = max(stop for _, stop in stretches.values())
    values = frame[list(columns)].to_numpy(dtype=np.float64)[:used]
    first, stop = stretches["train"]
    scaler = fit(data.scaling, values[first:stop], columns, targets)
    scaled = scaler.transform(values).astype(np.float32)
    inputs = tensor(scaled)
    outputs = inputs if targets == columns else tensor(scaled[:, scaler.target_columns])
    parts = {
        part: _part(part, stretch, data, task, inputs, outputs)
        for part, stretch in stretches.items()
    }
    times = frame["time"]
    facts = {
        "items": {part: len(examples) for part, examples in parts.items()},
        "tokens": {part: len(examples) * task.horizon for part, examples in parts.items()},
        "longest": dict.fromkeys(parts, data.window),
        "rows": {part: stop - first for part, (first, stop) in stretches.items()},
        "unused": len(frame) - used,
        "time": {
            part: [times.iloc[first].isoformat(), times.iloc[stop - 1].isoformat()]
            for part, (first, stop) in stretches.items()
        },
    }
    return Built(parts, None, None, scaler, len(columns), facts)


def _part(
    part: str,
    stretch: tuple[int, int],
    data: Data,
    task: Forecasting,
    inputs: torch.Tensor,
    outputs: torch.Tensor,
) -> Part:
    first, stop = stretch
    inside = part == "train"
    begins = series_windows(first, stop, data.window, task.horizon, inside)
    if not len(begins):
        needed = (
            f"window {data.window} + horizon {task.horizon}"
            if inside
            else (f"horizon {task.horizon}, after {data.window} rows of window")
        )
        raise InputError(
            f"data.window: one window must fit, but {part} has {stop - first} rows and "
            f"needs {needed}; shorten data.window or task.horizon, or give the part more rows"
        )
    if data.limit is not None:
        begins = begins[-data.limit :]
    start = tensor(begins)
    return Part(
        inputs=inputs,
        input_start=start - data.window,
        input_length=torch.full_like(start, data.window),
        targets=outputs,
        target_start=start,
        target_length=torch.full_like(start, task.horizon),
        item=start,
        synced=False,
    )
