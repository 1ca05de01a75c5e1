"""Trials of a search: their values, colours, and the axes of the searched keys."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rnnkit.figures.style import INK, VALUES, colour_bar, plain, spans

Direction = Literal["minimize", "maximize"]
Trial = dict[str, Any]
COLOURED_FRACTION = 0.9
"""The colour scale covers this fraction of trials, the best ones; worse ones get its end."""
KEY_LOG_RATIO = 10
"""Ratio of the largest to the smallest number from which a key's axis is logarithmic."""
MAX_TICKS = 8
"""Up to this many distinct integers are all ticks of a logarithmic axis."""


def valued(trials: Sequence[Trial]) -> list[Trial]:
    """The complete trials with a finite value."""
    return [t for t in trials if t["state"] == "complete" and trial_value(t) is not None]


def trial_value(trial: Trial) -> float | None:
    """A trial's finite value or None; for a pruned trial without one, its curve's last value."""
    value = trial["value"]
    if value is None and trial["state"] == "pruned" and trial["curve"]:
        value = trial["curve"][-1]
    return value if value is not None and math.isfinite(value) else None


class TrialColours:
    """A colour for each trial by its value, and the best trial.

    The range is that of the complete trials; pruned trials would only widen it. `best` is the
    complete trial with the best finite value, the first on a tie; where trials were confirmed, one
    of these.
    """

    def __init__(self, trials: Sequence[Trial], direction: Direction) -> None:
        sign, self._worse = (1, "max") if direction == "minimize" else (-1, "min")
        done = [trial for trial in valued(trials) if not trial.get("unconfirmed")]
        self.best = min(done, key=lambda t: sign * t["value"], default=None)
        shown = valued(trials) or [t for t in trials if trial_value(t) is not None]
        values = [trial_value(t) or 0.0 for t in shown] or [0.0]
        if direction == "minimize":
            end = float(np.quantile(values, COLOURED_FRACTION))
            norm, palette = Normalize(min(values), end), VALUES + "_r"
        else:
            end = float(np.quantile(values, 1 - COLOURED_FRACTION))
            norm, palette = Normalize(end, max(values)), VALUES
        self._scale = ScalarMappable(norm, colormaps[palette])

    def of(self, trial: Trial, without: str) -> Any:
        """The colour of a trial, or that of one without a value."""
        value = trial_value(trial)
        return without if value is None else self._scale.to_rgba(np.array(value))

    def add_bar(self, axes: Axes, metric: str) -> None:
        """Add the colour bar beside the axes."""
        colour_bar(axes, self._scale, plain(metric), INK, aspect=30, extend=self._worse)


@dataclass(frozen=True)
class Searched:
    """Positions of a key's values on an axis: numbers, or indices of `names` (else empty).

    `whole` tells whether all values are integers.
    """

    positions: list[float]
    names: tuple[str, ...]
    whole: bool
    logarithmic: bool

    def dress(self, axis: Axis) -> None:
        """Set the scale and ticks of an axis."""
        if self.names:
            axis.set_ticks(range(len(self.names)), [plain(name) for name in self.names])
        elif self.logarithmic:
            axis._set_axes_scale("log")  # type: ignore[attr-defined]
            unique = sorted(set(self.positions))
            few = self.whole and len(unique) <= MAX_TICKS
            axis.set_major_locator(FixedLocator(unique) if few else LogLocator(subs=(1, 2, 5)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        elif self.whole:
            axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def searched(values: Sequence[Any]) -> Searched:
    """Place values on an axis: numbers by value, anything else by name, in order.

    >>> searched([1, 2, 16]).logarithmic, searched(["lstm", "gru", "lstm"]).positions
    (True, [1.0, 0.0, 1.0])
    >>> searched([10, None, 5]).names
    ('5', '10', 'null')
    """
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = [float(v) for v in values]
        whole = all(isinstance(v, int) for v in values)
        return Searched(numbers, (), whole, spans(numbers, KEY_LOG_RATIO))
    texts = ["null" if v is None else str(v) for v in values]
    names = tuple(sorted(set(texts), key=_order))
    return Searched([float(names.index(text)) for text in texts], names, False, False)


def _order(name: str) -> tuple[float, str]:
    """Sort key: numbers by value, before other names."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name
