"""What is known ahead from the time itself: where in day, week and year a row stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CYCLES: Mapping[str, Callable[[Any], Any]] = {
    "hour": lambda time: (time.hour + time.minute / 60) / 24,
    "weekday": lambda time: time.day_of_week / 7,
    "month": lambda time: (time.month - 1) / 12,
}
"""Name -> the share of the cycle that has passed, of a pandas DatetimeIndex."""


def names(chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns that `calendar` gives.

    >>> names(["hour"])
    ('hour sin', 'hour cos')
    """
    return tuple(f"{name} {wave}" for name in chosen for wave in ("sin", "cos"))


def calendar(times: pd.Series, chosen: Sequence[str]) -> np.ndarray:
    """[rows, 2 · chosen] the sine and the cosine of each cycle, so that its end meets its start."""
    import pandas as pd

    index = pd.DatetimeIndex(times)
    angles = [2 * np.pi * np.asarray(CYCLES[name](index), dtype=np.float64) for name in chosen]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1) if waves else np.empty((len(index), 0))
