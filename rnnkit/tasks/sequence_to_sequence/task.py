"""Tasks whose answer is a sequence of tokens, decoded one by one."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.ids import END, PADDING
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.metrics import Metrics, TextMeter, TokenMeter
from rnnkit.nn.beam_search import Hypothesis, beam_search, greedy
from rnnkit.nn.losses import IGNORED, cross_entropy, masked_mean
from rnnkit.nn.model.decoder import EncodedInputs
from rnnkit.nn.model.network import DecoderNetwork
from rnnkit.tasks.interface import Figures, Task
from rnnkit.tasks.predictions import Items, Predictions, Scored
from rnnkit.tasks.sequence_to_sequence.examples import TextFitted
from rnnkit.tasks.sequence_to_sequence.predictions import typical

F = TypeVar("F", bound=TextFitted)
Logits = Float[Tensor, "batch steps tokens"]


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a network makes of a batch.

    Args:
        logits: of each next token, given the true ones before it.
        best: the best hypothesis of each item.
    """

    logits: Logits
    best: list[Hypothesis]


class SequenceMeter:
    """Of tokens, given the true ones before them; and of texts, as they were decoded."""

    def __init__(self, bleu_tokenizer: str) -> None:
        self.tokens, self.texts = TokenMeter(), TextMeter(bleu_tokenizer)

    @property
    def counted(self) -> dict[str, str]:
        """How BLEU was counted, and what it means where it is 0."""
        score, signature = self.texts.bleu()
        why = "" if score else ", 0: no text has four tokens, or no token is right"
        return {"bleu": f"{signature}{why}"}

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        tokens = self.tokens.compute()
        return {name: tokens[name] for name in ("perplexity", "accuracy")} | self.texts.compute()


