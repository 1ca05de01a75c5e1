"""Tagging: a label for every token or frame (many-to-many, synced)."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import EntityMeter, LabelMeter
from rnnkit.nn.losses import IGNORED, class_mean, cross_entropy, masked_mean, weights_of
from rnnkit.params.data import Characters
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.tagging import baselines, examples
from rnnkit.tasks.tagging.predictions import TagPredictions, consecutive


class Tagging(Task[examples.TaggingFitted]):
    """Cross-entropy per real token; outputs are [batch, time, tags]."""

    fitted_type = examples.TaggingFitted
    fit = staticmethod(examples.fit)
    table_type = TagPredictions

    def __init__(self, params: Any, prepared: Prepared[examples.TaggingFitted]) -> None:
        super().__init__(params, prepared)
        classes = self.fitted.classes
        self.class_weights = None if classes is None else classes.weights(params.class_weights)

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        table: dict[str, Baseline] = {"most frequent tag": baselines.most_frequent_tag}
        if self.fitted.inputs.vocabulary is not None:
            table["most frequent tag per token"] = baselines.most_frequent_tag_per_token
        return table

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        losses = cross_entropy(outputs, batch.targets)
        if self.class_weights is None:
            return masked_mean(losses, batch.mask)
        return class_mean(losses, batch.targets, self.class_weights)

    def weight(self, batch: Batch) -> float:
        if self.class_weights is None:
            return super().weight(batch)
        return float(weights_of(batch.targets, self.class_weights).sum())

    @property
    def entities(self) -> bool:
        """Whether the tags are those of entities, as BIO and IOB have them."""
        kinds = {label[:2] for label in self.labels}
        return kinds <= {"O", "B-", "I-"} and bool(kinds & {"B-", "I-"})

    @property
    def shown(self) -> tuple[str, ...]:
        """F1 first for entities: most tokens belong to none."""
        return ("f1", "accuracy", "sequence_accuracy") if self.entities else super().shown

    def meter(self) -> LabelMeter | EntityMeter:
        if self.entities:
            return EntityMeter(self.labels)
        return LabelMeter(len(self.labels), sequences=True)

    def measure(self, meter: LabelMeter | EntityMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(outputs.argmax(dim=-1), batch.targets)

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        predicted = outputs.argmax(dim=-1)
        real = batch.targets != IGNORED
        return {
            "item": batch.item.tolist(),
            "truth": [self._names(row[r]) for row, r in zip(batch.targets, real, strict=True)],
            "predicted": [self._names(row[r]) for row, r in zip(predicted, real, strict=True)],
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "confusion_matrix", figures.confusion_matrix(predictions.table, self.labels)
        if isinstance(self.fitted.data.tokenizer, Characters):
            text = consecutive(predictions.table, self.prepared)
            yield "coloured_text", figures.coloured_code(text, self.labels)

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
        probability, predicted = outputs.softmax(dim=-1).max(dim=-1)
        return {"tags": self._names(predicted), "probabilities": probability.tolist()}

    def _names(self, ids: Tensor) -> list[str]:
        return [self.labels[i] for i in ids.tolist()]
