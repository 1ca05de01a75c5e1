"""Examples of a series, or of several: a window of the past and the steps that follow it.

All splits share one scaled array, in which several series lie one behind another. Windows of train
lie wholly inside it; those of valid and test forecast their own rows, and read rows before them.
No window reaches into another series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rnnkit.data.prepare.encoded_split import SPLITS, EncodedSplit, in_units, tensor
from rnnkit.data.prepare.facts import Facts
from rnnkit.data.prepare.fitted import Fitted
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.data.prepare.scale import Scaler, merge_series, refuse_negative
from rnnkit.data.prepare.scale import fit as fit_scaler
from rnnkit.data.prepare.split_series import Stretch, series_windows, split_rows
from rnnkit.data.prepare.stored import Stored
from rnnkit.data.sources.table import FILLED
from rnnkit.errors import InputError
from rnnkit.params.data import Data
from rnnkit.params.task import Forecasting
from rnnkit.tasks.forecasting.ahead import DatedWindow, dated_windows
from rnnkit.tasks.forecasting.columns import (
    Columns,
    calendar,
    calendar_names,
    choose,
    refuse_no_column,
    table_columns,
)
from rnnkit.tasks.forecasting.inputs import Windows


@dataclass(frozen=True, eq=False)
class ForecastingFitted(Fitted):
    """The scale of each series, and when each split was.

    Args:
        times: split -> its first and its last time, ISO 8601.
        several: whether there are several series.
        training: number of training rows of each series, its first rows.
    """

    split_by_time: ClassVar[bool] = True

    task: Forecasting
    inputs: Windows
    times: Mapping[str, Sequence[str]]
    several: bool
    training: tuple[int, ...]

    def encode(self, frame: pd.DataFrame, rows: np.ndarray, split: str) -> EncodedSplit:
        """All windows of a new series; refuses several series, missing columns, too few rows."""
        if "series" in frame:
            raise InputError(
                "data.source.id: a model of several series has no other file to be scored on, for "
                "each is scaled by itself; rnnkit backtest scores them in folds"
            )
        columns = self.table_columns
        refuse_no_column(frame, columns)
        window, horizon = self.data.window, self.task.horizon
        measured = _measured(frame.iloc[rows], self.inputs.scaler.targets)
        begins = series_windows(0, len(rows), window, horizon, inside=True, low=0)
        begins = _with_truth(begins, measured, horizon)
        if not len(begins):
            raise InputError(
                f"data.source: one window must fit, but there are {len(rows)} rows, and window "
                f"{window} + horizon {horizon} are needed, with a value in it that is not filled"
            )
        values = _values(frame.iloc[rows], columns, self.data)
        refuse_negative(values, self.inputs.scaler, "data.source")
        scaled = self.inputs.scaler.transform(values).astype(np.float32)
        return self.windows(begins, tensor(scaled), tensor(values), measured)

    def windows(
        self,
        begins: np.ndarray,
        scaled: Tensor,
        values: Tensor | None = None,
        measured: Tensor | None = None,
    ) -> EncodedSplit:
        """Windows whose targets begin at some rows of a scaled array [rows, columns].

        Args:
            values: the array in units; None: of inputs without targets.
            measured: [rows, targets] as in EncodedSplit.
        """
        start, scaler = tensor(begins), self.inputs.scaler
        targets, columns = scaled, scaler.target_columns
        if scaler.targets != scaler.columns:
            targets = scaled[:, columns].contiguous()
        return EncodedSplit(
            inputs=scaled,
            input_start=start - self.data.window,
            input_length=torch.full_like(start, self.data.window),
            targets=targets,
            target_start=start,
            target_length=torch.full_like(start, self.task.horizon),
            item=start,
            synced=False,
            known=scaler.known,
            units=None if values is None else values[:, columns].contiguous(),
            measured=measured,
        )

    def read(self, values: Sequence[Any], names: Sequence[str]) -> EncodedSplit:
        """Windows; the item is a row of its series, so that the answer has its units."""
        scaled, lengths = self.inputs.read(values, names)
        horizon, scaler = self.task.horizon, self.inputs.scaler
        split = self.windows(np.cumsum(lengths) - (horizon if scaler.known else 0), tensor(scaled))
        return replace(
            split,
            targets=torch.zeros(len(scaled) + horizon, len(scaler.targets)),
            item=torch.tensor([scaler.begin[k] for k in map(self.inputs.series, values, names)]),
        )

    def items_to_answer(self, frame: pd.DataFrame) -> list[DatedWindow]:
        """The last window of each series, with the rows ahead."""
        return dated_windows(frame, self.data, self.task.horizon, self.inputs.scaler)

    def contents(self, split: EncodedSplit) -> list[tuple[bytes, bool]]:
        """Of a window and the rows that it forecasts."""
        starts, size = split.input_start.tolist(), self.data.window + self.task.horizon
        return self._digests(split.inputs[start : start + size].numpy() for start in starts)

    @property
    def table_columns(self) -> tuple[str, ...]:
        return table_columns(self.inputs.scaler, self.data.covariates)

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        return self.inputs.scaler.targets

    def align(self, part: EncodedSplit, of: Fitted) -> EncodedSplit:
        """With as many rows before the targets as this model reads."""
        assert isinstance(of, ForecastingFitted)
        start = part.target_start - self.data.window
        begin = torch.tensor(of.inputs.scaler.begin)[of.inputs.scaler.which(part.item)]
        if bool((start < begin).any()):
            raise InputError(
                f"the older model reads {self.data.window} rows, and before the test split are no "
                f"more than {int((part.target_start - begin).min())}"
            )
        length = torch.full_like(start, self.data.window)
        return super().align(replace(part, input_start=start, input_length=length), of)

    def refuse_seen_times(self, older: Fitted) -> None:
        """The test split must come after all that the older fit learned.

        Several series, each split by its own rows, share no moment; there equal splits are enough,
        because the borders of growing series only move forward.
        """
        assert isinstance(older, ForecastingFitted)
        end, begin = older.times["valid"][1], self.times["test"][0]
        last, first = pd.to_datetime([end, begin], utc=True, format="ISO8601")
        several = older.several and self.several
        if last >= first and not (several and older.data.split == self.data.split):
            raise InputError(
                f"the older model was trained and chosen on times up to {end}, and the test split "
                f"begins at {begin}"
            )

    def with_series_of(self, of: Fitted) -> ForecastingFitted:
        assert isinstance(of, ForecastingFitted)
        scaler = replace(self.inputs.scaler, begin=of.inputs.scaler.begin)
        inputs = replace(self.inputs, scaler=scaler)
        return replace(self, inputs=inputs, training=of.training)

    def training_rows(self, train: EncodedSplit) -> list[Tensor]:
        """By series: [rows, targets] all rows of the training split, in units; NaN: missing."""
        begin = self.inputs.scaler.begin
        values = _with_missing(train)
        return [values[a : a + n] for a, n in zip(begin, self.training, strict=True)]

    def naive_errors(self, train: EncodedSplit) -> Tensor:
        """[series, targets] mean |y_t - y_{t-season}| over all training rows, in units; NaN where
        it is 0, or where there are no more rows than a season has."""
        season = self.task.season
        errors = [
            (y[season:] - y[:-season]).abs().nanmean(dim=0) for y in self.training_rows(train)
        ]
        means = torch.stack(errors)
        return means.masked_fill(means == 0, torch.nan)

    def undefined(self, train: EncodedSplit, split: EncodedSplit) -> Mapping[str, str]:
        why = {}
        if not bool((forecast_rows(split).nan_to_num() != 0).any()):
            why["mape"] = "every observation is 0"
        if bool(self.naive_errors(train).isnan().all()):
            season, most = self.task.season, max(self.training)
            why["mase"] = (
                "the seasonal naive error of the training rows is 0"
                if most > season
                else f"a season of {season} rows needs more for training than the {most} there are"
            )
        return why

    def metric_notes(self, train: EncodedSplit, scored: Mapping[str, EncodedSplit]) -> list[str]:
        undefined = self.naive_errors(train).isnan()
        left_out, notes = int(undefined.sum()), super().metric_notes(train, scored)
        notes += self._out_of_bounds(scored)
        if 0 < left_out < undefined.numel():
            notes.append(
                f"mase leaves out {left_out} of {undefined.numel()} columns of series, whose "
                "seasonal naive error is 0 or whose training rows are no more than a season"
            )
        return notes

    def _out_of_bounds(self, scored: Mapping[str, EncodedSplit]) -> list[str]:
        """A note on truth that no forecast can reach."""
        lower, upper = self.task.lower, self.task.upper
        counts = dict.fromkeys(scored, 0)
        for name, split in scored.items():
            values = forecast_rows(split)
            counts[name] += 0 if lower is None else int((values < lower).sum())
            counts[name] += 0 if upper is None else int((values > upper).sum())
        if not any(counts.values()):
            return []
        listed = ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)
        return [f"values beyond task.lower or task.upper, which no forecast reaches: {listed}"]

    def stored(self) -> dict[str, Any]:
        return {**super().stored(), "training_rows": self.training}

    @classmethod
    def load(cls, stored: Stored, data: Data, task: Forecasting) -> ForecastingFitted:
        assert stored.scaler is not None
        inputs = Windows(stored.scaler, data.window, task.horizon)
        training = tuple(stored.record.get("training_rows", ()))  # older models have none
        return cls(task, data, inputs, stored.facts["time"], "series" in stored.facts, training)


@dataclass(frozen=True, eq=False)
class Series:
    """Where a series lies in the whole frame.

    Args:
        name: empty for a single series.
        low: its first row.
        rows: of each split.
        begins: of each split, the first target row of each window.
        unscored: windows that are left out, because all that they forecast was filled.
    """

    name: str
    low: int
    rows: Mapping[str, Stretch]
    begins: Mapping[str, np.ndarray]
    unscored: int


def fit(frame: pd.DataFrame, data: Data, task: Forecasting) -> Prepared[ForecastingFitted]:
    """Split by time, scale by the training rows, lay windows; with a limit the latest of each
    split.

    Args:
        frame: time, and the columns; of several series, sorted by its column `series` first.

    Raises:
        InputError: a name that is no column, or a split that is too short for a window.
    """
    names = [
        name
        for name in frame.columns
        if name not in ("time", "series", "part") and not name.startswith(FILLED)
    ]
    chosen = choose(names, data.covariates, task)
    measured = _measured(frame, chosen.targets)
    series = _series(frame, data, task, measured)
    kept = [each for each in series if len(each.begins["train"])]
    _refuse_no_window(series, kept, data, task, measured)
    scaler, scaled, values = _scaled(frame, kept, chosen, data)
    inputs = Windows(scaler, data.window, task.horizon)
    training = tuple(stop - first for first, stop in (each.rows["train"] for each in kept))
    several = "series" in frame
    fitted = ForecastingFitted(task, data, inputs, _times(frame, kept), several, training)
    rows, units = tensor(scaled.astype(np.float32)), tensor(values)
    splits = dict[str, EncodedSplit]()
    for split in SPLITS:
        begins = np.concatenate([each.begins[split] for each in kept])
        part = fitted.windows(_latest(begins, frame, data.limit), rows, units, measured)
        first = next(iter(splits.values()), part)  # all share one array
        time = first.time if splits else tensor(_microseconds(frame["time"]))
        splits[split] = replace(part, targets=first.targets, units=first.units, time=time)
    counts = {
        split: sum(stop - first for first, stop in (each.rows[split] for each in kept))
        for split in SPLITS
    }
    facts: Facts = {
        "items": {split: len(part) for split, part in splits.items()},
        "tokens": {split: len(part) * task.horizon for split, part in splits.items()},
        "longest": dict.fromkeys(splits, data.window),
        "rows": counts,
        "unused": len(frame) - sum(counts.values()),
        "time": fitted.times,
        **_timezone(frame["time"]),
        "notes": list(frame.attrs.get("notes", [])),
    }
    left_out = len(series) - len(kept)
    if fitted.several:
        facts["series"] = {"kept": len(kept), "left_out": left_out}
    if left_out:
        facts["notes"].append(
            f"{left_out} of {len(series)} series were left out: "
            "their training rows are too few for a window"
        )
    if measured is not None:
        facts["missing_truth"] = {
            split: sum(int((~measured[slice(*each.rows[split])]).sum()) for each in kept)
            for split in SPLITS
        }
        facts["notes"].append(_note(facts["missing_truth"], sum(each.unscored for each in kept)))
    if chosen.unused:
        facts["notes"].append(f"columns that nothing reads: {', '.join(chosen.unused)}")
    return Prepared("", splits, fitted, facts)


def _measured(frame: pd.DataFrame, targets: Sequence[str]) -> Tensor | None:
    """[rows, targets] which values the source has; None: all, because none was filled."""
    filled = [frame.get(f"{FILLED}{name}", pd.Series(False, frame.index)) for name in targets]
    there: np.ndarray = ~np.stack([column.to_numpy(dtype=bool) for column in filled], axis=1)
    return None if there.all() else tensor(there)


def _note(missing: Mapping[str, int], windows: int) -> str:
    """On filled values of the targets, by split, and windows that forecast nothing else."""
    counts = ", ".join(f"{count:,} of {split}" for split, count in missing.items())
    left_out = f"; windows that forecast nothing else, left out: {windows:,}" if windows else ""
    return f"filled values are neither learned as targets nor scored: {counts}{left_out}"


def _with_truth(begins: np.ndarray, measured: Tensor | None, horizon: int) -> np.ndarray:
    """The windows with at least one value in their horizon that was not filled."""
    if measured is None or not len(begins):
        return begins
    scored = measured[torch.from_numpy(begins)[:, None] + torch.arange(horizon)].any(dim=(1, 2))
    kept: np.ndarray = begins[scored.numpy()]
    return kept


def _series(
    frame: pd.DataFrame, data: Data, task: Forecasting, measured: Tensor | None
) -> list[Series]:
    """The series in row order; each is split by itself."""
    several = "series" in frame
    groups: Any = frame.groupby("series", sort=False) if several else [("", frame)]
    series, low = [], 0
    for name, own in groups:
        rows, begins, unscored = {}, {}, 0
        for split, (first, stop) in split_rows(own, data.split, empty=several).items():
            rows[split] = first, stop = low + first, low + stop
            windows = series_windows(first, stop, data.window, task.horizon, split == "train", low)
            begins[split] = _with_truth(windows, measured, task.horizon)
            unscored += len(windows) - len(begins[split])
        series.append(Series(str(name), low, rows, begins, unscored))
        low += len(own)
    return series


def _refuse_no_window(
    series: list[Series],
    kept: list[Series],
    data: Data,
    task: Forecasting,
    measured: Tensor | None,
) -> None:
    """Raise InputError for a split without any window."""
    for split in SPLITS:
        if any(len(each.begins[split]) for each in kept):
            continue
        rows = max(stop - first for first, stop in (each.rows[split] for each in series))
        needed = (
            f"window {data.window} + horizon {task.horizon}"
            if split == "train"
            else f"horizon {task.horizon}, after {data.window} rows of window"
        )
        filled = "" if measured is None else ", one of them with a value that was not filled"
        at_most = f" at most in any of {len(series)} series" if len(series) > 1 else ""
        raise InputError(
            f"data.window: one window must fit, but {split} has {rows} rows{at_most} and "
            f"needs {needed}{filled}; shorten data.window or task.horizon, or give the split more "
            "rows"
        )


def _scaled(
    frame: pd.DataFrame, series: list[Series], chosen: Columns, data: Data
) -> tuple[Scaler, np.ndarray, np.ndarray]:
    """The scaler, and all rows up to the last that is used, scaled and in units; scaled rows of
    other series are zero."""
    of_time = calendar_names(data.covariates.calendar)
    read = (*chosen.past, *chosen.future)
    values = _values(frame.iloc[: series[-1].rows["test"][1]], read, data)
    scalers = {
        each.name: fit_scaler(
            data.scaling,
            values[slice(*each.rows["train"])],
            (*read, *of_time),
            chosen.targets,
            len(of_time),
        )
        for each in series
    }
    known = len(chosen.future) + len(of_time)
    scaler = merge_series(scalers, [each.low for each in series], known)
    refuse_negative(values, scaler, "data.source")
    scaled = np.zeros_like(values)
    for number, each in enumerate(series):
        rows = slice(each.low, each.rows["test"][1])
        scaled[rows] = scaler.transform(values[rows], number)
    return scaler, scaled, values


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


def _times(frame: pd.DataFrame, series: list[Series]) -> dict[str, list[str]]:
    """split -> its first and its last time."""
    times = {}
    for split in SPLITS:
        own = pd.concat([frame["time"].iloc[slice(*each.rows[split])] for each in series])
        times[split] = [own.min().isoformat(), own.max().isoformat()]
    return times


def _microseconds(times: pd.Series) -> np.ndarray:
    """[rows] as `EncodedSplit.time`."""
    ticks: np.ndarray = pd.DatetimeIndex(times).as_unit("us").asi8
    return ticks


def _timezone(times: pd.Series) -> dict[str, str]:
    zone = pd.DatetimeIndex(times).tz
    return {} if zone is None else {"timezone": str(zone)}


def _with_missing(split: EncodedSplit) -> Tensor:
    """[rows, targets] of all splits in units; NaN: the source lacks the value."""
    values = in_units(split.units)
    if split.measured is None:
        return values
    return values.masked_fill(~split.measured[: len(values)], torch.nan)


def forecast_rows(split: EncodedSplit) -> Tensor:
    """[rows, targets] in units, once each row that a window forecasts; NaN: missing."""
    values = _with_missing(split)
    change = torch.zeros(len(values) + 1, dtype=torch.int64)
    ones = torch.ones_like(split.target_start)
    change.index_add_(0, split.target_start, ones)
    change.index_add_(0, split.target_start + split.target_length, -ones)
    return values[change.cumsum(0)[:-1] > 0]
