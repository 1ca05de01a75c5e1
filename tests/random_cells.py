"""Every variant of every cell, and cells with random weights and states."""

import pytest
import torch
from torch import nn

import rnnkit.params.model as blocks
from rnnkit.nn.cells import CELLS

BLOCKS = {block.model_fields["kind"].default: block for block in blocks.Cell.__args__[0].__args__}
del BLOCKS["custom"]  # a user's own
VARIANTS = [
    pytest.param(kind, BLOCKS[kind](**options), id="-".join([kind, *map(str, options.values())]))
    for kind, options in [
        ("rnn", {"activation": "tanh"}),
        ("rnn", {"activation": "relu"}),
        ("rnn", {"activation": "sigmoid"}),
        *[(kind, {}) for kind in CELLS if kind != "rnn"],
    ]
]


def drawn(kind, block, inputs=3, hidden=5):
    """A float64 cell whose every parameter is random, and a random state for 2 sequences."""
    torch.manual_seed(7)
    cell = CELLS[kind](inputs, hidden, block).double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.5)
    zeros = cell.zeros(2, torch.float64, torch.device("cpu"))
    return cell, type(zeros)(*(torch.randn_like(split) for split in zeros))
