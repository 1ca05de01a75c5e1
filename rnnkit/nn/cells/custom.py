"""A user's own cell: a class by its module and name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.cells.interface import Cell


def load(params: blocks.Custom) -> type[Cell[Any]]:
    """The class; its module is looked for in the working folder, too.

    Raises:
        InputError: there is no such module or class, or it is no Cell.
    """
    module, _, name = params.module.partition(":")
    _look_here()
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise InputError(
            f"model.cell.module: {module!r} cannot be imported, {error}; give a module in the "
            "working folder or an installed one"
        ) from None
    if not (isinstance(found, type) and issubclass(found, Cell)):
        what = "is no class made of rnnkit.nn.cells.interface.Cell" if found else "is not there"
        raise InputError(f"model.cell.module: {name} {what} in {module}; give module:Class")
    return found


def _look_here() -> None:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
