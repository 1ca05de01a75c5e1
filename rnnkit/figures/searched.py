"""The axis of a searched key: floats, integers or names; logarithmic for a wide range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rnnkit.figures.style import plain, spans

LOG_RATIO = 10
"""Ratio of the largest to the smallest number from which the axis is logarithmic."""
MAX_TICKS = 8
"""Up to this many distinct integers are all ticks of a logarithmic axis."""


@dataclass(frozen=True)
class Searched:
    """Positions of a key's values on an axis.

    Args:
        positions: one per value.
        names: of the positions 0, 1, …; empty for numbers.
        whole: whether all values are integers.
        logarithmic: whether the axis is logarithmic.
    """

    positions: list[float]
    names: tuple[str, ...]
    whole: bool
    logarithmic: bool

    def dress(self, axis: Axis) -> None:
        """Set the scale and ticks of an axis."""
        if self.names:
            axis.set_major_locator(FixedLocator(list(range(len(self.names)))))
            axis.set_major_formatter(FuncFormatter(self._name))
        elif self.logarithmic:
            axis._set_axes_scale("log")  # type: ignore[attr-defined]
            unique = sorted(set(self.positions))
            if self.whole and len(unique) <= MAX_TICKS:
                axis.set_major_locator(FixedLocator(unique))
            else:
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        elif self.whole:
            axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    def _name(self, value: float, _: int | None) -> str:
        return plain(self.names[int(value)]) if value in range(len(self.names)) else ""


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
        return Searched(numbers, (), whole, spans(numbers, LOG_RATIO))
    texts = ["null" if v is None else str(v) for v in values]
    names = tuple(sorted(set(texts), key=_order))
    return Searched([float(names.index(text)) for text in texts], names, False, False)


def _order(name: str) -> tuple[float, str]:
    """Sort key: numbers by value, before other names."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name
