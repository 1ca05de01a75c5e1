"""The cells, one per file: equation, paper, one step. The loop over time is rnnkit.nn.recurrence.

To add a cell, edit four places: its file here, its row in CELLS, its `kind` in rnnkit.params.model
and its reference implementation in tests/reference.py.

>>> sorted(CELLS)
['gru', 'lstm', 'rnn']
>>> CELLS["lstm"].gates
('i', 'f', 'g', 'o')
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import rnnkit.params.model as blocks
from rnnkit.errors import InputError
from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.cells.interface import Cell
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.cells.rnn import RNN

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "Cell", "make"]

CELLS: dict[str, type[Cell[Any]]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def make(params: blocks.Cell, inputs: int, hidden: int) -> Cell[Any]:
    """The cell of a params block, with zero weights.

    Raises:
        InputError: a custom cell's module or class is missing, or the class is not a Cell.
    """
    kind = _custom(params.module) if isinstance(params, blocks.Custom) else CELLS[params.kind]
    return kind(inputs, hidden, params)  # type: ignore[call-arg]  # each cell takes its own params block


def _custom(place: str) -> type[Cell[Any]]:
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
    if not (isinstance(cell, type) and issubclass(cell, Cell)):
        what = "is no class made of rnnkit.nn.cells.interface.Cell" if cell else "is not there"
        raise InputError(f"model.cell.module: {name} {what} in {module}; give module:Class")
    return cell
