"""Music: which notes sound in the next frame, many at once (synced)."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import NoteMeter
from rnnkit.nn.losses import bernoulli, masked_mean
from rnnkit.tasks.interface import Task, real_steps

SURE = 0.01
"""Notes that are less likely to come next are not told."""


class Music(Task):
    """Bernoulli negative log-likelihood per real frame; outputs are [batch, time, keys]."""

    @property
    def outputs(self) -> int:
        assert self.prepared.features is not None
        return self.prepared.features

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(bernoulli(outputs, batch.targets), batch.mask)

    def weight(self, batch: Batch) -> int:
        return real_steps(batch)

    def meter(self) -> NoteMeter:
        return NoteMeter()

    def measure(self, meter: NoteMeter, outputs: Tensor, batch: Batch) -> None:
        real = torch.ones(outputs.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask
        meter.update(outputs[real] > 0, batch.targets[real])

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        nats = bernoulli(outputs, batch.targets)
        if batch.mask is not None:
            nats = nats.masked_fill(~batch.mask, 0.0)
        real = [outputs.shape[1]] * len(outputs)
        if batch.mask is not None:
            real = batch.mask.sum(dim=1).tolist()
        return {
            "item": batch.item.tolist(),
            "frames": real,
            "log_probability": (-nats.sum(dim=1)).tolist(),
        }

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """Of a piece from its second frame on, and what may come after its last."""
        lowest = self.prepared.facts["lowest"]
        nats = bernoulli(outputs[:-1], inputs[1:])
        shares = outputs[-1].sigmoid().tolist()
        return {
            "log_probability": -float(nats.sum()),
            "frames": len(nats),
            "next": {str(lowest + key): share for key, share in enumerate(shares) if share >= SURE},
        }
