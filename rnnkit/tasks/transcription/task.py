"""Transcription: what is said in a recording (synced, each frame a token or the blank)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.metrics import Metrics, TranscriptMeter
from rnnkit.nn import ctc
from rnnkit.nn.losses import IGNORED
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.predictions import Items, Predictions
from rnnkit.tasks.sequence_to_sequence import baselines
from rnnkit.tasks.sequence_to_sequence.predictions import typical
from rnnkit.tasks.streaming import SequenceStream
from rnnkit.tasks.transcription import examples
from rnnkit.tasks.transcription.predictions import TranscriptPredictions


@dataclass(frozen=True, eq=False)
class Transcripts:
    """What a network makes of a batch.

    Args:
        nats: [batch] of the true transcripts.
        texts: the best transcript of each recording.
        confidence: log-probability per frame of it.
        paths: the best token of each frame, empty where it is the blank.
    """

    nats: Tensor
    texts: list[str]
    confidence: list[float]
    paths: list[list[str]]


class RecordingStream(SequenceStream):
    """A recording that comes in pieces: the transcript of what there is so far."""

    def __init__(self, task: "Transcription", network: nn.Module) -> None:
        super().__init__(task, network)
        self._all: list[Tensor] = []

    def answer(self, new: Tensor) -> dict[str, Any]:
        self._all.append(self.run(new))
        answer: dict[str, Any] = self.task.answer(torch.cat(self._all), new)
        return answer


class Transcription(Task[examples.TranscriptionFitted]):
    """Nats per token of the transcript; outputs are [batch, time, tokens], token 0 the blank."""

    fitted_type = examples.TranscriptionFitted
    fit = staticmethod(examples.fit)
    stream_type = RecordingStream
    table_type = TranscriptPredictions
    meter_type = TranscriptMeter
    readout = "token or blank"

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "constant transcript": baselines.constant_text,
            "nearest recording": baselines.nearest_recording,
        }

    @property
    def outputs(self) -> int:
        return len(self.target.vocabulary)

    @property
    def target(self) -> FittedTokenizer:
        """Turns tokens into text."""
        return self.fitted.target

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return ctc.ctc_loss(outputs, batch.mask, batch.targets).sum() / self.weight(batch)

    def weight(self, batch: Batch) -> int:
        return int((batch.targets != IGNORED).sum())

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Transcripts:
        texts, confidence, paths = [], [], []
        names = ("", *self.target.vocabulary[ctc.BLANK + 1 :])
        for row, own in enumerate(outputs):
            real = own if batch.mask is None else own[batch.mask[row]]
            text, score = self.transcripts(real, self.params.beam if final else 1)[0]
            texts.append(text)
            confidence.append(score / len(real))
            paths.append([names[k] for k in ctc.best_tokens(real)[1].tolist()])
        nats = ctc.ctc_loss(outputs, batch.mask, batch.targets)
        return Transcripts(nats, texts, confidence, paths)

    def transcripts(self, outputs: Tensor, beam: int) -> list[tuple[str, float]]:
        """The best texts of one recording with their log-probabilities, the best first.

        Args:
            outputs: [time, tokens] of real frames.
            beam: how many prefixes are kept; 1: the text of the likeliest path.
        """
        scores = outputs.log_softmax(dim=1)
        best = [ctc.best_path(scores)] if beam == 1 else ctc.prefix_beam(scores, beam)
        return [(self.target.decode(tokens), score) for tokens, score in best]

    def measure(self, meter: TranscriptMeter, outputs: Transcripts, batch: Batch) -> None:
        meter.update(outputs.texts, self.references(batch))

    def text_metrics(self, part: Part, texts: list[str], references: list[str]) -> Metrics:
        """The metrics of texts, one for each item of a split."""
        meter = TranscriptMeter()
        meter.update(texts, references)
        return meter.compute()

    def predictions(self, outputs: Transcripts, batch: Batch) -> dict[str, list[Any]]:
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

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures
        from rnnkit.tasks.sequence_to_sequence.pictures import scores_by_length

        yield from scores_by_length(predictions)
        items = Items(self.prepared)
        shown = [
            (
                items.inputs(row["item"]).numpy(),
                list(row["path"]),
                row["predicted"],
                row["truth"],
            )
            for row in typical(predictions.table).to_dict("records")
        ]
        yield "transcript_path", figures.transcript_path(shown)

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        """text and log_probability (nats), of a beam the same of all as `hypotheses`."""
        listed = [
            {"text": text, "log_probability": score}
            for text, score in self.transcripts(outputs, self.params.beam)
        ]
        return listed[0] if self.params.beam == 1 else {**listed[0], "hypotheses": listed}

    def references(self, batch: Batch) -> list[str]:
        """The true text of each item."""
        return [self.prepared.references[row] for row in batch.item.tolist()]
