"""All parameters of a network as one tensor, and all gradients as another.

The optimizer, the norm and the clipping then each are one operation on one tensor instead of one
per parameter, which is most of a step's overhead for a small network.
"""

import torch
from torch import Tensor, nn


class FlatParameters:
    """Views a network's parameters as slices of one tensor; weight matrices come first.

    Args:
        network: its parameters, but for frozen ones, are moved into the flat tensor, in place;
            their values stay.
    """

    def __init__(self, network: nn.Module) -> None:
        learned = [p for p in network.parameters() if p.requires_grad]
        named = sorted(learned, key=lambda p: p.ndim < 2)
        self.values = nn.Parameter(torch.cat([p.detach().flatten() for p in named]))
        self.gradients = torch.zeros_like(self.values)
        self.values.grad = self.gradients
        matrices = sum(p.numel() for p in named if p.ndim >= 2)
        self._matrices = slice(0, matrices)
        start = 0
        for parameter in named:
            slot = slice(start, start + parameter.numel())
            parameter.data = self.values.data[slot].view(parameter.shape)
            parameter.grad = self.gradients[slot].view(parameter.shape)
            start = slot.stop

    def zero_gradients(self) -> None:
        """Before each backward pass; the gradients stay views."""
        self.gradients.zero_()

    def add_l2(self, l2: float) -> None:
        """Adds the gradient of l2·‖W‖² over weight matrices (not biases): 2·l2·W."""
        if l2:
            self.gradients[self._matrices].add_(self.values.data[self._matrices], alpha=2 * l2)

    def gradient_norm(self) -> float:
        """‖g‖ over all parameters, before clipping."""
        return float(torch.linalg.vector_norm(self.gradients))

    def clip(self, norm: float, threshold: float | None) -> bool:
        """g <- g · threshold / ‖g‖ where ‖g‖ > threshold (Pascanu et al. 2013).

        Returns:
            whether it was clipped.
        """
        if threshold is None or norm <= threshold:
            return False
        self.gradients.mul_(threshold / norm)
        return True


def optimizer_state(optimizer: torch.optim.Optimizer, values: Tensor) -> dict[str, Tensor]:
    """The optimizer's tensors for the flat parameters, copied."""
    state = optimizer.state[values]
    return {name: v.clone() for name, v in state.items() if isinstance(v, Tensor)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, values: Tensor, tensors: dict[str, Tensor]
) -> None:
    """Puts back what `optimizer_state` copied."""
    optimizer.state[values] = {name: v.clone() for name, v in tensors.items()}
