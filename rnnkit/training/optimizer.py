"""Adam and SGD over one flat tensor: torch's fused updates, called as functions.

The classes of torch.optim import torch's compiler, 1.3 to 2 seconds of CPU time in each process
that trains. The functions behind them do not, and compute the same to the bit.
"""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from rnnkit.params.train import Adam, Optimizer

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Of Adam, as Kingma and Ba (2015) give them."""


class FlatOptimizer(Protocol):
    """Updates a flat tensor by its gradient.

    Attributes:
        state: name -> tensor, as in the state of torch.optim's class of the same name.
    """

    state: dict[str, Tensor]

    def step(self, rate: float) -> None:
        """One update with a learning rate."""


class FlatAdam:
    """Adam (Kingma and Ba 2015)."""

    def __init__(self, values: Tensor, state: Mapping[str, Tensor]) -> None:
        self._values = values
        self.state = dict(state) or {
            "step": torch.zeros((), dtype=torch.float32, device=values.device),
            "exp_avg": torch.zeros_like(values),
            "exp_avg_sq": torch.zeros_like(values),
        }

    def step(self, rate: float) -> None:
        assert self._values.grad is not None
        with torch.no_grad():
            adam(
                [self._values],
                [self._values.grad],
                [self.state["exp_avg"]],
                [self.state["exp_avg_sq"]],
                [],
                [self.state["step"]],
                fused=True,
                amsgrad=False,
                beta1=BETA1,
                beta2=BETA2,
                lr=rate,
                weight_decay=0.0,
                eps=EPSILON,
                maximize=False,
            )


class FlatSGD:
    """Stochastic gradient descent with momentum (Polyak 1964)."""

    def __init__(self, values: Tensor, momentum: float, state: Mapping[str, Tensor]) -> None:
        self._values, self._momentum = values, momentum
        self.state = dict(state)

    def step(self, rate: float) -> None:
        assert self._values.grad is not None
        buffers = [self.state.get("momentum_buffer")]
        with torch.no_grad():
            sgd(
                [self._values],
                [self._values.grad],
                buffers,
                fused=True,
                weight_decay=0.0,
                momentum=self._momentum,
                lr=rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
            )
        if buffers[0] is not None:
            self.state["momentum_buffer"] = buffers[0]


def make_optimizer(params: Optimizer, values: Tensor, state: Mapping[str, Tensor]) -> FlatOptimizer:
    """An optimizer of a flat tensor; L2 is added to the gradient before clipping, not here.

    Args:
        values: whose gradient `step` reads.
        state: to go on from, not copied; empty: to begin.
    """
    if isinstance(params, Adam):
        return FlatAdam(values, state)
    return FlatSGD(values, params.momentum, state)
