"""Load a custom cell: a class named by `module:Class`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.cells.interface import Cell


def load(params: blocks.Custom) -> type[Cell[Any]]:
    """Import the class. The working folder is on the search path.

    Raises:
        InputError: the module or class is missing, or the class is not a Cell.
    """
    module, _, name = params.module.partition(":")
    _add_working_folder()
    try:
        cell = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        raise InputError(
            f"model.cell.module: {module!r} cannot be imported, {error}; give a module in the "
            "working folder or an installed one"
        ) from None
    if not (isinstance(cell, type) and issubclass(cell, Cell)):
        what = "is no class made of rnnkit.nn.cells.interface.Cell" if cell else "is not there"
        raise InputError(f"model.cell.module: {name} {what} in {module}; give module:Class")
    return cell


def _add_working_folder() -> None:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