class TextTask(Task[F]):
    """Targets are texts."""

    @property
    def outputs(self) -> int:
        return len(self.target.vocabulary)

    @property
    def target(self) -> FittedTokenizer:
        """Decodes tokens to text."""
        return self.fitted.target

    def weight(self, batch: Batch) -> int:
        return int((batch.targets != IGNORED).sum())

    @abstractmethod
    def text_metrics(self, split: EncodedSplit, texts: list[str]) -> Metrics:
        """The metrics of texts, one for each item of a split."""

    def references(self, items: Batch | EncodedSplit) -> list[str]:
        """The true text of each item."""
        return [self.prepared.references[row] for row in items.item.tolist()]

    def text_columns(
        self, batch: Batch, texts: list[str], confidence: list[float], nats: Float[Tensor, " batch"]
    ) -> dict[str, list[Any]]:
        """Columns of the predictions table that all texts have.

        Args:
            batch: the items.
            texts: as decoded.
            confidence: nats per token or frame.
            nats: of the true texts.
        """
        truth = self.references(batch)
        return {
            "item": batch.item.tolist(),
            "truth": truth,
            "predicted": texts,
            "right": list(map(str.__eq__, texts, truth)),
            "confidence": confidence,
            "tokens": (batch.targets != IGNORED).sum(dim=1).tolist(),
            "log_probability": (-nats).tolist(),
        }

    def listed(self, hypotheses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The answer: text and log_probability (nats); of a beam all `hypotheses`.

        Args:
            hypotheses: text, log_probability and what else they are sorted by, best first.
        """
        best = {name: hypotheses[0][name] for name in ("text", "log_probability")}
        return best if self.params.beam == 1 else {**best, "hypotheses": list(hypotheses)}


class SequenceToSequence(TextTask[F]):
    """Cross-entropy per real target token; outputs are [batch, steps, tokens]."""

    def forward(self, network: nn.Module, batch: Batch, progress: float | None = None) -> Logits:
        own = 0.0 if progress is None else self.params.scheduled_sampling * progress
        outputs: Tensor = network(batch.inputs, batch.mask, before(batch.targets), own)
        return outputs

    def loss(self, outputs: Logits, batch: Batch) -> Float[Tensor, ""]:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.targets != IGNORED)

    def training_loss(self, outputs: Logits, batch: Batch) -> Float[Tensor, ""]:
        smoothing = self.params.label_smoothing
        losses = cross_entropy(outputs, batch.targets, smoothing)
        return masked_mean(losses, batch.targets != IGNORED)

    def real(self, batch: Batch) -> Bool[Tensor, "batch steps"]:
        return batch.targets != IGNORED

    def other_future(self, batch: Batch) -> tuple[Batch, slice] | None:
        """What is decoded at a step does not depend on the true tokens from there on."""
        half = batch.targets.shape[1] // 2
        targets = batch.targets.clone()
        targets[:, half:] = (targets[:, half:] + 1) % self.outputs
        return replace(batch, targets=targets), slice(0, half + 1)

    def hypotheses(
        self, network: nn.Module, read: EncodedInputs, beam: int
    ) -> list[list[Hypothesis]]:
        """The best hypotheses of each item that was read, the best first, at most `beam`."""
        writer, longest = cast("DecoderNetwork", network), self.fitted.longest
        if beam == 1:
            return [[best] for best in greedy(writer, read, longest)]
        return beam_search(writer, read, longest, beam, self.params.length_penalty)

    def decode(self, network: nn.Module, batch: Batch, outputs: Logits, final: bool) -> Decoded:
        read = cast("DecoderNetwork", network).encode_for_decoder(batch.inputs, batch.mask)
        hypotheses = self.hypotheses(network, read, self.params.beam if final else 1)
        return Decoded(outputs, [best for best, *_ in hypotheses])

    def meter(self) -> SequenceMeter:
        return SequenceMeter(self.params.bleu_tokenizer)

    def measure(self, meter: SequenceMeter, outputs: Decoded, batch: Batch) -> None:
        real = batch.targets != IGNORED
        right = outputs.logits.argmax(dim=-1) == batch.targets
        meter.tokens.update(cross_entropy(outputs.logits, batch.targets)[real], right[real])
        texts = [self.text(best) for best in outputs.best]
        meter.texts.update(self.reference_keys(batch), texts, self.references(batch))

    def predictions(self, outputs: Decoded, batch: Batch) -> dict[str, list[Any]]:
        best, nats = outputs.best, cross_entropy(outputs.logits, batch.targets).sum(dim=1)
        confidence = [each.log_probability / max(1, each.steps) for each in best]
        columns = self.text_columns(batch, [*map(self.text, best)], confidence, nats)
        columns |= self.source_columns(batch)
        if best[0].attention is not None:
            decoded = [(*each.tokens, *[END] * each.ended) for each in best]
            columns["pieces"] = [[*map(self.target.piece, tokens)] for tokens in decoded]
            columns["attention"] = self._weights(best, batch)
        return columns

    def source_columns(self, batch: Batch) -> dict[str, list[Any]]:
        """Further columns, of what was read."""
        return {}

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        if "attention" in predictions.table:
            items = Items(self.prepared)
            shown = [
                (items.pieces(row["item"]), list(row["pieces"]), np.stack(row["attention"]))
                for row in typical(predictions.table).to_dict("records")
            ]
            yield "attention", figures.attention(shown)

    def _weights(self, best: list[Hypothesis], batch: Batch) -> list[list[list[float]]]:
        """The attention's weights [decoded, read] of each item, of real steps alone."""
        weights = []
        for row, hypothesis in enumerate(best):
            attention = hypothesis.attention
            assert attention is not None
            real = attention if batch.mask is None else attention[:, batch.mask[row]]
            weights.append([[round(weight, 3) for weight in line] for line in real.tolist()])
        return weights

    def answers(self, network: nn.Module, batch: Batch) -> list[dict[str, Any]]:
        read = cast("DecoderNetwork", network).encode_for_decoder(batch.inputs, batch.mask)
        hypotheses = self.hypotheses(network, read, self.params.beam)
        return [self.answer(best, batch.inputs) for best in hypotheses]

    def answer(self, outputs: Any, inputs: Tensor) -> dict[str, Any]:
        """Of hypotheses: those that ended first, then by their score, log P / steps^penalty."""
        return self.listed(
            [
                {
                    "text": self.text(hypothesis),
                    "log_probability": hypothesis.log_probability,
                    "score": hypothesis.score(self.params.length_penalty),
                    "ended": hypothesis.ended,
                }
                for hypothesis in outputs
            ]
        )

    def text(self, hypothesis: Hypothesis) -> str:
        """What was decoded, as text."""
        return self.target.decode(hypothesis.tokens)

    def text_metrics(self, split: EncodedSplit, texts: list[str]) -> Metrics:
        meter = TextMeter(self.params.bleu_tokenizer)
        keys, references = self.reference_keys(split), self.references(split)
        meter.update(keys, texts, references)
        columns = {"truth": references, "predicted": texts, "asked": [*map(str, keys)]}
        return Scored(meter.compute(), lambda: columns)

    def reference_keys(self, items: Batch | EncodedSplit) -> list[Any]:
        """Items of equal keys share their references: here, none do."""
        return items.item.tolist()


def before(targets: Int[Tensor, "batch steps"]) -> Int[Tensor, "batch steps"]:
    """The token before each target: the end token before the first."""
    shifted = torch.cat([torch.full_like(targets[:, :1], END), targets[:, :-1]], dim=1)
    return shifted.masked_fill(shifted == IGNORED, PADDING)
