"""Classification: a sequence in, one label out (many-to-one)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas
from jaxtyping import Float
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import EntityMeter, LabelMeter
from rnnkit.nn.losses import class_mean, cross_entropy, masked_mean, weights_of
from rnnkit.tasks.classification import baselines, examples
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.labels import Labelled, learnable
from rnnkit.tasks.predictions import Items, Measures, Predictions, Rows, mistake_rows, summed


class LabelPredictions(Predictions):
    """A row for each item: item, truth, predicted, probability (of what was predicted)."""

    columns: ClassVar[tuple[str, ...]] = ("item", "truth", "predicted", "probability")

    @property
    def measures(self) -> Measures:
        table = self.table
        return {"accuracy": lambda: summed(table["item"], table["truth"] == table["predicted"], 1)}

    @property
    def labels(self) -> pandas.DataFrame:
        return self.table[["truth", "predicted", "probability"]]

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        wrong = self.table[self.table["truth"] != self.table["predicted"]]
        worst = wrong.sort_values("probability", ascending=False)
        shown = ["truth", "predicted", "probability"]
        return "Its most confident mistakes", mistake_rows(worst, shown, items)


class Classification(Task[Labelled]):
    """Cross-entropy of the read-out; outputs are [batch, classes]. Tagging: of each real step."""

    fitted_type: ClassVar[type[Labelled]] = examples.ClassificationFitted
    table_type: ClassVar[type[Predictions]] = LabelPredictions

    def __init__(self, params: Any, prepared: Prepared[Labelled]) -> None:
        super().__init__(params, prepared)
        classes = self.fitted.targets
        self.class_weights = None if classes is None else classes.weights(params.class_weights)

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        table: dict[str, Baseline] = {
            "majority class": baselines.majority_class,
            "best constant on valid": baselines.best_constant,
        }
        if self.fitted.inputs.vocabulary is not None:
            return {**table, "naive Bayes": baselines.naive_bayes}
        return {
            **table,
            "logistic regression": baselines.logistic_regression,
            "nearest neighbour": baselines.nearest_neighbour,
        }

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def loss(self, outputs: Float[Tensor, "*rows classes"], batch: Batch) -> Float[Tensor, ""]:
        targets, mask = self._learnable(batch)
        losses = cross_entropy(outputs, targets)
        if self.class_weights is None:
            return masked_mean(losses, mask)
        return class_mean(losses, targets, self.class_weights)

    def weight(self, batch: Batch) -> int | float:
        targets, mask = self._learnable(batch)
        if self.class_weights is None:
            return targets.numel() if mask is None else int(mask.sum())
        return float(weights_of(targets, self.class_weights).sum())

    def _learnable(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        mask = batch.mask if self.synced else None
        return learnable(batch.targets, mask, self.outputs)

    def meter(self) -> LabelMeter | EntityMeter:
        return LabelMeter(len(self.all_labels), sequences=self.synced)

    def measure(self, meter: LabelMeter | EntityMeter, outputs: Tensor, batch: Batch) -> None:
        meter.update(outputs.argmax(dim=-1), batch.targets)

    def predictions(
        self, outputs: Float[Tensor, "batch classes"], batch: Batch
    ) -> dict[str, list[Any]]:
        probability, predicted = outputs.softmax(dim=-1).max(dim=-1)
        return {
            "item": batch.item.tolist(),
            **self.recordings(batch),
            "truth": [self.all_labels[i] for i in batch.targets.tolist()],
            "predicted": [self.labels[i] for i in predicted.tolist()],
            "probability": probability.tolist(),
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "confusion_matrix", figures.confusion_matrix(predictions.table, self.all_labels)

    def answer(self, outputs: Float[Tensor, " classes"], inputs: Tensor) -> dict[str, Any]:
        shares = outputs.softmax(dim=-1).tolist()
        return {
            "label": self.labels[int(outputs.argmax())],
            "probabilities": dict(zip(self.labels, shares, strict=True)),
        }
