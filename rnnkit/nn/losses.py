"""Elementwise losses, and means over real positions or by class weight."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from rnnkit.data.batches import IGNORED as IGNORED  # the target at padding


def cross_entropy(
    logits: Float[Tensor, "*rows classes"], targets: Int[Tensor, "*targets"], smoothing: float = 0.0
) -> Float[Tensor, "*targets"]:
    """(1 - s) · -log softmax(logits)[target] + s · the mean of -log softmax over all classes, in
    nats, where s is the smoothing; 0 where the target is `IGNORED`.

    Raises:
        ValueError: the shapes do not match.

    Reference: C. Szegedy et al., Rethinking the inception architecture, 2016, section 7.
    """
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"one target for each row of logits is needed, "
            f"got logits {tuple(logits.shape)} and targets {tuple(targets.shape)}"
        )
    losses = functional.cross_entropy(
        logits.flatten(0, -2),
        targets.flatten(),
        reduction="none",
        ignore_index=IGNORED,
        label_smoothing=smoothing,
    )
    return losses.view(targets.shape)


def bernoulli(
    logits: Float[Tensor, "*rows keys"], targets: Float[Tensor, "*targets"]
) -> Float[Tensor, "*rows"]:
    """-Σ_k log P(target_k), in nats, where P(target_k = 1) = sigmoid(logit_k). Targets are 0 or 1.

    Raises:
        ValueError: the shapes differ.
    """
    _difference(logits, targets)
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return losses.sum(dim=-1)


def squared(
    outputs: Float[Tensor, "*outputs"], targets: Float[Tensor, "*targets"]
) -> Float[Tensor, "*outputs"]:
    """(output - target)². ValueError if the shapes differ: nothing is broadcast."""
    return _difference(outputs, targets).square()


def absolute(
    outputs: Float[Tensor, "*outputs"], targets: Float[Tensor, "*targets"]
) -> Float[Tensor, "*outputs"]:
    """|output - target|. ValueError if the shapes differ: nothing is broadcast."""
    return _difference(outputs, targets).abs()


def pinball(
    outputs: Float[Tensor, "*outputs"],
    targets: Float[Tensor, "*targets"],
    quantiles: Float[Tensor, " quantiles"],
) -> Float[Tensor, "*targets quantiles"]:
    """max(q·(y - ŷ_q), (q - 1)·(y - ŷ_q)): the mean is minimal where ŷ_q is the quantile q of y.

    Raises:
        ValueError: the shapes do not match.

    Reference: R. Koenker, G. Bassett, Regression quantiles, Econometrica 46(1), 1978.
    """
    if outputs.shape != (*targets.shape, len(quantiles)):
        raise ValueError(
            f"one output for each target and quantile is needed, got outputs "
            f"{tuple(outputs.shape)}, targets {tuple(targets.shape)}, {len(quantiles)} quantiles"
        )
    errors = targets[..., None] - outputs
    return torch.maximum(quantiles * errors, (quantiles - 1) * errors)


ERRORS: dict[str, Callable[..., Tensor]] = {"squared": squared, "absolute": absolute}


def masked_mean(
    values: Float[Tensor, "*values"], mask: Bool[Tensor, "*mask"] | None
) -> Float[Tensor, ""]:
    """The mean over real positions, where the mask is true; None: all are real. 0 if none is.

    Raises:
        ValueError: the shapes differ.
    """
    if mask is None:
        return values.mean()
    if values.shape != mask.shape:
        raise ValueError(
            f"values and mask must have one shape, got {tuple(values.shape)} and "
            f"{tuple(mask.shape)}"
        )
    return torch.where(mask, values, values.new_zeros(())).sum() / mask.sum().clamp(min=1)


def class_mean(
    losses: Float[Tensor, "*targets"],
    targets: Int[Tensor, "*targets"],
    weights: Float[Tensor, " classes"],
) -> Float[Tensor, ""]:
    """Σ w·loss / Σ w over real targets, where w is the weight of the target's class; losses are 0
    at `IGNORED`. 0 if no target is real."""
    w = weights_of(targets, weights).to(losses.dtype)
    total = w.sum()
    return (losses * w).sum() / torch.where(total > 0, total, torch.ones_like(total))


def weights_of(
    targets: Int[Tensor, "*targets"], weights: Float[Tensor, " classes"]
) -> Float[Tensor, "*targets"]:
    """The weight of each target's class; 0 at `IGNORED`."""
    return torch.where(targets == IGNORED, 0.0, weights[targets.clamp(min=0)])


def _difference(outputs: Tensor, targets: Tensor) -> Tensor:
    if outputs.shape != targets.shape:
        raise ValueError(
            f"outputs and targets must have one shape, got {tuple(outputs.shape)} and "
            f"{tuple(targets.shape)}"
        )
    return outputs - targets
