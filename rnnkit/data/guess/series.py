"""Tables with times: series to forecast, and frames with a label each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rnnkit.data.guess import roles
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.features import complete, features, missing
from rnnkit.data.guess.horizon import has_season, horizon_of
from rnnkit.data.guess.moments import Step, step_of
from rnnkit.data.guess.taken import GUESS, Option, counted
from rnnkit.data.guess.view import Times, View
from rnnkit.params.beginning import Size

MAX_TARGETS = 10
"""A table with more columns forecasts its last one."""
FRAME_LABELS = 20
"""Most labels of frames in a column that is not called so."""


def series_options(view: View) -> Iterator[Option]:
    """Forecasting, and tagging where a column labels each time."""
    if view.times is None:
        return
    identity = _identity(view, view.times)
    if identity is _NONE:
        return
    series = _series(view.times, identity)
    taken = [*view.times.columns, identity]
    label = _label(view, [c for c in view.columns if not any(c is t for t in taken)])
    forecast = None
    if "row_names" not in view.keys:
        forecast = _forecasting(view, view.times, identity, series)
    tagged = _tagging(view, view.times, label) if label and identity is None else None
    options = [option for option in (forecast, tagged) if option]
    if label and (label.is_named(roles.LABEL) or not label.is_number):
        options.reverse()
    yield from options


_NONE = Column("", ())
"""The identity where times occur again and no column says to which series they belong."""


def _identity(view: View, times: Times) -> Column | None:
    """The column that names a row's series; None: there is one series."""
    moments = times.read.times
    if len(set(moments)) == len(moments):
        return None
    columns = [
        c
        for c in view.columns
        if not view.is_time(c) and not c.empty and 1 < len(c.counts) <= view.rows // 3
    ]
    columns += [view.file] if view.file is not None else []
    columns.sort(key=lambda c: (not c.is_named(roles.SEQUENCE), c.is_number, not c.is_whole))
    for column in columns:
        if len({*zip(column.cells, moments, strict=True)}) == len(moments):
            return column
    return _NONE


def _series(times: Times, identity: Column | None) -> list[list[datetime]]:
    """Times of each series."""
    if identity is None:
        return [times.read.times]
    series: dict[Any, list[datetime]] = defaultdict(list)
    for name, time in zip(identity.cells, times.read.times, strict=True):
        series[name].append(time)
    return list(series.values())


def _label(view: View, columns: list[Column]) -> Column | None:
    """A column that labels each row."""
    fits = [c for c in columns if c.is_category and not c.empty and c is not view.part]
    chosen = roles.named(fits, roles.LABEL)
    few = [c for c in fits if len(c.counts) <= FRAME_LABELS and (c is columns[-1])]
    return chosen or next(iter(few), None)


def _forecasting(
    view: View, times: Times, identity: Column | None, series: list[list[datetime]]
) -> Option | None:
    taken = [*times.columns, identity]
    begins = _without_begin(view, times, identity)
    read = features(view, taken, begins, "has no value at its begin, to fill gaps with")
    read = read if read.columns else features(view, taken)
    if not read.columns:
        return None
    longest = max(series, key=len)
    step = step_of(longest)
    is_regular = step.is_regular and all(step_of(times_of).is_regular for times_of in series)
    source = view.source("table", time=_names(times), **times.read.keys)
    if identity is not None:
        source["id"] = identity.name
    source |= read.keys
    remarks = {**read.remarks, "data.source.time": _about_times(times, step)}
    if read.gaps or not is_regular:
        source["gaps"] = "forward"
        what = f"{read.gaps:,} values are missing" if read.gaps else "some times are missing"
        remarks["data.source.gaps"] = f"{what}; filled values are inputs, no targets"
    rows = round(len(longest) * (view.scale if identity is None else 1))
    task, cut, said = horizon_of(step, rows)
    if task["relative_to"] == "season" and not has_season(
        _in_order(read.columns, times, identity), step.season, task
    ):
        task["relative_to"] = "last"
        said["task.relative_to"] = (
            "the season before forecasts these data worse than the last value"
        )
    remarks |= said
    names = [column.name for column in read.columns]
    targets = len(names)
    if targets > MAX_TARGETS:
        targets = 1
        task["targets"] = names[-1:]
        remarks["task.targets"] = f"{GUESS}the last of {len(names)} columns"
    windows = max(1, view.total - len(series) * (cut["window"] + int(task["horizon"])))
    several = f"{len(series)} series of " if len(series) > 1 else "a series of "
    return Option(
        task,
        {"source": source, "split": {"kind": "time", "valid": 0.1, "test": 0.2}, **cut},
        Size(windows, numbers=True, targets=targets),
        f"{several}{counted(len(names), 'column')}, {step.article} from row to row",
        view.remarks(remarks),
    )


def _in_order(
    columns: Sequence[Column], times: Times, identity: Column | None
) -> list[list[float]]:
    """The numbers of each column by their times; of several series, of the first."""
    rows = [*range(len(times.read.times))]
    if identity is not None:
        rows = [row for row in rows if identity.cells[row] == identity.cells[0]]
    by_time = sorted(rows, key=times.read.times.__getitem__)
    if by_time == [*range(len(times.read.times))]:
        return [column.numbers for column in columns]
    return [Column("", [column.cells[row] for row in by_time]).numbers for column in columns]


def _names(times: Times) -> Any:
    return times.names if isinstance(times.names, str) else list(times.names)


def _about_times(times: Times, step: Step) -> str:
    remark = times.read.remark
    return f"{GUESS}{remark}" if remark else ""


def _without_begin(view: View, times: Times, identity: Column | None) -> list[str]:
    """Columns whose first value, of any series, is missing."""
    first: dict[Any, int] = {}
    names = identity.cells if identity is not None else [""] * view.rows
    for row, (name, time) in enumerate(zip(names, times.read.times, strict=True)):
        if name not in first or time < times.read.times[first[name]]:
            first[name] = row
    gappy = [c for c in view.columns if c.is_number and c.empty + missing(c)]
    return [c.name for c in gappy if any(_is_missing(c, row) for row in first.values())]


def _is_missing(column: Column, row: int) -> bool:
    cell = column.cells[row]
    head = Column("", [cell])
    if not head.filled or head.marks:
        return True
    return column.sentinel is not None and head.numbers == [column.sentinel]


def _tagging(view: View, times: Times, label: Column) -> Option | None:
    read = complete(view, [*times.columns, label])
    if not read.columns:
        return None
    split = view.given or {"kind": "time", "valid": 0.1, "test": 0.2}
    source = view.source("frames", time=_names(times), **times.read.keys)
    source |= {"label": label.name, "labels": "per_frame", **read.keys}
    length = max(2, min(60, view.total // 50))
    remarks = {**read.remarks, "data.max_length": "rows of a stretch; one long sequence is cut"}
    if not label.is_named(roles.LABEL):
        remarks["data.source.label"] = GUESS + "few values, each in many rows"
    return Option(
        {"kind": "tagging"},
        {
            "source": source,
            "split": dict(split),
            "max_length": length,
        },
        Size(max(1, view.total // length), numbers=True),
        f"{view.number_of('row')} with one of {len(label.counts)} labels each",
        view.remarks(remarks),
    )
