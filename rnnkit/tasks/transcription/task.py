"""Transcription: the text spoken in a recording (synced, each frame a token or the blank)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import pandas
import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.metrics import Metrics, TranscriptMeter
from rnnkit.nn import ctc
from rnnkit.tasks.interface import Baseline, Figures
from rnnkit.tasks.predictions import Items, Predictions, Scored
from rnnkit.tasks.sequence_to_sequence.baselines import constant_text, nearest_recording
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths, typical
from rnnkit.tasks.sequence_to_sequence.task import TextTask
from rnnkit.tasks.streaming import SequenceStream
from rnnkit.tasks.transcription import examples

Logits = Float[Tensor, "batch time tokens"]
Frames = Float[Tensor, "time tokens"]


class TranscriptPredictions(TextsOfLengths):
    """With a column path, the best token of each frame."""

    columns: ClassVar[tuple[str, ...]] = (*TextsOfLengths.columns, "path")
    confidence_unit: ClassVar[str] = "nats per frame"
    length_unit: ClassVar[str] = "frames"
    length_metric: ClassVar[str] = "wer"

    def scores(self, table: pandas.DataFrame) -> Metrics:
        meter = TranscriptMeter()
        meter.update(table["predicted"].tolist(), table["truth"].tolist())
        return meter.compute()


@dataclass(frozen=True, eq=False)
class Transcripts:
    """Decoded transcripts of a batch.

    Args:
        nats: of the true transcripts.
        texts: the best transcript of each recording.
        confidence: log-probability per frame of it.
        paths: the best token of each frame, empty where it is the blank.
    """

    nats: Float[Tensor, " batch"]
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


class Transcription(TextTask[examples.TranscriptionFitted]):
    """Nats per token of the transcript; outputs are [batch, time, tokens], token 0 the blank."""

    fitted_type = examples.TranscriptionFitted
    stream_type = RecordingStream
    table_type = TranscriptPredictions
    meter_type = TranscriptMeter
    readout = "token or blank"
    loss_at = None
    baselines: Mapping[str, Baseline] = {
        "constant transcript": constant_text,
        "nearest recording": nearest_recording,
    }

    def loss(self, outputs: Logits, batch: Batch) -> Float[Tensor, ""]:
        return ctc.ctc_loss(outputs, batch.mask, batch.targets).sum() / self.weight(batch)

    def decode(self, network: nn.Module, batch: Batch, outputs: Logits, final: bool) -> Transcripts:
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

    def transcripts(self, outputs: Frames, beam: int) -> list[tuple[str, float]]:
        """The best texts of one recording with their log-probabilities, the best first.

        Args:
            outputs: of real frames.
            beam: how many prefixes are kept; 1: the text of the most probable path.
        """
        scores = outputs.log_softmax(dim=1)
        best = [ctc.best_path(scores)] if beam == 1 else ctc.prefix_beam(scores, beam)
        return [(self.target.decode(tokens), score) for tokens, score in best]

    def measure(self, meter: TranscriptMeter, outputs: Transcripts, batch: Batch) -> None:
        meter.update(outputs.texts, self.references(batch))

    def text_metrics(self, split: EncodedSplit, texts: list[str]) -> Metrics:
        meter = TranscriptMeter()
        references = self.references(split)
        meter.update(texts, references)
        return Scored(meter.compute(), lambda: {"truth": references, "predicted": texts})

    def predictions(self, outputs: Transcripts, batch: Batch) -> dict[str, list[Any]]:
        return {
            "item": batch.item.tolist(),
            **self.recordings(batch),
            **self.text_columns(batch, outputs.texts, outputs.confidence, outputs.nats),
            "length": [len(path) for path in outputs.paths],
            "path": outputs.paths,
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield from cast("TranscriptPredictions", predictions).figures()
        items = Items(self.prepared)
        shown = [
            (items.inputs(row["item"]).numpy(), list(row["path"]), row["predicted"], row["truth"])
            for row in typical(predictions.table).to_dict("records")
        ]
        yield "transcript_path", figures.transcript_path(shown)

    def answer(self, outputs: Frames, inputs: Tensor) -> dict[str, Any]:
        """Of the best transcripts, sorted by their log-probability."""
        best = self.transcripts(outputs, self.params.beam)
        return self.listed([{"text": text, "log_probability": score} for text, score in best])
