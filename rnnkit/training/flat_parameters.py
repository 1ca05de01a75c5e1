"""All parameters of a network as one tensor, and all gradients as another.

The optimizer, the norm and the clipping are then one operation each instead of one per parameter,
which is most of the overhead of a small network.
"""

import torch
from torch import Tensor, nn


class FlatParameters:
    """Views of a network's parameters as slices of one tensor; weight matrices come first.

    Args:
        network: its trainable parameters become views, in place; their values do not change.
    """

    def __init__(self, network: nn.Module) -> None:
        trainable = [p for p in network.parameters() if p.requires_grad]
        ordered = sorted(trainable, key=lambda p: p.ndim < 2)
        self.values = nn.Parameter(torch.cat([p.detach().flatten() for p in ordered]))
        self.gradients = torch.zeros_like(self.values)
        self.values.grad = self.gradients
        matrices = sum(p.numel() for p in ordered if p.ndim >= 2)
        self._matrices = slice(0, matrices)
        start = 0
        for parameter in ordered:
            slot = slice(start, start + parameter.numel())
            parameter.data = self.values.data[slot].view(parameter.shape)
            parameter.grad = self.gradients[slot].view(parameter.shape)
            start = slot.stop

    def zero_gradients(self) -> None:
        """Zero the gradients before a backward pass; they stay views."""
        self.gradients.zero_()

    def add_l2(self, l2: float) -> None:
        """Add the gradient of l2·‖W‖² over weight matrices (not biases): 2·l2·W."""
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
    """Copy the optimizer's tensors for the flat parameters."""
    state = optimizer.state[values]
    return {name: v.clone() for name, v in state.items() if isinstance(v, Tensor)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, values: Tensor, tensors: dict[str, Tensor]
) -> None:
    """Restore the tensors from `optimizer_state`."""
    optimizer.state[values] = {name: v.clone() for name, v in tensors.items()}
