"""Tasks whose answer is a sequence of tokens, decoded one by one."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.ids import END, PADDING
from rnnkit.data.prepare.part import Part
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.metrics import Metrics, TextMeter, TokenMeter
from rnnkit.nn.beam_search import Hypothesis, beam_search, greedy
from rnnkit.nn.losses import IGNORED, cross_entropy, masked_mean, smoothed_cross_entropy
from rnnkit.nn.model.writing import Read, Writer
from rnnkit.tasks.interface import Figures, Task
from rnnkit.tasks.predictions import Items, Predictions
from rnnkit.tasks.sequence_to_sequence.examples import TextTargets
from rnnkit.tasks.sequence_to_sequence.predictions import typical

F = TypeVar("F", bound=TextTargets)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a network makes of a batch.

    Args:
        logits: [batch, steps, tokens] of each next token, given the true ones before it.
        best: the best hypothesis of each item.
    """

    logits: Tensor
    best: list[Hypothesis]


class SequenceMeter:
    """Of tokens, given the true ones before them; and of texts, as they were decoded."""

    def __init__(self, bleu_tokenizer: str) -> None:
        self.tokens, self.texts = TokenMeter(), TextMeter(bleu_tokenizer)

    @property
    def counted(self) -> dict[str, str]:
        """How BLEU was counted, and what it means where it is 0."""
        why = "" if self.texts.bleu else ", 0: no text has four tokens, or no token is right"
        return {"bleu": f"{self.texts.signature}{why}"}

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        tokens = self.tokens.compute()
        return {name: tokens[name] for name in ("perplexity", "accuracy")} | self.texts.compute()


class SequenceToSequence(Task[F]):
    """Cross-entropy per real target token; outputs are [batch, steps, tokens]."""

    @property
    def outputs(self) -> int:
        return len(self.target.vocabulary)

    @property
    def target(self) -> FittedTokenizer:
        """Turns what is decoded into text."""
        return self.fitted.target

    def forward(self, network: nn.Module, batch: Batch, progress: float | None = None) -> Tensor:
        own = 0.0 if progress is None else self.params.scheduled_sampling * progress
        outputs: Tensor = network(batch.inputs, batch.mask, before(batch.targets), own)
        return outputs

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.targets != IGNORED)

    def training_loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        smoothing = self.params.label_smoothing
        losses = smoothed_cross_entropy(outputs, batch.targets, smoothing)
        return masked_mean(losses, batch.targets != IGNORED)

    def real(self, batch: Batch) -> Tensor:
        return batch.targets != IGNORED

    def other_future(self, batch: Batch) -> tuple[Batch, slice] | None:
        """What is decoded at a step does not depend on the true tokens from there on."""
        half = batch.targets.shape[1] // 2
        targets = batch.targets.clone()
        targets[:, half:] = (targets[:, half:] + 1) % self.outputs
        return replace(batch, targets=targets), slice(0, half + 1)

    def hypotheses(self, network: nn.Module, read: Read, beam: int) -> list[list[Hypothesis]]:
        """The best hypotheses of each item that was read, the best first, at most `beam`."""
        writer, longest = cast("Writer", network), self.fitted.longest
        if beam == 1:
            return [[best] for best in greedy(writer, read, longest)]
        return beam_search(writer, read, longest, beam, self.params.length_penalty)

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Decoded:
        read = cast("Writer", network).read(batch.inputs, batch.mask)
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
        texts = [self.text(best) for best in outputs.best]
        references = self.references(batch)
        real = batch.targets != IGNORED
        nats = cross_entropy(outputs.logits, batch.targets)
        columns: dict[str, list[Any]] = {
            "item": batch.item.tolist(),
            "truth": references,
            "predicted": texts,
            "right": [text == truth for text, truth in zip(texts, references, strict=True)],
            "confidence": [best.log_probability / max(1, best.steps) for best in outputs.best],
            "tokens": real.sum(dim=1).tolist(),
            "log_probability": (-nats.sum(dim=1)).tolist(),
            **self.source_columns(batch),
        }
        if outputs.best[0].attention is not None:
            columns["pieces"] = [self.pieces(best) for best in outputs.best]
            columns["attention"] = self._weights(outputs.best, batch)
        return columns

    def source_columns(self, batch: Batch) -> dict[str, list[Any]]:
        """Further columns, of what was read."""
        return {}

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        if "attention" in predictions.table:
            items = Items(self.prepared)
            shown = typical(predictions.table).to_dict("records")
            looks = [
                (
                    items.pieces(row["item"]),
                    list(row["pieces"]),
                    torch.tensor([list(weights) for weights in row["attention"]]).double().numpy(),
                )
                for row in shown
            ]
            yield "attention", figures.attention(looks)

    def pieces(self, hypothesis: Hypothesis) -> list[str]:
        """What was decoded, token by token, with its end."""
        ids = [*hypothesis.tokens, *([END] if hypothesis.ended else [])]
        return [self.target.piece(token) for token in ids]

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
        read = cast("Writer", network).read(batch.inputs, batch.mask)
        hypotheses = self.hypotheses(network, read, self.params.beam)
        return [self.answer(best, batch.inputs) for best in hypotheses]

    def answer(self, outputs: Any, inputs: Tensor) -> dict[str, Any]:
        """Of hypotheses, the best first: text and log_probability (nats), and of a beam the same of
        all as `hypotheses`."""
        listed = [
            {"text": self.text(each), "log_probability": each.log_probability} for each in outputs
        ]
        return listed[0] if self.params.beam == 1 else {**listed[0], "hypotheses": listed}

    def text(self, hypothesis: Hypothesis) -> str:
        """What was decoded, as text."""
        return self.target.decode(hypothesis.tokens)

    def references(self, batch: Batch) -> list[str]:
        """The true text of each item."""
        return [self.prepared.references[row] for row in batch.item.tolist()]

    def text_metrics(self, part: Part, texts: list[str], references: list[str]) -> Metrics:
        """The metrics of texts, one for each item of a split."""
        meter = TextMeter(self.params.bleu_tokenizer)
        meter.update(self.part_keys(part), texts, references)
        return meter.compute()

    def part_keys(self, part: Part) -> list[Any]:
        """`reference_keys` of all items of a split."""
        return list(range(len(part)))

    def reference_keys(self, batch: Batch) -> list[Any]:
        """Items of equal keys share their references: here, none do."""
        return batch.item.tolist()


def before(targets: Tensor) -> Tensor:
    """[batch, steps] the token before each target: the end token before the first."""
    shifted = torch.cat([torch.full_like(targets[:, :1], END), targets[:, :-1]], dim=1)
    return shifted.masked_fill(shifted == IGNORED, PADDING)
