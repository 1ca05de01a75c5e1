"""Cells of the user: a class of a module in the working folder, or of an installed one."""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.cells.interface import Cell

REQUIRED = ("gates", "step", "zeros")
"""What a cell defines."""


def make_custom(params: blocks.Custom, inputs: int, hidden: int) -> Cell[Any]:
    """A user's cell. Its `__init__` takes (inputs, hidden), as the inherited one does, or
    (inputs, hidden, params).

    Raises:
        InputError: the module or the class is missing or incomplete, the class is not a Cell, its
            `__init__` takes other arguments, or there are options that it does not take.
    """
    kind = _load(params.module)
    if lacking := [
        name for name in REQUIRED if getattr(kind, name, None) is getattr(Cell, name, None)
    ]:
        raise InputError(
            f"model.cell.module: {params.name} must have {', '.join(REQUIRED)}, and lacks "
            f"{', '.join(lacking)}; see docs/extending.md"
        )
    if _takes(kind, inputs, hidden, params):
        return kind(inputs, hidden, params)  # type: ignore[call-arg]  # its own signature
    if not _takes(kind, inputs, hidden):
        raise InputError(
            f"model.cell.module: __init__ of {params.name} must take (self, inputs, hidden) or "
            f"(self, inputs, hidden, params), and takes {inspect.signature(kind.__init__)}"
        )
    if params.options:
        raise InputError(
            f"model.cell.options: {params.name} takes none; give its class "
            "__init__(self, inputs, hidden, params), which reads params.options, or leave them out"
        )
    return kind(inputs, hidden)


def _takes(kind: type[Cell[Any]], *arguments: Any) -> bool:
    try:
        inspect.signature(kind).bind(*arguments)
    except TypeError:
        return False
    return True


def _load(place: str) -> type[Cell[Any]]:
    """Import the class named by `module:Class`. The working folder is on the search path."""
    module, _, name = place.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        cell = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise InputError(
            f"model.cell.module: {module!r} cannot be imported, {error}; give a module in the "
            "working folder or an installed one"
        ) from None
    except Exception as error:  # whatever the user's module raises
        raise InputError(
            f"model.cell.module: {module!r} raises {type(error).__name__} when it is imported: "
            f"{error}"
        ) from error
    if not (isinstance(cell, type) and issubclass(cell, Cell)):
        what = "is no class made of rnnkit.nn.cells.interface.Cell" if cell else "is not there"
        raise InputError(f"model.cell.module: {name} {what} in {module}; give module:Class")
    return cell
