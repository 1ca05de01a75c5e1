"""Record every step of a network's recurrent cells: what a cell read and the state it gave."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.nn.cells.interface import Cell, State
from rnnkit.nn.model.stack import Stack

DECODER, ENCODER = "decoder/", "encoder/"
"""Beginnings of the names of an encoder-decoder's series."""
REVERSE = "_reverse"


class Recorder(nn.Module):
    """A cell that records its steps. It is no `Cell`, so that the loop over steps runs it.

    Args:
        cell: computes the steps.
    """

    def __init__(self, cell: Cell[Any]) -> None:
        super().__init__()
        self.cell = cell
        self.inputs: list[Tensor] = []
        """[rows, inputs] of each step, in the order of processing."""
        self.before: list[State] = []
        """The state before each step."""
        self.after: list[State] = []
        """The state after each step; at padding it has no effect."""

    @property
    def W_hh(self) -> Tensor:
        """The cell's recurrent weights, of all gates."""
        return self.cell.W_hh

    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> State:
        """The cell's zero state."""
        state: State = self.cell.zeros(batch, dtype, device)
        return state

    def step(self, inputs: Tensor, state: State) -> State:
        """The cell's step."""
        after: State = self.cell.step(inputs, state)
        self.inputs.append(inputs)
        self.before.append(state)
        self.after.append(after)
        return after


def real_steps(name: str, batch: Batch) -> Bool[Tensor, "rows time"] | None:
    """The real steps of a series, in the order of processing; None: all are, or it is a decoder's,
    whose steps behind the last target do no harm."""
    if batch.mask is None or name.startswith(DECODER):
        return None
    return batch.mask.flip(1) if name.endswith(REVERSE) else batch.mask


@contextmanager
def recording(network: nn.Module) -> Iterator[dict[str, Recorder]]:
    """Record the cells of a network's encoder and decoder, by the names of their series: `layer0`,
    `layer0_reverse`, …; of an encoder-decoder `encoder/layer0`, `decoder/layer0`, ….

    Afterwards the network is as before. A network over the characters of words is not recorded.
    """
    stacks = {
        tuple(name.split(".")): module
        for name, module in network.named_modules()
        if isinstance(module, Stack) and "representation" not in name.split(".")
    }
    recorders = {}
    for path, stack in stacks.items():
        prefix = DECODER if "decoder" in path else ENCODER if len(stacks) > 1 else ""
        for name in list(stack.cells):
            recorder = Recorder(stack.cell(name))
            recorders[prefix + name] = recorder
            stack.cells[name] = recorder
    try:
        yield recorders
    finally:
        for stack in stacks.values():
            for name, recorded in list(stack.cells.items()):
                assert isinstance(recorded, Recorder)
                stack.cells[name] = recorded.cell
