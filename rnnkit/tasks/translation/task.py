"""Translation: a sequence in, another one out. Several targets of one source are references."""

from collections.abc import Mapping
from itertools import compress
from typing import Any, cast

import pandas
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.part import Part
from rnnkit.errors import InputError
from rnnkit.nn.model.writing import EncoderDecoder
from rnnkit.tasks.interface import Baseline, Figures
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.sequence_to_sequence import baselines
from rnnkit.tasks.sequence_to_sequence.baselines import slices
from rnnkit.tasks.sequence_to_sequence.examples import reference_key
from rnnkit.tasks.sequence_to_sequence.task import SequenceToSequence
from rnnkit.tasks.streaming import SequenceStream
from rnnkit.tasks.translation import examples
from rnnkit.tasks.translation.predictions import TranslationPredictions


class Translation(SequenceToSequence[examples.TranslationFitted]):
    """Cross-entropy per real target token; outputs are [batch, steps, tokens]."""

    fitted_type = examples.TranslationFitted
    fit = staticmethod(examples.fit)
    table_type = TranslationPredictions

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        return {
            "copied source": baselines.copied_source,
            "constant text": baselines.constant_text,
            "nearest source": baselines.nearest_source,
        }

    def reference_keys(self, batch: Batch) -> list[Any]:
        pairs = zip(source_ids(batch), batch.item.tolist(), strict=True)
        return [reference_key(ids, item) for ids, item in pairs]

    def part_keys(self, part: Part) -> list[Any]:
        pairs = zip(slices(part, "input"), part.item.tolist(), strict=True)
        return [reference_key(ids, item) for ids, item in pairs]

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
        from rnnkit.tasks.sequence_to_sequence.pictures import scores_by_length

        yield from scores_by_length(predictions)
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
    rows: list[list[int]] = batch.inputs.tolist()
    if batch.mask is None:
        return rows
    real = batch.mask.tolist()
    return [list(compress(row, own)) for row, own in zip(rows, real, strict=True)]
