"""Examples of a series, or of several: a window of the past and the steps that follow it.

All parts share one scaled array, in which several series lie one behind another. The windows of
train lie wholly inside it; those of valid and test forecast their own rows alone, while their
inputs may reach back over the border. No window reaches into another series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rnnkit.data.prepare.built import Built, tensor
from rnnkit.data.prepare.calendar import calendar
from rnnkit.data.prepare.calendar import names as calendar_names
from rnnkit.data.prepare.columns import Columns, choose
from rnnkit.data.prepare.prepared import PARTS, Part
from rnnkit.data.prepare.scale import Scaler, fit, together
from rnnkit.data.prepare.split_series import Stretch, split_rows
from rnnkit.data.prepare.windows import series_windows
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Forecasting

if TYPE_CHECKING:
    import pandas as pd

Stretches = Mapping[str, Stretch]  # by part, in rows of the whole frame


def build(frame: pd.DataFrame, data: Data, task: Forecasting) -> Built:
    """Split by time, scale by the training rows, lay windows; with a limit the latest of each part.

    Args:
        frame: time, and the columns; of several series, sorted by its column `series` first.

    Raises:
        InputError: a name that is no column, or a part that is too short for a window.
    """
    chosen = choose(
        [name for name in frame.columns if name not in ("time", "series", "part")],
        data.covariates,
        task,
    )
    stretches = _stretches(frame, data)
    begins = {
        name: {
            part: series_windows(*stretch, data.window, task.horizon, part == "train", low)
            for part, stretch in own.items()
        }
        for name, (low, own) in stretches.items()
    }
    kept = [name for name, own in begins.items() if len(own["train"])]
    _refuse_no_window(stretches, begins, kept, data, task)
    scaler, scaled = _scaled(frame, {name: stretches[name] for name in kept}, chosen, data)
    inputs = tensor(scaled.astype(np.float32))
    columns = scaler.columns
    outputs = inputs if chosen.targets == columns else inputs[:, scaler.target_columns].contiguous()
    parts = {
        part: _part(
            _latest(np.concatenate([begins[name][part] for name in kept]), frame, data.limit),
            inputs,
            outputs,
            data.window,
            task.horizon,
            scaler.known,
        )
        for part in PARTS
    }
    features = len(columns) + (1 if scaler.known else 0)  # which steps are ahead
    facts = _facts(frame, parts, {n: stretches[n][1] for n in kept}, data, task)
    facts |= _told(frame, chosen, len(stretches), kept)
    return Built(parts, None, None, scaler, features, facts)


def _stretches(frame: pd.DataFrame, data: Data) -> dict[str, tuple[int, Stretches]]:
    """By series: its first row, and the stretch of each part."""
    if "series" not in frame:
        return {"": (0, split_rows(frame, data.split))}
    found: dict[str, tuple[int, Stretches]] = {}
    for name, own in frame.groupby("series", sort=False):
        low = int(own.index[0])
        found[str(name)] = (
            low,
            {
                part: (low + first, low + stop)
                for part, (first, stop) in split_rows(own, data.split, empty=True).items()
            },
        )
    return found


def _refuse_no_window(
    stretches: Mapping[str, tuple[int, Stretches]],
    begins: Mapping[str, Mapping[str, np.ndarray]],
    kept: list[str],
    data: Data,
    task: Forecasting,
) -> None:
    """Raise InputError for a part without any window."""
    several = len(stretches) > 1
    for part in PARTS:
        if any(len(begins[name][part]) for name in (kept if part != "train" else begins)):
            continue
        rows = max(own[part][1] - own[part][0] for _, own in stretches.values())
        needed = (
            f"window {data.window} + horizon {task.horizon}"
            if part == "train"
            else f"horizon {task.horizon}, after {data.window} rows of window"
        )
        has = f"{rows} rows" + (f" at most in any of {len(stretches)} series" if several else "")
        raise InputError(
            f"data.window: one window must fit, but {part} has {has} and "
            f"needs {needed}; shorten data.window or task.horizon, or give the part more rows"
        )


def _scaled(
    frame: pd.DataFrame,
    stretches: Mapping[str, tuple[int, Stretches]],
    chosen: Columns,
    data: Data,
) -> tuple[Scaler, np.ndarray]:
    """The scaler, and all rows up to the last that is used; a series that is left out is zero."""
    of_time = calendar_names(data.covariates.calendar)
    columns = (*chosen.past, *chosen.future, *of_time)
    known = len(chosen.future) + len(of_time)
    used = max(stop for _, own in stretches.values() for _, stop in own.values())
    values = _values(frame.iloc[:used], (*chosen.past, *chosen.future), data)
    fitted = {}
    for name, (_, own) in stretches.items():
        first, stop = own["train"]
        fitted[name] = fit(data.scaling, values[first:stop], columns, chosen.targets, len(of_time))
    scaler = together(fitted, [low for low, _ in stretches.values()], known)
    scaled = np.zeros_like(values)
    for number, (low, own) in enumerate(stretches.values()):
        stop = own["test"][1]
        scaled[low:stop] = scaler.transform(values[low:stop], number)
    return scaler, scaled


def _values(frame: pd.DataFrame, columns: Sequence[str], data: Data) -> np.ndarray:
    """[rows, columns and calendar] in units."""
    read = frame[list(columns)].to_numpy(dtype=np.float64)
    return np.concatenate([read, calendar(frame["time"], data.covariates.calendar)], axis=1)


def another_series(frame: pd.DataFrame, data: Data, task: Forecasting, scaler: Scaler) -> Part:
    """All windows of a series that was not there when the scaler was fitted.

    Raises:
        InputError: it is one of several, a column is missing, or no window fits.
    """
    if "series" in frame:
        raise InputError(
            "data.source.id: a model of several series has no other file to be scored on, for each "
            "is scaled by itself; rnnkit backtest scores them in folds"
        )
    of_time = calendar_names(data.covariates.calendar)
    columns = scaler.columns[: len(scaler.columns) - len(of_time)]
    for name in columns:
        if name not in frame:
            raise InputError(
                f"data.source: the model reads a column {name!r}, and there is none; "
                f"the columns are {', '.join(n for n in frame.columns if n != 'time')}"
            )
    begins = series_windows(0, len(frame), data.window, task.horizon, inside=True, low=0)
    if not len(begins):
        raise InputError(
            f"data.source: one window must fit, but there are {len(frame)} rows, and window "
            f"{data.window} + horizon {task.horizon} are needed"
        )
    scaled = scaler.transform(_values(frame, columns, data)).astype(np.float32)
    inputs = tensor(scaled)
    outputs = inputs[:, scaler.target_columns].contiguous()
    return _part(begins, inputs, outputs, data.window, task.horizon, scaler.known)


def _latest(begins: np.ndarray, frame: pd.DataFrame, limit: int | None) -> np.ndarray:
    """The windows that forecast the latest times, in the order of their rows."""
    if limit is None or len(begins) <= limit:
        return begins
    order = frame["time"].iloc[begins].argsort(kind="stable").to_numpy()
    latest: np.ndarray = np.sort(begins[order[-limit:]])
    return latest


def _part(
    begins: np.ndarray,
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    window: int,
    horizon: int,
    known: int,
) -> Part:
    start = tensor(begins)
    return Part(
        inputs=inputs,
        input_start=start - window,
        input_length=torch.full_like(start, window),
        targets=outputs,
        target_start=start,
        target_length=torch.full_like(start, horizon),
        item=start,
        synced=False,
        known=known,
    )


def _facts(
    frame: pd.DataFrame,
    parts: Mapping[str, Part],
    stretches: Mapping[str, Stretches],
    data: Data,
    task: Forecasting,
) -> dict[str, Any]:
    rows = {part: sum(own[part][1] - own[part][0] for own in stretches.values()) for part in PARTS}
    times = frame["time"]
    spans = {
        part: [own[part] for own in stretches.values() if own[part][0] < own[part][1]]
        for part in PARTS
    }
    return {
        "items": {part: len(examples) for part, examples in parts.items()},
        "tokens": {part: len(examples) * task.horizon for part, examples in parts.items()},
        "longest": dict.fromkeys(parts, data.window),
        "rows": rows,
        "unused": len(frame) - sum(rows.values()),
        "time": {
            part: [
                min(times.iloc[first] for first, _ in found).isoformat(),
                max(times.iloc[stop - 1] for _, stop in found).isoformat(),
            ]
            for part, found in spans.items()
        },
    }


def _told(frame: pd.DataFrame, chosen: Columns, series: int, kept: list[str]) -> dict[str, Any]:
    """Facts about what was left out, and the notes that say it."""
    notes = list(frame.attrs.get("notes", []))
    facts: dict[str, Any] = {}
    if "series" in frame:
        facts["series"] = {"kept": len(kept), "left_out": series - len(kept)}
        if series > len(kept):
            notes.append(
                f"{series - len(kept)} of {series} series were left out: "
                "their training rows are too few for a window"
            )
    if chosen.unused:
        notes.append(f"columns that nothing reads: {', '.join(chosen.unused)}")
    return facts | {"notes": notes}
