"""Memory: what was seen long ago is asked for (many-to-one, or synced)."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.encoded_split import EncodedSplit
from rnnkit.data.prepare.prepared import Prepared
from rnnkit.metrics import AnswerMeter, Metrics
from rnnkit.nn.losses import cross_entropy, masked_mean, squared
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.labels import learnable
from rnnkit.tasks.memory import examples
from rnnkit.tasks.memory.problems import COPIED, NEAR
from rnnkit.tasks.predictions import (
    Items,
    Measures,
    Predictions,
    Rows,
    Scored,
    mistake_rows,
    summed,
)

Outputs = Float[Tensor, "batch *time outputs"]
Answers = Num[Tensor, " answers"]


class AnswerPredictions(Predictions):
    """A row for each answer: item, lag (steps), truth, predicted, right."""

    columns: ClassVar[tuple[str, ...]] = ("item", "lag", "truth", "predicted", "right")

    @property
    def measures(self) -> Measures:
        return {"accuracy": lambda: summed(self.table["item"], self.table["right"], 1)}

    def mistakes(self, items: Items) -> tuple[str, Rows]:
        wrong = self.table[~self.table["right"].astype(bool)]
        return "Where it forgot", mistake_rows(wrong, ["lag", "truth", "predicted"], items)


def constant_answer(task: "Memory", prepared: Prepared, split: EncodedSplit) -> Metrics:
    """Always the same answer: the most frequent one of the training split, or its mean.

    The loss is that of one number, of one distribution over classes, or, where there is an answer
    at every step, of the next symbol given the last one alone: what can be had without a memory.
    """
    train, meter = prepared.splits["train"], task.meter()
    known, asked = task.asked(train), task.asked(split)
    if task.params.numbers:
        mean = known.double().mean()
        right = (asked - mean).abs() < NEAR
        meter.update(right)
        loss = float((asked - mean).square().mean())
        return Scored({**meter.compute(), "loss": loss}, partial(_answers, split, right))
    right = asked == torch.bincount(known, minlength=len(task.all_labels)).argmax()
    meter.update(right)
    before, last = (
        p.all_inputs if task.synced else torch.zeros_like(p.all_targets) for p in (train, split)
    )
    shape = (len(prepared.fitted.inputs.vocabulary or ()), len(task.all_labels))
    counts = torch.ones(shape, dtype=torch.float64)
    ones = torch.ones(len(before), dtype=torch.float64)
    counts.index_put_((before, train.all_targets), ones, accumulate=True)
    nats = -(counts / counts.sum(dim=1, keepdim=True)).log()
    learned = split.all_targets < task.outputs
    loss = float(nats[last[learned], split.all_targets[learned]].mean())
    return Scored({**meter.compute(), "loss": loss}, partial(_answers, split, right))


def _answers(split: EncodedSplit, right: Tensor) -> dict[str, Any]:
    """Columns of answers to the items of a split, as many to each."""
    item = split.item.repeat_interleave(len(right) // len(split))
    return {"item": item.numpy(), "right": right.numpy()}


class Memory(Task[examples.MemoryFitted]):
    """Squared error of the sum, or cross-entropy of symbols; outputs are [batch, outputs] where
    there is one answer, else [batch, time, symbols]."""

    fitted_type = examples.MemoryFitted
    fit = staticmethod(examples.fit)
    table_type = AnswerPredictions
    meter_type = AnswerMeter
    baselines: Mapping[str, Baseline] = {"constant answer": constant_answer}

    @property
    def outputs(self) -> int:
        return 1 if self.params.numbers else len(self.labels)

    def loss(self, outputs: Outputs, batch: Batch) -> Float[Tensor, ""]:
        if self.params.numbers:
            return squared(outputs, batch.targets[:, 0]).mean()
        targets, mask = self._learnable(batch)
        return masked_mean(cross_entropy(outputs, targets), mask)

    def weight(self, batch: Batch) -> int:
        if self.params.numbers:
            return len(batch.item)
        targets, mask = self._learnable(batch)
        return targets.numel() if mask is None else int(mask.sum())

    def _learnable(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        return learnable(batch.targets, batch.mask if self.synced else None, self.outputs)

    def measure(self, meter: AnswerMeter, outputs: Outputs, batch: Batch) -> None:
        predicted, truth = self._asked(outputs, batch)
        meter.update(self._right(predicted, truth))

    def predictions(self, outputs: Outputs, batch: Batch) -> dict[str, list[Any]]:
        predicted, truth = self._asked(outputs, batch)
        count = predicted.numel() // len(batch.item)
        return {
            "item": batch.item.repeat_interleave(count).tolist(),
            "lag": self.answer_lag(batch).repeat_interleave(count).tolist(),
            "truth": self._named(truth),
            "predicted": self._named(predicted),
            "right": self._right(predicted, truth).tolist(),
        }

    def answer(
        self, outputs: Float[Tensor, "*time outputs"], inputs: Num[Tensor, "time *features"]
    ) -> dict[str, Any]:
        if self.params.numbers:
            return {"sum": float(outputs[0])}
        shares, best = outputs.softmax(dim=-1).max(dim=-1)
        if not self.synced:
            return {"answer": self.labels[int(best)], "probability": float(shares)}
        return {
            "symbols": [self.labels[i] for i in best.tolist()],
            "probabilities": shares.tolist(),
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "accuracy_by_lag", figures.accuracy_by_lag(predictions.table)

    def asked(self, split: EncodedSplit) -> Answers:
        """The right sums or labels of all items of a split."""
        if not self.synced:
            return split.targets[split.target_start].flatten()
        return split.targets[self._places(split.target_start + split.target_length)].flatten()

    def _places(self, ends: Int[Tensor, " items"]) -> Int[Tensor, "items answers"]:
        """The steps of the answers, of items that end before these steps."""
        offsets = [-2] if self.params.problem == "embedded_reber" else range(-COPIED, 0)
        return ends[:, None] + torch.tensor(list(offsets))

    def _asked(self, outputs: Outputs, batch: Batch) -> tuple[Answers, Answers]:
        """Predicted, and true."""
        if self.params.numbers:
            return outputs[:, 0], batch.targets[:, 0, 0]
        predicted = outputs.argmax(dim=-1)
        if not self.synced:
            return predicted, batch.targets
        places = self._places(_span(batch)[1])
        return predicted.gather(1, places).flatten(), batch.targets.gather(1, places).flatten()

    def _right(self, predicted: Answers, truth: Answers) -> Bool[Tensor, " answers"]:
        return (predicted - truth).abs() < NEAR if self.params.numbers else predicted == truth

    def answer_lag(self, batch: Batch) -> Int[Tensor, " batch"]:
        """Steps between what is to be remembered, the first of it, and the answer."""
        begins, ends = _span(batch)
        if self.synced:
            return self._places(ends)[:, 0] - begins
        if self.params.numbers:
            marked = batch.inputs[:, :, 1] == 1
        else:
            vocabulary = self.fitted.inputs.vocabulary
            assert vocabulary is not None
            wanted = [vocabulary.index(symbol) for symbol in "XY"]
            marked = torch.isin(batch.inputs, torch.tensor(wanted))
        return ends - 1 - marked.to(torch.uint8).argmax(dim=1)

    def _named(self, answers: Answers) -> list[Any]:
        values: list[Any] = answers.tolist()
        return values if self.params.numbers else [self.all_labels[i] for i in values]


def _span(batch: Batch) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """The first real step, and the step behind the last one."""
    real = torch.ones(batch.inputs.shape[:2]) if batch.mask is None else batch.mask
    begins = real.to(torch.uint8).argmax(dim=1)
    return begins, begins + real.to(torch.int64).sum(dim=1)
