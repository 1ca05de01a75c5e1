"""Translation: a sequence in, another one out. Several targets of one source are references."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import pandas
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.ids import UNKNOWN
from rnnkit.errors import InputError
from rnnkit.metrics import Metrics, TextMeter, bleu_statistics
from rnnkit.nn.model.network import EncoderDecoder
from rnnkit.tasks.interface import Baseline, Figures
from rnnkit.tasks.predictions import Measures, Predictions
from rnnkit.tasks.sequence_to_sequence.baselines import (
    constant_text,
    copied_source,
    nearest_source,
)
from rnnkit.tasks.sequence_to_sequence.examples import slices
from rnnkit.tasks.sequence_to_sequence.predictions import TextsOfLengths
from rnnkit.tasks.sequence_to_sequence.task import SequenceToSequence
from rnnkit.tasks.streaming import SequenceStream
from rnnkit.tasks.translation import examples


class TranslationPredictions(TextsOfLengths):
    """With a column asked, the key of items that share their references, and source, the text."""

    columns: ClassVar[tuple[str, ...]] = (*TextsOfLengths.columns, "asked")
    length_unit: ClassVar[str] = "tokens"
    length_metric: ClassVar[str] = "bleu"

    @property
    def measures(self) -> Measures:
        return {**super().measures, "bleu": self._bleu}

    @property
    def compared(self) -> tuple[str, ...]:
        return "wer", "bleu"

    def shares(self, rows: Sequence[Sequence[float]], *columns: str) -> pandas.DataFrame:
        """With a column source: the first item of each key."""
        item = self.table["item"]
        first = item.groupby(self.keys()).transform("min")
        return super().shares(rows, *columns).assign(source=first.groupby(item).first())

    def _bleu(self) -> pandas.DataFrame:
        texts, tokenizer = self.table["predicted"], self.task.bleu_tokenizer
        terms = bleu_statistics(texts.tolist(), self.references(), tokenizer)
        return self.shares(terms, *map(str, range(len(terms[0]))))

    def scores(self, table: pandas.DataFrame) -> Metrics:
        meter = TextMeter(self.task.bleu_tokenizer)
        meter.update(*(table[name].tolist() for name in ("asked", "predicted", "truth")))
        return meter.compute()


class Translation(SequenceToSequence[examples.TranslationFitted]):
    """Cross-entropy per real target token; outputs are [batch, steps, tokens]."""

    fitted_type = examples.TranslationFitted
    table_type = TranslationPredictions
    baselines: Mapping[str, Baseline] = {
        "copied source": copied_source,
        "constant text": constant_text,
        "nearest source": nearest_source,
    }

    def reference_keys(self, items: Batch | EncodedSplit) -> list[Any]:
        """The source's token ids. A source with an unknown token gets a unique key, because
        different texts have the same ids."""
        sources = slices(items, "input") if isinstance(items, EncodedSplit) else source_ids(items)
        pairs = zip(sources, items.item.tolist(), strict=True)
        return [(*ids, -1, item) if UNKNOWN in ids else tuple(ids) for ids, item in pairs]

    def source_columns(self, batch: Batch) -> dict[str, list[Any]]:
        return {
            "asked": [" ".join(map(str, key)) for key in self.reference_keys(batch)],
            "source": [self.prepared.sources[row] for row in batch.item.tolist()],
            "length": [len(ids) for ids in source_ids(batch)],
        }

    def whole(self, predictions: pandas.DataFrame) -> pandas.DataFrame:
        """Any reference of an item's key is right."""
        references = predictions.groupby("asked")["truth"].agg(set)
        pairs = zip(predictions["predicted"], predictions["asked"], strict=True)
        return predictions.assign(right=[text in references[key] for text, key in pairs])

    def figures(self, predictions: Predictions) -> Figures:
        yield from cast("TranslationPredictions", predictions).figures()
        yield from super().figures(predictions)

    def stream(self, network: nn.Module) -> SequenceStream:
        if cast("EncoderDecoder", network).decoder.attention is not None:
            raise InputError(
                "attention looks at the whole source, and a stream has no end yet; predict whole "
                "sequences, or train with model.attention: none"
            )
        return SourceStream(self, network)


class SourceStream(SequenceStream):
    """A source that comes piece by piece: the translation of what there is so far."""

    def answer(self, new: Tensor) -> dict[str, Any]:
        network = cast("EncoderDecoder", self.network)
        for token in new:
            self.steps += 1
            read, self._states, self._readout = network.step(
                token[None, None], self._states, self._readout, self.steps
            )
        (best,) = self.task.hypotheses(network, read, self.task.params.beam)
        answer: dict[str, Any] = self.task.answer(best, new)
        return answer


def source_ids(batch: Batch) -> list[list[int]]:
    """The real tokens that each item reads."""
    real = batch.inputs if batch.mask is None else map(Tensor.__getitem__, batch.inputs, batch.mask)
    return [row.tolist() for row in real]
