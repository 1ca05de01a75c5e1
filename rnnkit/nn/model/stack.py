"""Stacked recurrent layers, unidirectional or bidirectional."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnkit.nn.cells import make
from rnnkit.nn.cells.interface import Cell, State, remake
from rnnkit.nn.kernels.padding import Mask, Padding
from rnnkit.nn.model.initialization import initialize_cell
from rnnkit.nn.recurrence import recur
from rnnkit.params.model import Model
from rnnkit.params.train import Kernel

States = dict[str, State]
"""One state per layer and direction, by cell name."""


class DropoutMask(NamedTuple):
    """Recurrent dropout mask of a sequence, scaled by 1 / (1 - p). It is passed on with the states,
    so that all chunks of a sequence share one mask."""

    h: Tensor


def without_masks(states: States) -> States:
    """The states without dropout masks, so that new masks are drawn."""
    return {name: state for name, state in states.items() if not isinstance(state, DropoutMask)}


def map_states(change: Callable[[Tensor], Tensor], states: States) -> States:
    """The states with each tensor changed."""
    return {name: remake(state, map(change, state)) for name, state in states.items()}


def as_tensors(states: States) -> dict[str, Tensor]:
    """The tensors of the states by `cell/field`; `Stack.from_tensors` makes them states again."""
    return {
        f"{name}/{part}": value
        for name, state in states.items()
        for part, value in zip(state._fields, state, strict=True)
    }


class Stack(nn.Module):
    """A stack of recurrent layers, unidirectional or bidirectional.

        x⁰ = x,   xˡ = [recur(cellˡ, D(xˡ⁻¹)); recur reversed (cellˡ_reverse, D(xˡ⁻¹))]

    where D is dropout, drawn anew at every step and not applied between time steps. Recurrent
    dropout is: one mask per sequence, layer and direction, for all steps, on the h of the recurrent
    product. Cells and states are named `layer0`, `layer0_reverse`, `layer1`, ….

    Reference: A. Graves, A. Mohamed, G. Hinton, Speech recognition with deep recurrent neural
    networks, 2013; dropout: W. Zaremba et al., arXiv:1409.2329, 2014; both directions:
    M. Schuster, K. Paliwal, Bidirectional recurrent neural networks, 1997.
    """

    def __init__(self, inputs: int, params: Model, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = params.hidden
        self.depth = params.depth
        self.directions = 2 if params.bidirectional else 1
        self.size = self.directions * params.hidden
        self.dropout = nn.Dropout(params.dropout)
        self.recurrent_dropout = params.recurrent_dropout
        self.kernel: Kernel = "auto"
        """Where a call asks for `auto`; see `use_kernel`."""
        self.cells = nn.ModuleDict()
        self.initial = nn.ParameterDict()
        for layer in range(params.depth):
            for name in self.names(layer):
                width = inputs if layer == 0 else self.size
                cell = make(params.cell, width, params.hidden)
                initialize_cell(cell, params.initialization, generator)
                self.cells[name] = cell
                if params.initial_state == "learned":
                    zeros = self.zeros(name, 1)
                    for part, value in zip(zeros._fields, zeros, strict=True):
                        self.initial[f"{name}_{part}"] = nn.Parameter(value[0].clone())

    def names(self, layer: int) -> list[str]:
        return [f"layer{layer}", f"layer{layer}_reverse"][: self.directions]

    def cell(self, name: str) -> Cell[State]:
        return cast("Cell[State]", self.cells[name])

    def zeros(self, name: str, batch: int) -> State:
        """The zero state of a cell."""
        cell = self.cell(name)
        return cell.zeros(batch, cell.W_hh.dtype, cell.W_hh.device)

    def start(self, name: str, batch: int) -> State:
        """The state before the first step: zeros or learned, the same for each row."""
        zeros = self.zeros(name, batch)
        if not self.initial:
            return zeros
        parts = (self.initial[f"{name}_{part}"] for part in zeros._fields)
        return remake(zeros, (part.expand(batch, -1) for part in parts))

    def from_tensors(self, tensors: Mapping[str, Tensor]) -> States:
        """The states whose tensors `as_tensors` gave."""
        states: States = {}
        for name in dict.fromkeys(key.rpartition("/")[0] for key in tensors):
            is_mask = name.endswith("_mask")
            like: State = DropoutMask(tensors[f"{name}/h"]) if is_mask else self.zeros(name, 1)
            states[name] = remake(like, (tensors[f"{name}/{part}"] for part in like._fields))
        return states

    def recurrent_mask(
        self, name: str, state: State, states: States | None
    ) -> Float[Tensor, "batch hidden"] | None:
        """The recurrent dropout mask: from the states or new; None without dropout."""
        if not (self.training and self.recurrent_dropout):
            return None
        if states is not None and f"{name}_mask" in states:
            return states[f"{name}_mask"].h
        keep = 1 - self.recurrent_dropout
        return torch.empty_like(state.h).bernoulli_(keep) / keep

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        mask: Mask | Padding | None,
        states: States | None,
        want_final: bool,
        kernel: Kernel,
    ) -> tuple[Float[Tensor, "batch time {self.size}"], States | None]:
        """Run all layers.

        Args:
            inputs: finite everywhere.
            mask: true at real steps, or its Padding.
            states: before the first step; None: the initial state.
            want_final: whether to return the final states.
            kernel: as in rnnkit.nn.recurrence.recur; auto: that of this stack.

        Returns: the top layer's outputs, zero at padding, forward then backward units; and the
        states after each sequence's last real step (first for a backward cell), or None.
        """
        final: States = {}
        kernel = self.kernel if kernel == "auto" else kernel
        for layer in range(self.depth):
            inputs = self.dropout(inputs)
            outputs = []
            for name in self.names(layer):
                state = self.start(name, len(inputs)) if states is None else states[name]
                dropout_mask = self.recurrent_mask(name, state, states)
                reverse = name.endswith("_reverse")
                output, after = recur(
                    self.cell(name), inputs, state, mask, reverse, kernel, want_final, dropout_mask
                )
                outputs.append(output)
                if after is not None:
                    final[name] = after
                    if dropout_mask is not None:
                        final[f"{name}_mask"] = DropoutMask(dropout_mask)
            inputs = torch.cat(outputs, dim=2) if len(outputs) > 1 else outputs[0]
        return inputs, final if want_final else None


def use_kernel(network: nn.Module, kernel: Kernel) -> None:
    """Set the kernel of every stack of a network."""
    for module in network.modules():
        if isinstance(module, Stack):
            module.kernel = kernel
