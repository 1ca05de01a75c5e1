"""Interface of cells: one step, its state, its weights. rnnkit.nn.recurrence loops over time."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


@runtime_checkable
class State(Protocol):
    """A NamedTuple of tensors [batch, hidden]; `h` is the output of the step."""

    @property
    def h(self) -> Tensor: ...

    @property
    def _fields(self) -> tuple[str, ...]: ...

    def __iter__(self) -> Iterator[Tensor]: ...


S = TypeVar("S", bound=State)
Inputs = Float[Tensor, "batch inputs"]
Kept = Float[Tensor, "batch hidden"] | None
"""Recurrent dropout mask of a step; None: no dropout."""


def remake(state: S, parts: Iterable[Tensor]) -> S:
    """A state of the same type from new tensors, in the order of its fields."""
    return type(state)(*parts)


class Cell(nn.Module, ABC, Generic[S]):
    """One step of a recurrence over `inputs` features with `hidden` units.

    One matrix holds the weights of all gates: one block of `hidden` rows per gate, in the order of
    `gates`. They start at zero; rnnkit.nn.model.initialization draws them.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates, in the order of their blocks."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        rows = len(self.gates) * hidden
        self.inputs = inputs
        self.hidden = hidden
        self.W_xh = nn.Parameter(torch.zeros(rows, inputs))
        self.W_hh = nn.Parameter(torch.zeros(rows, hidden))
        self.b_h = nn.Parameter(torch.zeros(rows))

    @abstractmethod
    def step(self, inputs: Inputs, state: S, dropout_mask: Kept = None) -> S:
        """The state after one more input; `recurrent` applies the dropout mask."""

    def recurrent(
        self, h: Float[Tensor, "batch hidden"], dropout_mask: Kept
    ) -> Float[Tensor, "batch rows"]:
        """W_hh (m ⊙ h) of all gates, where m is the dropout mask."""
        return functional.linear(h if dropout_mask is None else h * dropout_mask, self.W_hh)

    @abstractmethod
    def zeros(self, batch: int, dtype: torch.dtype, device: torch.device) -> S:
        """The state before the first step."""
