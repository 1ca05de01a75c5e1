"""Examples of a series, or of several: a window of the past and the steps that follow it.

All splits share one scaled array, in which several series lie one behind another. The windows of
train lie wholly inside it; those of valid and test forecast their own rows alone, while their
inputs may reach back over the border. No window reaches into another series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.part import PARTS, Part, tensor
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler, together
from rnnkit.data.prepare.scale import fit as fit_scaler
from rnnkit.data.prepare.split_series import Stretch, series_windows, split_rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Forecasting
from rnnkit.tasks.forecasting.calendar import calendar
from rnnkit.tasks.forecasting.calendar import names as calendar_names
from rnnkit.tasks.forecasting.columns import Columns, choose
from rnnkit.tasks.forecasting.inputs import Windows

if TYPE_CHECKING:
    import pandas as pd

Stretches = Mapping[str, Stretch]  # by split, in rows of the whole frame


@dataclass(frozen=True, eq=False)
class ForecastingFitted(Fitted):
    """The scale of each series, and when each split was.

    Args:
        times: split -> its first and its last time, ISO 8601.
        several: whether there are several series.
    """

    split_by_time: ClassVar[bool] = True

    task: Forecasting
    inputs: Windows
    times: Mapping[str, Sequence[str]]
    several: bool

    @property
    def scaler(self) -> Scaler:
        """Of all columns."""
        return self.inputs.scaler

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> Part:
        """All windows of a series that was not there when the scaler was fitted.

        Raises:
            InputError: it is one of several, a column is missing, or no window fits.
        """
        if "series" in frame:
            raise InputError(
                "data.source.id: a model of several series has no other file to be scored on, for "
                "each is scaled by itself; rnnkit backtest scores them in folds"
            )
        of_time = calendar_names(self.data.covariates.calendar)
        columns = self.scaler.columns[: len(self.scaler.columns) - len(of_time)]
        for name in columns:
            if name not in frame:
                raise InputError(
                    f"data.source: the model reads a column {name!r}, and there is none; "
                    f"the columns are {', '.join(n for n in frame.columns if n != 'time')}"
                )
        window, horizon = self.data.window, self.task.horizon
        begins = series_windows(0, len(rows), window, horizon, inside=True, low=0)
        if not len(begins):
            raise InputError(
                f"data.source: one window must fit, but there are {len(rows)} rows, and window "
                f"{window} + horizon {horizon} are needed"
            )
        values = _values(frame.iloc[rows], columns, self.data)
        return self.windows(begins, tensor(self.scaler.transform(values).astype(np.float32)))

    def windows(self, begins: np.ndarray, scaled: Tensor) -> Part:
        """Windows whose targets begin at some rows of a scaled array [rows, columns]."""
        start, columns = tensor(begins), self.scaler.target_columns
        all_columns = self.scaler.targets == self.scaler.columns
        return Part(
            inputs=scaled,
            input_start=start - self.data.window,
            input_length=torch.full_like(start, self.data.window),
            targets=scaled if all_columns else scaled[:, columns].contiguous(),
            target_start=start,
            target_length=torch.full_like(start, self.task.horizon),
            item=start,
            synced=False,
            known=self.scaler.known,
        )

    def read(self, values: Sequence[Any], names: Sequence[str]) -> Part:
        """Windows, with the horizon behind them where covariates are known ahead.

        An item is a row of its series, so that the answer has its units.
        """
        scaled, lengths = self.inputs.read(values, names)
        horizon = self.task.horizon
        ahead = horizon if self.scaler.known else 0
        part = self.windows(np.cumsum(lengths) - ahead, tensor(scaled))
        series = map(self.inputs.series, values, names)
        return replace(
            part,
            targets=torch.zeros(len(scaled) + horizon, len(self.scaler.targets)),
            item=torch.tensor([self.scaler.begin[number] for number in series]),
        )

    def align(self, part: Part, of: Fitted) -> Part:
        """With as many rows before the targets as this model reads."""
        assert isinstance(of, ForecastingFitted)
        start = part.target_start - self.data.window
        begin = torch.tensor(of.scaler.begin)[of.scaler.which(part.item)]
        if bool((start < begin).any()):
            raise InputError(
                f"the older model reads {self.data.window} rows, and before the test part are no "
                f"more than {int((part.target_start - begin).min())}"
            )
        length = torch.full_like(start, self.data.window)
        return super().align(replace(part, input_start=start, input_length=length), of)

    def refuse_seen_times(self, older: Fitted) -> None:
        """What is tested must come after all that was learned, whatever the splits are.

        Several series of which each is split by its own rows need not keep to one moment; there it
        is enough that the splits are equal, for the borders of series that grow move forward alone.
        """
        import pandas

        assert isinstance(older, ForecastingFitted)
        end, begin = older.times["valid"][1], self.times["test"][0]
        last, first = pandas.to_datetime([end, begin], utc=True, format="ISO8601")
        several = older.several and self.several
        if last >= first and not (several and older.data.split == self.data.split):
            raise InputError(
                f"the older model was trained and chosen on times up to {end}, and the test part "
                f"begins at {begin}"
            )

    def with_series_of(self, of: Fitted) -> ForecastingFitted:
        assert isinstance(of, ForecastingFitted)
        scaler = replace(self.scaler, begin=of.scaler.begin)
        return replace(self, inputs=replace(self.inputs, scaler=scaler))

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Forecasting) -> ForecastingFitted:
        assert stored.scaler is not None
        inputs = Windows(stored.scaler, data.window, task.horizon)
        return cls(task, data, inputs, stored.facts["time"], "series" in stored.facts)


def fit(frame: pd.DataFrame, data: Data, task: Forecasting) -> Prepared[ForecastingFitted]:
    """Split by time, scale by the training rows, lay windows; with a limit the latest of each
    split.

    Args:
        frame: time, and the columns; of several series, sorted by its column `series` first.

    Raises:
        InputError: a name that is no column, or a split that is too short for a window.
    """
    chosen = choose(
        [name for name in frame.columns if name not in ("time", "series", "part")],
        data.covariates,
        task,
    )
    stretches = _stretches(frame, data)
    begins = {
        name: {
            split: series_windows(*stretch, data.window, task.horizon, split == "train", low)
            for split, stretch in own.items()
        }
        for name, (low, own) in stretches.items()
    }
    kept = [name for name, own in begins.items() if len(own["train"])]
    _refuse_no_window(stretches, begins, kept, data, task)
    scaler, scaled = _scaled(frame, {name: stretches[name] for name in kept}, chosen, data)
    inputs = Windows(scaler, data.window, task.horizon)
    times = _times(frame, [stretches[name][1] for name in kept])
    fitted = ForecastingFitted(task, data, inputs, times, "series" in frame)
    rows = tensor(scaled.astype(np.float32))
    parts = dict[str, Part]()
    for split in PARTS:
        own = np.concatenate([begins[name][split] for name in kept])
        part = fitted.windows(_latest(own, frame, data.limit), rows)
        first = next(iter(parts.values()), part)  # all share one array
        parts[split] = replace(part, targets=first.targets)
    facts = _facts(frame, parts, {n: stretches[n][1] for n in kept}, fitted)
    return Prepared("", parts, fitted, facts | _left_out(frame, chosen, len(stretches), kept))


def _stretches(frame: pd.DataFrame, data: Data) -> dict[str, tuple[int, Stretches]]:
    """By series: its first row, and the stretch of each part."""
    if "series" not in frame:
        return {"": (0, split_rows(frame, data.split))}
    by_series: dict[str, tuple[int, Stretches]] = {}
    for name, own in frame.groupby("series", sort=False):
        low = int(own.index[0])
        by_series[str(name)] = (
            low,
            {
                part: (low + first, low + stop)
                for part, (first, stop) in split_rows(own, data.split, empty=True).items()
            },
        )
    return by_series


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
        fitted[name] = fit_scaler(
            data.scaling, values[first:stop], columns, chosen.targets, len(of_time)
        )
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


def _latest(begins: np.ndarray, frame: pd.DataFrame, limit: int | None) -> np.ndarray:
    """The windows that forecast the latest times, in the order of their rows."""
    if limit is None or len(begins) <= limit:
        return begins
    order = frame["time"].iloc[begins].argsort(kind="stable").to_numpy()
    latest: np.ndarray = np.sort(begins[order[-limit:]])
    return latest


def _times(frame: pd.DataFrame, stretches: list[Stretches]) -> dict[str, list[str]]:
    """split -> its first and its last time."""
    times, first_and_last = frame["time"], {}
    for split in PARTS:
        spans = [own[split] for own in stretches if own[split][0] < own[split][1]]
        first_and_last[split] = [
            min(times.iloc[first] for first, _ in spans).isoformat(),
            max(times.iloc[stop - 1] for _, stop in spans).isoformat(),
        ]
    return first_and_last


def _facts(
    frame: pd.DataFrame,
    parts: Mapping[str, Part],
    stretches: Mapping[str, Stretches],
    fitted: ForecastingFitted,
) -> Facts:
    rows = {
        split: sum(own[split][1] - own[split][0] for own in stretches.values()) for split in PARTS
    }
    return {
        "items": {split: len(part) for split, part in parts.items()},
        "tokens": {split: len(part) * fitted.task.horizon for split, part in parts.items()},
        "longest": dict.fromkeys(parts, fitted.data.window),
        "rows": rows,
        "unused": len(frame) - sum(rows.values()),
        "time": fitted.times,
    }


def _left_out(frame: pd.DataFrame, chosen: Columns, series: int, kept: list[str]) -> Facts:
    """Facts about what was left out, and the notes that say it."""
    notes = list(frame.attrs.get("notes", []))
    facts: Facts = {"notes": notes}
    if "series" in frame:
        facts["series"] = {"kept": len(kept), "left_out": series - len(kept)}
        if series > len(kept):
            notes.append(
                f"{series - len(kept)} of {series} series were left out: "
                "their training rows are too few for a window"
            )
    if chosen.unused:
        notes.append(f"columns that nothing reads: {', '.join(chosen.unused)}")
    return facts


def rows_of(part: Part, scaler: Scaler) -> list[Tensor]:
    """By series: [rows, targets] the stretch that the part's windows forecast, scaled.

    A series of which the part has no window has a stretch of no rows.
    """
    which, stretches = scaler.which(part.target_start), []
    for k in range(len(scaler.series)):
        first = part.target_start[which == k]
        if not len(first):
            stretches.append(part.targets[:0])
            continue
        length = int(part.target_length[0])
        stretches.append(part.targets[int(first.min()) : int(first.max()) + length])
    return stretches
