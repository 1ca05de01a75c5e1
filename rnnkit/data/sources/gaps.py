"""Values that are missing from a series, and times that are missing from its regular grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnkit.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


SPARSE = 100
"""Times of a grid for each row; beyond it bursts were recorded, and no grid."""


def fill(frame: pd.DataFrame, gaps: str, path: str) -> pd.DataFrame:
    """The frame with every gap refused or filled, as `data.source.gaps` says.

    A grid is regular where all times of a series lie a whole number of steps apart, the step being
    the smallest and the most frequent distance; or on the same day of the month, a whole number of
    months apart. Times on no such grid, or on less than a hundredth of it, have no gaps: the rows
    are the steps.

    Args:
        frame: time, perhaps series, and columns of numbers, sorted; numbers may be missing.
        gaps: refuse | keep | forward | interpolate.
        path: for messages.

    Returns: the frame without missing values; what was filled stands in its `notes`.

    Raises:
        InputError: a gap is refused, or lies where nothing is known to fill it with.
    """
    import pandas as pd

    pieces, added, filled = [], 0, 0
    for name, own in frame.groupby("series", sort=False) if "series" in frame else [("", frame)]:
        of = f" of series {name!r}" if name != "" else ""
        if gaps != "keep":
            whole = grid(own["time"])
            missing = whole.difference(pd.DatetimeIndex(own["time"]))
            if len(missing) and gaps == "refuse":
                raise InputError(
                    f"{path}: times must follow one another without a gap, but {len(missing)} are "
                    f"missing{of}, the first is {missing[0]}; set `data.source.gaps` to forward or "
                    "interpolate, which fill it, or to keep, which takes the rows as they follow"
                )
            added += len(missing)
            own = _at(own, whole)
        filled += int(own[_numbers(own)].isna().to_numpy().sum())
        pieces.append(_filled(own, gaps, path, of))
    result = pd.concat(pieces, ignore_index=True)
    if filled:
        how = {"forward": "the value before", "interpolate": "linear interpolation in time"}[gaps]
        times = f", at {added} times that were missing" if added else ""
        result.attrs["notes"] = [f"{filled} missing values were filled with {how}{times}"]
    return result


def grid(times: pd.Series) -> pd.DatetimeIndex:
    """Every time that a regular series has from its first to its last; an irregular one's own.

    Args:
        times: of one series, rising.
    """
    import numpy as np
    import pandas as pd

    index = pd.DatetimeIndex(times)
    months = index.year.to_numpy() * 12 + index.month.to_numpy()
    if (index == index[0] + (months - months[0]) * pd.DateOffset(months=1)).all():
        step = _step(months)
        if step is not None:
            count = (months[-1] - months[0]) // step + 1
            return pd.DatetimeIndex(
                index[0] + np.arange(count) * step * pd.DateOffset(months=1)
            ).as_unit(index.unit)
    ticks = index.asi8
    step = _step(ticks)
    if step is None:
        return index
    whole: Any = np.arange(ticks[0], ticks[-1] + 1, step)
    naive = pd.DatetimeIndex(whole.view(f"M8[{index.unit}]"))
    return naive if index.tz is None else naive.tz_localize("UTC").tz_convert(index.tz)


def _step(places: np.ndarray) -> int | None:
    """The distance that is smallest, most frequent, and divides all others; None: there is none."""
    import numpy as np

    if len(places) < 3:
        return None
    distances, counts = np.unique(np.diff(places), return_counts=True)
    smallest = int(distances[0])
    regular = smallest > 0 and counts.argmax() == 0 and not (distances % smallest).any()
    regular = regular and (places[-1] - places[0]) // smallest < SPARSE * len(places)
    return smallest if regular else None


def _at(own: pd.DataFrame, whole: pd.DatetimeIndex) -> pd.DataFrame:
    """The series at every time of a grid, empty where it has no row."""
    if len(whole) == len(own):
        return own
    placed = own.set_index("time").reindex(whole).rename_axis("time").reset_index()
    if "series" in own:
        placed["series"] = own["series"].iloc[0]
    return placed[list(own.columns)]


def _numbers(own: pd.DataFrame) -> list[str]:
    return [name for name in own.columns if name not in ("time", "series", "part")]


def _filled(own: pd.DataFrame, gaps: str, path: str, of: str) -> pd.DataFrame:
    names = _numbers(own)
    if not own[names].isna().to_numpy().any():
        return own
    values = own[names].set_index(own["time"])
    if gaps == "forward":
        values = values.ffill()
    elif gaps == "interpolate":
        values = values.interpolate("time", limit_area="inside")
    left = values.isna()
    if left.to_numpy().any():
        name = next(name for name in names if left[name].any())
        ends = "first" if gaps == "forward" else "first or last"
        raise InputError(
            f"{path}: the {ends} value{of} must be there to fill a gap with, but column {name!r} "
            f"has none at {own['time'].iloc[int(left[name].to_numpy().argmax())]}; cut the table "
            "or leave the column out of `data.source.columns`"
        )
    return own.assign(**{name: values[name].to_numpy() for name in names})
