"""Translation and captioning: a sequence of tokens is written, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, cast

import pandas
import torch
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import END, PADDING, UNKNOWN
from rnnkit.data.prepare.tokenize import FittedTokenizer
from rnnkit.metrics import Metrics, TextMeter, TokenMeter
from rnnkit.nn.beam_search import Hypothesis, beam_search, greedy
from rnnkit.nn.losses import IGNORED, cross_entropy, masked_mean, smoothed_cross_entropy
from rnnkit.nn.model.writing import Read, Writer
from rnnkit.tasks.interface import Task


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network makes of a batch.

    Args:
        logits: [batch, steps, tokens] of each next token, given the true ones before it.
        written: the best hypothesis of each item.
    """

    logits: Tensor
    written: list[Hypothesis]


class WritingMeter:
    """Of tokens, given the true ones before them; and of texts, as they were written."""

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


class Written(Task):
    """Cross-entropy per real target token; outputs are [batch, steps, tokens]."""

    @property
    def outputs(self) -> int:
        return len(self.target.vocabulary)

    @property
    def target(self) -> FittedTokenizer:
        """Turns what is written into text."""
        assert self.prepared.target is not None
        return self.prepared.target

    @property
    def longest(self) -> int:
        """Tokens that are written at the most: as many as the longest target that is not the
        test's has, so that a network trained again on both parts may write what it learned."""
        longest = self.prepared.facts["longest_target"]
        return max(int(longest[part]) for part in ("train", "valid"))

    def forward(self, network: nn.Module, batch: Batch, progress: float | None = None) -> Tensor:
        own = 0.0 if progress is None else self.params.scheduled_sampling * progress
        outputs: Tensor = network(batch.inputs, batch.mask, before(batch.targets), own)
        return outputs

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.targets != IGNORED)

    def training_loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        share = self.params.label_smoothing
        losses = smoothed_cross_entropy(outputs, batch.targets, share)
        return masked_mean(losses, batch.targets != IGNORED)

    def weight(self, batch: Batch) -> int:
        return int((batch.targets != IGNORED).sum())

    def write(
        self, network: nn.Module, inputs: Tensor, mask: Tensor | None, beam: int
    ) -> list[list[Hypothesis]]:
        """The best hypotheses of each item, the best first, at most `beam`."""
        writer = cast("Writer", network)
        return self.write_from(writer, writer.read(inputs, mask), beam)

    def write_from(self, writer: Writer, read: Read, beam: int) -> list[list[Hypothesis]]:
        """The same of what was read already."""
        if beam == 1:
            return [[one] for one in greedy(writer, read, self.longest)]
        return beam_search(writer, read, self.longest, beam, self.params.length_penalty)

    def decode(self, network: nn.Module, batch: Batch, outputs: Tensor, final: bool) -> Answers:
        beam = self.params.beam if final else 1
        written = self.write(network, batch.inputs, batch.mask, beam)
        return Answers(outputs, [hypotheses[0] for hypotheses in written])

    def meter(self) -> WritingMeter:
        return WritingMeter(self.params.bleu_tokenizer)

    def measure(self, meter: WritingMeter, outputs: Answers, batch: Batch) -> None:
        real = batch.targets != IGNORED
        right = outputs.logits.argmax(dim=-1) == batch.targets
        meter.tokens.update(cross_entropy(outputs.logits, batch.targets)[real], right[real])
        texts = [self.text(one) for one in outputs.written]
        meter.texts.update(self.alike(batch), texts, self.references(batch))

    def predictions(self, outputs: Answers, batch: Batch) -> dict[str, list[Any]]:
        texts = [self.text(one) for one in outputs.written]
        references = self.references(batch)
        real = batch.targets != IGNORED
        nats = cross_entropy(outputs.logits, batch.targets)
        columns: dict[str, list[Any]] = {
            "item": batch.item.tolist(),
            "truth": references,
            "predicted": texts,
            "right": [text == truth for text, truth in zip(texts, references, strict=True)],
            "confidence": [one.log_probability / max(1, one.steps) for one in outputs.written],
            "tokens": real.sum(dim=1).tolist(),
            "log_probability": (-nats.sum(dim=1)).tolist(),
        }
        if self.params.kind == "translation":
            columns["asked"] = [" ".join(map(str, key)) for key in self.alike(batch)]
            columns["source"] = [self.prepared.sources[row] for row in batch.item.tolist()]
            columns["length"] = [len(ids) for ids in _sources(batch)]
        elif self.prepared.vocabulary is not None:
            columns["category"] = [self.prepared.vocabulary[k] for k in batch.inputs[:, 0].tolist()]
        if outputs.written[0].attention is not None:
            columns["pieces"] = [self.pieces(one) for one in outputs.written]
            columns["attention"] = self._looks(outputs.written, batch)
        return columns

    def pieces(self, hypothesis: Hypothesis) -> list[str]:
        """What was written, token by token, with its end."""
        ids = [*hypothesis.tokens, *([END] if hypothesis.ended else [])]
        return [self.target.piece(k) for k in ids]

    def _looks(self, written: list[Hypothesis], batch: Batch) -> list[list[list[float]]]:
        """Of each item the attention's weights [written, read], of real steps alone."""
        found = []
        for row, one in enumerate(written):
            assert one.attention is not None
            own = one.attention if batch.mask is None else one.attention[:, batch.mask[row]]
            found.append([[round(w, 3) for w in line] for line in own.tolist()])
        return found

    def answer(self, outputs: Any, inputs: Tensor) -> dict[str, Any]:
        """Of hypotheses, the best first: text and log_probability (nats), and of a beam the same of
        all as `hypotheses`."""
        told = [{"text": self.text(one), "log_probability": one.log_probability} for one in outputs]
        return told[0] if self.params.beam == 1 else {**told[0], "hypotheses": told}

    def text(self, hypothesis: Hypothesis) -> str:
        """What was written, as text."""
        return self.target.decode(hypothesis.tokens)

    def references(self, batch: Batch) -> list[str]:
        """The true text of each item."""
        return [self.prepared.references[row] for row in batch.item.tolist()]

    def alike(self, batch: Batch) -> list[Any]:
        """What says of each item which others ask for the same: here, none do."""
        return batch.item.tolist()


