"""Language modelling: P(w_t | w_1 … w_{t-1}), the next token at every step (synced)."""

from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import END
from rnnkit.metrics import TokenMeter
from rnnkit.nn.losses import IGNORED, cross_entropy, masked_mean
from rnnkit.tasks.interface import Task, real_steps


class LanguageModeling(Task):
    """Cross-entropy per real token; outputs are [batch, time, vocabulary]."""

    @property
    def outputs(self) -> int:
        assert self.prepared.vocabulary is not None
        return len(self.prepared.vocabulary)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.mask)

    def weight(self, batch: Batch) -> int:
        return real_steps(batch)

    def meter(self) -> TokenMeter:
        return TokenMeter()

    def measure(self, meter: TokenMeter, outputs: Tensor, batch: Batch) -> None:
        real = batch.targets != IGNORED
        right = outputs.argmax(dim=-1) == batch.targets
        meter.update(cross_entropy(outputs, batch.targets)[real], right[real])

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        real = batch.targets != IGNORED
        nats = cross_entropy(outputs, batch.targets)
        return {
            "item": batch.item.tolist(),
            "tokens": real.sum(dim=1).tolist(),
            "log_probability": (-nats.sum(dim=1)).tolist(),
        }

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """Of a text with its end: inputs begin with the end of what came before."""
        nats = cross_entropy(outputs, torch.cat([inputs[1:], torch.tensor([END])]))
        return {
            "log_probability": -float(nats.sum()),
            "tokens": len(nats),
            "perplexity": float(nats.mean().exp()),
        }
