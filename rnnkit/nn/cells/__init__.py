"""The cells, one per file: equation, paper, one step. The loop over time is rnnkit.nn.recurrence.

To add a cell, edit four places: its file here, its row in CELLS, its `kind` in rnnkit.params.model
and its reference implementation in tests/reference.py. A user's own cell needs none of them: see
`custom`.

>>> sorted(CELLS)
['gru', 'lstm', 'rnn']
>>> CELLS["lstm"].gates
('i', 'f', 'g', 'o')
"""

from typing import Any

import rnnkit.params.model as blocks
from rnnkit.nn.cells.custom import make_custom
from rnnkit.nn.cells.gru import GRU
from rnnkit.nn.cells.interface import Cell
from rnnkit.nn.cells.lstm import LSTM
from rnnkit.nn.cells.rnn import RNN

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "Cell", "make"]

CELLS: dict[str, type[Cell[Any]]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def make(params: blocks.Cell, inputs: int, hidden: int) -> Cell[Any]:
    """The cell of a params block, with zero weights.

    Raises:
        InputError: a custom cell cannot be made: see `make_custom`.
    """
    if isinstance(params, blocks.Custom):
        return make_custom(params, inputs, hidden)
    kind = CELLS[params.kind]
    return kind(inputs, hidden, params)  # type: ignore[call-arg]  # each cell takes its own params block
