"""Memory: what was seen long ago is asked for (many-to-one, or synced)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.metrics import AnswerMeter
from rnnkit.nn.losses import cross_entropy, masked_mean, squared
from rnnkit.tasks.interface import Baseline, Figures, Task
from rnnkit.tasks.memory import examples
from rnnkit.tasks.memory.baselines import constant_answer
from rnnkit.tasks.memory.predictions import AnswerPredictions
from rnnkit.tasks.memory.problems import COPIED, NEAR
from rnnkit.tasks.predictions import Predictions


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

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        if self.params.numbers:
            return squared(outputs, batch.targets[:, 0]).mean()
        losses = cross_entropy(outputs, batch.targets)
        return losses.mean() if losses.ndim == 1 else masked_mean(losses, batch.mask)

    def measure(self, meter: AnswerMeter, outputs: Tensor, batch: Batch) -> None:
        predicted, truth = self._asked(outputs, batch)
        meter.update(self._right(predicted, truth))

    def predictions(self, outputs: Tensor, batch: Batch) -> dict[str, list[Any]]:
        predicted, truth = self._asked(outputs, batch)
        count = predicted.numel() // len(batch.item)
        return {
            "item": batch.item.repeat_interleave(count).tolist(),
            "lag": self._lag(batch).repeat_interleave(count).tolist(),
            "truth": self._named(truth),
            "predicted": self._named(predicted),
            "right": self._right(predicted, truth).tolist(),
        }

    def answer(self, outputs: Tensor, inputs: Tensor) -> dict[str, Any]:
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

    def _asked(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """[answers] predicted, and true."""
        if self.params.numbers:
            return outputs[:, 0], batch.targets[:, 0, 0]
        predicted = outputs.argmax(dim=-1)
        if not self.synced:
            return predicted, batch.targets
        if self.params.problem == "copying":  # all are equally long
            return predicted[:, -COPIED:].flatten(), batch.targets[:, -COPIED:].flatten()
        place = _ends(batch) - 2
        row = torch.arange(len(place))
        return predicted[row, place], batch.targets[row, place]

    def _right(self, predicted: Tensor, truth: Tensor) -> Tensor:
        return (predicted - truth).abs() < NEAR if self.params.numbers else predicted == truth

    def _lag(self, batch: Batch) -> Tensor:
        """[batch] steps between what is to be remembered, the first of it, and the answer."""
        ends, problem = _ends(batch), self.params.problem
        if problem == "copying":
            return torch.full_like(ends, batch.inputs.shape[1] - COPIED)
        if problem == "embedded_reber":
            return ends - _begins(batch) - 2
        if problem == "adding":
            marked = batch.inputs[:, :, 1] == 1
        else:
            vocabulary = self.fitted.inputs.vocabulary
            assert vocabulary is not None
            wanted = [vocabulary.index(symbol) for symbol in "XY"]
            marked = torch.isin(batch.inputs, torch.tensor(wanted))
        return ends - 1 - marked.to(torch.uint8).argmax(dim=1)

    def _named(self, answers: Tensor) -> list[Any]:
        if self.params.numbers:
            return [float(value) for value in answers]
        return [self.labels[i] for i in answers.tolist()]


def _begins(batch: Batch) -> Tensor:
    """[batch] the first real step."""
    if batch.mask is None:
        return torch.zeros(len(batch.inputs), dtype=torch.int64)
    return batch.mask.to(torch.uint8).argmax(dim=1)


def _ends(batch: Batch) -> Tensor:
    """[batch] the step behind the last real one."""
    if batch.mask is None:
        return torch.full((len(batch.inputs),), batch.inputs.shape[1])
    return _begins(batch) + batch.mask.sum(dim=1)
