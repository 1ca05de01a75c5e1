"""A searched key as an axis: numbers, whole numbers or names, logarithmic where they span much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rnnkit.figures.style import plain, spans

WIDE = 10
"""Positive numbers that span at least so many times the smallest get a logarithmic axis."""
FEW = 8
"""So few different whole numbers are each a tick of a logarithmic axis."""


@dataclass(frozen=True)
class Searched:
    """Where a key's values stand on an axis.

    Args:
        positions: one for each value that was given.
        names: of the positions 0, 1, …; empty for numbers.
        whole: whether all values are whole numbers.
        logarithmic: whether the axis is.
    """

    positions: list[float]
    names: tuple[str, ...]
    whole: bool
    logarithmic: bool

    def dress(self, axis: Axis) -> None:
        """Gives an axis its scale and ticks."""
        if self.names:
            axis.set_major_locator(FixedLocator(list(range(len(self.names)))))
            axis.set_major_formatter(FuncFormatter(self._name))
        elif self.logarithmic:
            axis._set_axes_scale("log")  # type: ignore[attr-defined]
            different = sorted(set(self.positions))
            if self.whole and len(different) <= FEW:
                axis.set_major_locator(FixedLocator(different))
            else:
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        elif self.whole:
            axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    def _name(self, value: float, _: int | None) -> str:
        return plain(self.names[int(value)]) if value in range(len(self.names)) else ""


def searched(values: Sequence[Any]) -> Searched:
    """How to place values: numbers as they are, anything else by name, in order.

    >>> searched([1, 2, 16]).logarithmic, searched(["lstm", "gru", "lstm"]).positions
    (True, [1.0, 0.0, 1.0])
    >>> searched([10, None, 5]).names
    ('5', '10', 'null')
    """
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = [float(v) for v in values]
        whole = all(isinstance(v, int) for v in values)
        return Searched(numbers, (), whole, spans(numbers, WIDE))
    texts = ["null" if v is None else str(v) for v in values]
    names = tuple(sorted(set(texts), key=_order))
    return Searched([float(names.index(text)) for text in texts], names, False, False)


def _order(name: str) -> tuple[float, str]:
    """Numbers by size and before words."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name