class Translation(Written):
    """A sequence in, another one out. Several targets of one source are references."""

    def alike(self, batch: Batch) -> list[Any]:
        return [
            question(ids, item)
            for ids, item in zip(_sources(batch), batch.item.tolist(), strict=True)
        ]

    def whole(self, predictions: pandas.DataFrame) -> pandas.DataFrame:
        """Any reference of what an item asks for is right."""
        references = predictions.groupby("asked")["truth"].agg(set)
        told = zip(predictions["predicted"], predictions["asked"], strict=True)
        return predictions.assign(right=[text in references[asked] for text, asked in told])


class Captioning(Written):
    """A vector or a category in, a sequence out."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Of a category no text is the right one: how likely those of the test part are counts."""
        if self.prepared.vocabulary is not None:
            return ("perplexity", "loss", "accuracy")
        return super().shown


def question(ids: Sequence[int], item: int) -> tuple[int, ...]:
    """What says of a source which others are the same: its tokens. One with an unknown token may
    be any of many, and is like no other."""
    return (*ids, -1, item) if UNKNOWN in ids else tuple(ids)


def _sources(batch: Batch) -> list[list[int]]:
    """The real tokens that each item reads."""
    rows: list[list[int]] = batch.inputs.tolist()
    if batch.mask is None:
        return rows
    real = batch.mask.tolist()
    return [list(compress(row, own)) for row, own in zip(rows, real, strict=True)]


def before(targets: Tensor) -> Tensor:
    """[batch, steps] the token before each target: the end of nothing before the first."""
    shifted = torch.cat([torch.full_like(targets[:, :1], END), targets[:, :-1]], dim=1)
    return shifted.masked_fill(shifted == IGNORED, PADDING)
