"""How far to forecast a series, from how many rows, and whether its season helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnnkit.data.guess.moments import Step
from rnnkit.data.guess.taken import GUESS

LONGEST_WINDOW = 336
"""Rows of a window: two weeks of hours."""
SEASONS = 7
"""Seasons of a window that is read a season at a time."""
CHANGES = 5_000
"""Rows, the last ones, whose changes say whether the season helps."""
SHORTEST_SEGMENT = 6
"""Rows of a season from which on a season is read at a time."""


def horizon_of(step: Step, rows: int) -> tuple[dict[str, Any], dict[str, int], dict[str, str]]:
    """The task block, the window and its segments, and remarks, for a series of so many rows."""
    season = step.season if step.season <= rows // 4 else 1
    horizon = max(1, min(season, rows // 20))
    seasons = min(SEASONS, LONGEST_WINDOW // season, rows // (4 * season))
    if season >= SHORTEST_SEGMENT and seasons > 1:
        cut = {"window": seasons * season, "segment": season}
    else:
        longest = max(24, 2 * season, 2 * horizon)
        cut = {"window": max(2, min(longest, LONGEST_WINDOW, rows // 4))}
    task: dict[str, Any] = {"kind": "forecasting", "horizon": horizon}
    if season > 1:
        task["season"] = season
    relative_to = "season" if 1 < season <= cut["window"] else "last"
    task |= {"relative_to": relative_to, "loss": "absolute"}
    return (
        task,
        cut,
        {
            "task.horizon": f"{GUESS}rows to forecast, {step.article} each",
            "task.season": f"{GUESS}{step.cycle}" if season > 1 else "",
            "task.relative_to": "what the network's outputs are added to",
            "data.window": "rows the network reads",
            "data.segment": "rows it reads at a time" if "segment" in cut else "",
        },
    )


def has_season(columns: Sequence[Sequence[float]], season: int, task: Mapping[str, Any]) -> bool:
    """Whether the value a season before is nearer than the last value of the window, half the
    horizon ahead, in most columns.

    >>> has_season([[1.0, 5.0, 2.0] * 9], 3, {"horizon": 2})
    True
    >>> has_season([[float(k) for k in range(27)]], 3, {"horizon": 2})
    False
    """
    ahead = (int(task["horizon"]) + 1) // 2
    nearer = [_change(values, season) < _change(values, ahead) for values in columns]
    return 2 * sum(nearer) > len(nearer)


def _change(values: Sequence[float], lag: int) -> float:
    """Mean absolute change over a number of rows."""
    pairs = [*zip(values[-CHANGES:][lag:], values[-CHANGES:], strict=False)]
    return sum(abs(after - before) for after, before in pairs) / max(1, len(pairs))
