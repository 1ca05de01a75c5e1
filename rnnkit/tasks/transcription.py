"""Transcription: what is said in a recording (synced, each frame a token or the blank)."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.metrics import TranscriptMeter
from rnnkit.nn import ctc
from rnnkit.nn.losses import IGNORED
from rnnkit.tasks.interface import Task


@dataclass(frozen=True, eq=False)
class Heard:
    """What a network makes of a batch.

    Args:
        nats: [batch] of the true transcripts.
        texts: what was told of each recording.
        confidence: log-probability per frame of what was told.
        paths: the likeliest token of each frame, empty where it is the blank.
    """

    nats: Tensor
    texts: list[str]
    confidence: list[float]
    paths: list[list[str]]


class Transcription(Task):
    """Nats per token of the transcript; outputs are [batch, time, tokens], token 0 the blank."""

    @property
    def outputs(self) -> int:
        return len(self.target.vocabulary)

    @property
    def target(self) -> FittedTokenizer:
        """Turns what is told into text."""
        assert self.prepared.target is not None
        return self.prepared.target

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return ctc.ctc_loss(outputs, batch.mask, batch.targets).sum() / self.weight(batch)

    def weight(self, batch: Batch) -> int:
        return int((batch.targets != IGNORED).sum())

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Heard:
        texts, confidence, paths = [], [], []
        names = ("", *self.target.vocabulary[ctc.BLANK + 1 :])
        for row, own in enumerate(outputs):
            real = own if batch.mask is None else own[batch.mask[row]]
            text, score = self.told(real, self.params.beam if final else 1)[0]
            texts.append(text)
            confidence.append(score / len(real))
            paths.append([names[k] for k in ctc.best_tokens(real)[1].tolist()])
        nats = ctc.ctc_loss(outputs, batch.mask, batch.targets)
        return Heard(nats, texts, confidence, paths)

    def told(self, outputs: Tensor, beam: int) -> list[tuple[str, float]]:
        """The best texts of one recording with their log-probabilities, the best first.

        Args:
            outputs: [time, tokens] of real frames.
            beam: how many prefixes are kept; 1: the text of the likeliest path.
        """
        scores = outputs.log_softmax(dim=1)
        found = [ctc.best_path(scores)] if beam == 1 else ctc.prefix_beam(scores, beam)
        return [(self.target.decode(tokens), score) for tokens, score in found]

    def meter(self) -> TranscriptMeter:
        return TranscriptMeter()

    def measure(self, meter: TranscriptMeter, outputs: Heard, batch: Batch) -> None:
        meter.update(outputs.texts, self.references(batch))

    def predictions(self, outputs: Heard, batch: Batch) -> dict[str, list[Any]]:
        truth = self.references(batch)
        return {
            "item": batch.item.tolist(),
            **self.recordings(batch),
            "truth": truth,
            "predicted": outputs.texts,
            "right": [one == other for one, other in zip(outputs.texts, truth, strict=True)],
            "confidence": outputs.confidence,
            "tokens": (batch.targets != IGNORED).sum(dim=1).tolist(),
            "log_probability": (-outputs.nats).tolist(),
            "length": [len(path) for path in outputs.paths],
            "path": outputs.paths,
        }

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """text and log_probability (nats), of a beam the same of all as `hypotheses`."""
        found = self.told(outputs, self.params.beam)
        told = [{"text": text, "log_probability": score} for text, score in found]
        return told[0] if self.params.beam == 1 else {**told[0], "hypotheses": told}

    def references(self, batch: Batch) -> list[str]:
        """The true text of each item."""
        return [self.prepared.references[row] for row in batch.item.tolist()]
