"""Music: which notes sound in the next frame, many at once (synced)."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import NoteMeter
from rnnkit.nn.losses import bernoulli, masked_mean
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.language_modeling.predictions import FrameLikelihoods
from rnnkit.tasks.music import examples
from rnnkit.tasks.music.baselines import each_key_by_itself, independent_keys
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.streaming import SequenceStream

MIN_PROBABILITY = 0.01
"""Notes that are less likely to come next are left out of an answer."""


class FrameStream(SequenceStream):
    """A piece that comes frame by frame: the log-probability of each, and what may come next."""

    _next: Tensor | None = None

    def answer(self, new: Float[Tensor, "time keys"]) -> dict[str, Any]:
        known = None if self._next is None else -float(bernoulli(self._next, new))
        self._next = self.run(new)
        return {"log_probability": known, "next": self.task.next_notes(self._next[-1])}


class Music(Task[examples.MusicFitted]):
    """Bernoulli negative log-likelihood per real frame; outputs are [batch, time, keys]."""

    fitted_type = examples.MusicFitted
    fit = staticmethod(examples.fit)
    stream_type = FrameStream
    table_type = FrameLikelihoods
    meter_type = NoteMeter
    readout = "next frame"
    baselines: Mapping[str, Baseline] = {
        "independent keys": independent_keys,
        "each key by itself": each_key_by_itself,
    }

    @property
    def outputs(self) -> int:
        return self.fitted.inputs.features

    def loss(self, outputs: Float[Tensor, "batch time keys"], batch: Batch) -> Float[Tensor, ""]:
        return masked_mean(bernoulli(outputs, batch.targets), batch.mask)

    def measure(self, meter: NoteMeter, outputs: Tensor, batch: Batch) -> None:
        real = self.real(batch)
        meter.update(outputs[real] > 0, batch.targets[real])

    def predictions(
        self, outputs: Float[Tensor, "batch time keys"], batch: Batch
    ) -> dict[str, list[Any]]:
        real = self.real(batch)
        nats = bernoulli(outputs, batch.targets).masked_fill(~real, 0.0)
        return {
            "item": batch.item.tolist(),
            "frames": real.sum(dim=1).tolist(),
            "log_probability": (-nats.sum(dim=1)).tolist(),
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "surprise", figures.surprise(predictions.table, "frame")

    def answer(
        self, outputs: Float[Tensor, "time keys"], inputs: Float[Tensor, "time keys"]
    ) -> dict[str, Any]:
        """Of a piece from its second frame on, and what may come after its last."""
        nats = bernoulli(outputs[:-1], inputs[1:])
        return {
            "log_probability": -float(nats.sum()),
            "frames": len(nats),
            "next": self.next_notes(outputs[-1]),
        }

    def next_notes(self, outputs: Float[Tensor, " keys"]) -> dict[str, float]:
        """The probabilities of the notes that may come next, by MIDI number."""
        lowest, probabilities = self.fitted.inputs.source.lowest, outputs.sigmoid().tolist()
        return {
            str(lowest + key): probability
            for key, probability in enumerate(probabilities)
            if probability >= MIN_PROBABILITY
        }
