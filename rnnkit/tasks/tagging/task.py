"""Tagging: a label for every token or frame (many-to-many, synced)."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import EntityMeter, LabelMeter
from rnnkit.nn.losses import IGNORED
from rnnkit.params.data import Characters
from rnnkit.tasks.classification.task import Classification
from rnnkit.tasks.interface import Baseline, Figures
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.tagging import baselines, examples
from rnnkit.tasks.tagging.predictions import TagPredictions, consecutive


class Tagging(Classification):
    """Cross-entropy per real token; outputs are [batch, time, tags]."""

    fitted_type = examples.TaggingFitted
    table_type = TagPredictions

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        table: dict[str, Baseline] = {
            "most frequent tag": baselines.most_frequent_tag,
            "best constant on valid": baselines.best_constant,
        }
        if self.fitted.inputs.vocabulary is not None:
            return {**table, "most frequent tag per token": baselines.most_frequent_tag_per_token}
        return {
            **table,
            "previous tag": baselines.previous_tag,
            "logistic regression": baselines.logistic_regression,
        }

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
        return EntityMeter(self.labels) if self.entities else super().meter()

    def predictions(
        self, outputs: Float[Tensor, "batch time tags"], batch: Batch
    ) -> dict[str, list[Any]]:
        predicted = outputs.argmax(dim=-1)
        real = batch.targets != IGNORED
        return {
            "item": batch.item.tolist(),
            "truth": [self._names(row[r]) for row, r in zip(batch.targets, real, strict=True)],
            "predicted": [self._names(row[r]) for row, r in zip(predicted, real, strict=True)],
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield from super().figures(predictions)
        if isinstance(self.fitted.data.tokenizer, Characters):
            text = consecutive(predictions.table, self.prepared)
            yield "coloured_text", figures.coloured_code(text, self.labels)

    def answer(self, outputs: Float[Tensor, "time tags"], inputs: Tensor) -> dict[str, Any]:
        probability, predicted = outputs.softmax(dim=-1).max(dim=-1)
        return {"tags": self._names(predicted), "probabilities": probability.tolist()}

    def _names(self, ids: Int[Tensor, " time"]) -> list[str]:
        return [self.labels[i] for i in ids.tolist()]
