"""Music: which notes sound in the next frame, many at once (synced)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.metrics import NoteMeter
from rnnkit.nn.losses import bernoulli, masked_mean
from rnnkit.params.data import Data
from rnnkit.tasks.interface import Baseline, Task, real_steps
from rnnkit.tasks.language_modeling.predictions import FrameLikelihoods
from rnnkit.tasks.music import baselines, examples
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.streaming import SequenceStream

if TYPE_CHECKING:
    from rnnkit.figures import Figure

MIN_PROBABILITY = 0.01
"""Notes that are less likely to come next are left out of an answer."""


class Music(Task[examples.MusicFitted]):
    """Bernoulli negative log-likelihood per real frame; outputs are [batch, time, keys]."""

    fitted_type = examples.MusicFitted
    fit = staticmethod(examples.fit)

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "independent keys": baselines.independent_keys,
            "each key by itself": baselines.each_key_by_itself,
        }

    @property
    def outputs(self) -> int:
        return self.fitted.inputs.features

    @property
    def readout(self) -> str:
        return "next frame"

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(bernoulli(outputs, batch.targets), batch.mask)

    def weight(self, batch: Batch) -> int:
        return real_steps(batch)

    def meter(self) -> NoteMeter:
        return NoteMeter()

    def measure(self, meter: NoteMeter, outputs: Tensor, batch: Batch) -> None:
        real = torch.ones(outputs.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask
        meter.update(outputs[real] > 0, batch.targets[real])

    @classmethod
    def predictions_type(cls, params: Any, data: Data) -> type[Predictions]:
        return FrameLikelihoods

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

    def figures(self, predictions: Predictions) -> "Iterator[tuple[str, Figure]]":
        from rnnkit import figures

        yield "surprise", figures.surprise(predictions.table, "frame")

    def stream(self, network: nn.Module) -> SequenceStream:
        return FrameStream(self, network)

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """Of a piece from its second frame on, and what may come after its last."""
        nats = bernoulli(outputs[:-1], inputs[1:])
        return {
            "log_probability": -float(nats.sum()),
            "frames": len(nats),
            "next": self.next_notes(outputs[-1]),
        }

    def next_notes(self, outputs: Tensor) -> dict[str, float]:
        """The probabilities of the notes that may come next, by MIDI number."""
        lowest, probabilities = self.fitted.inputs.source.lowest, outputs.sigmoid().tolist()
        return {
            str(lowest + key): probability
            for key, probability in enumerate(probabilities)
            if probability >= MIN_PROBABILITY
        }


class FrameStream(SequenceStream):
    """A piece that comes frame by frame: the log-probability of each, and what may come next."""

    _next: Tensor | None = None

    def answer(self, new: Tensor) -> dict[str, Any]:
        known = None if self._next is None else -float(bernoulli(self._next, new))
        self._next = self.run(new)
        return {"log_probability": known, "next": self.task.next_notes(self._next[-1])}
