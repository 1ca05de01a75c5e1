"""The name under which users' own cells import `Cell`; it is in `rnnkit.nn.cells.interface`."""

from rnnkit.nn.cells.interface import Cell, S, remake

__all__ = ["Cell", "S", "remake"]
