"""Meters: they take predictions batch by batch and give the metrics of a whole part.

One meter per kind of prediction: `LabelMeter` (one label per sequence or per token), `EntityMeter`
(tags that make up entities), `TokenMeter` (next tokens), `TextMeter` (texts that were written),
`AnswerMeter` (what a memory problem asks), `NoteMeter` (notes that sound together), `NumberMeter`
and `ForecastMeter` (numbers, in their own units). Averages are over real items, never over batches.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import (
    BinaryF1Score,
    BinaryJaccardIndex,
    BinaryPrecision,
    BinaryRecall,
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)
from torchmetrics.functional.text import word_error_rate
from torchmetrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    SymmetricMeanAbsolutePercentageError,
)
from torchmetrics.text import CharErrorRate, WordErrorRate

from rnnkit.nn.losses import IGNORED, pinball

Metrics = dict[str, float]


class LabelMeter:
    """Accuracy over all items; precision, recall and F1 as the mean over classes (macro).

    Args:
        classes: how many labels there are.
        sequences: report also the share of sequences with every token right.
    """

    def __init__(self, classes: int, sequences: bool) -> None:
        self._scores = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(num_classes=classes, average="micro"),
                "precision": MulticlassPrecision(num_classes=classes, average="macro"),
                "recall": MulticlassRecall(num_classes=classes, average="macro"),
                "f1": MulticlassF1Score(num_classes=classes, average="macro"),
            }
        )
        self._sequences = sequences
        self._right = self._seen = 0

    def update(self, predicted: Tensor, targets: Tensor) -> None:
        """Adds a batch.

        Args:
            predicted: [batch] or [batch, time] label ids.
            targets: the same shape; `IGNORED` marks padding.
        """
        real = targets != IGNORED
        self._scores.update(predicted[real], targets[real])
        if self._sequences:
            self._right += int(((predicted == targets) | ~real).all(dim=1).sum())
            self._seen += len(targets)

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        found = self._scores.compute().items()
        metrics = {name: min(1.0, float(value)) for name, value in found}  # float32 rounds upwards
        if self._sequences:
            metrics["sequence_accuracy"] = self._right / self._seen
        return metrics


class EntityMeter:
    """Precision, recall and F1 of whole entities, over all of them (micro): right is what has the
    right beginning, end and type. Accuracy over tokens; sequence accuracy over sentences.

    Args:
        labels: tags as BIO or IOB has them: `O`, `B-TYPE`, `I-TYPE`.

    Reference: E. F. Tjong Kim Sang, F. De Meulder, Introduction to the CoNLL-2003 shared
    task, 2003.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._predicted: list[list[str]] = []
        self._truth: list[list[str]] = []

    def update(self, predicted: Tensor, targets: Tensor) -> None:
        """Adds a batch, both [batch, time] tag ids; `IGNORED` marks padding."""
        for said, wanted in zip(predicted, targets, strict=True):
            real = wanted != IGNORED
            self._predicted.append([self._labels[i] for i in said[real].tolist()])
            self._truth.append([self._labels[i] for i in wanted[real].tolist()])

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        from seqeval.metrics import f1_score, precision_score, recall_score

        both = self._truth, self._predicted
        right = [[a == b for a, b in zip(*pair, strict=True)] for pair in zip(*both, strict=True)]
        return {
            "accuracy": sum(map(sum, right)) / sum(map(len, right)),
            "precision": float(precision_score(*both, zero_division=0)),
            "recall": float(recall_score(*both, zero_division=0)),
            "f1": float(f1_score(*both, zero_division=0)),
            "sequence_accuracy": sum(map(all, right)) / len(right),
        }


class AnswerMeter:
    """The share of answers that are right."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def update(self, right: Tensor) -> None:
        """Adds a batch: [answers] whether each is right."""
        self._right += int(right.sum())
        self._seen += right.numel()

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        return {"accuracy": self._right / self._seen}


class NoteMeter:
    """Notes that sound against notes that were said to, over all frames and keys (micro).

    Accuracy is TP / (TP + FP + FN): silence that is foreseen counts for nothing.

    Reference: M. Bay, A. Ehmann, J. S. Downie, Evaluation of multiple-F0 estimation and tracking
    systems, ISMIR 2009.
    """

    def __init__(self) -> None:
        self._scores = MetricCollection(
            {
                "accuracy": BinaryJaccardIndex(),
                "precision": BinaryPrecision(),
                "recall": BinaryRecall(),
                "f1": BinaryF1Score(),
            }
        )

    def update(self, predicted: Tensor, targets: Tensor) -> None:
        """Adds a batch of real frames, both [frames, keys]: whether each key sounds."""
        self._scores.update(predicted.int(), targets.int())

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        return {name: float(value) for name, value in self._scores.compute().items()}


class NumberMeter:
    """MAE and RMSE over numbers in their own units."""

    def __init__(self) -> None:
        self._mae, self._mse = MeanAbsoluteError(), MeanSquaredError()
        for metric in (self._mae, self._mse):
            metric.set_dtype(torch.float64)

    def update(self, predicted: Tensor, truth: Tensor) -> None:
        """Adds a batch, both [batch, targets] in units."""
        for metric in (self._mae, self._mse):
            metric.update(predicted.double().flatten(), truth.double().flatten())

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        return {"mae": float(self._mae.compute()), "rmse": float(self._mse.compute()) ** 0.5}


class TokenMeter:
    """Perplexity exp(mean nats) = 2^(mean bits), and how often the likeliest token was right."""

    def __init__(self) -> None:
        self._nats, self._right, self._tokens = 0.0, 0, 0

    def update(self, nats: Tensor, right: Tensor) -> None:
        """Adds a batch: cross-entropies and hits of real tokens, each [tokens]."""
        self._nats += float(nats.double().sum())
        self._right += int(right.sum())
        self._tokens += nats.numel()

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        mean = self._nats / self._tokens
        return {
            "loss": mean,
            "perplexity": math.exp(mean) if mean < 700 else math.inf,
            "bits": mean / math.log(2),
            "accuracy": self._right / self._tokens,
        }


def least_edits(text: str, references: Sequence[str]) -> tuple[int, int]:
    """How many words to put in, take out or replace until a text is its nearest reference, and how
    many words that one has: the nearest is the one with the smallest word error rate."""
    found = []
    for reference in references:
        words = len(reference.split())
        rate = float(word_error_rate(text, reference)) if words else 0.0
        edits = round(rate * words) if words else len(text.split())
        found.append((edits / max(1, words), edits, words))
    _, edits, words = min(found)
    return edits, words


class TextMeter:
    """Written texts against their references: BLEU, the word error rate, and how many are right.

    Items that ask for the same share their references: any of them is right, and the nearest one
    counts for the word error rate, the least edits over the words of the reference. BLEU lies
    between 0 and 1; `signature` says how it was counted.

    Args:
        tokenizer: sacreBLEU's.

    Reference: K. Papineni et al., BLEU, 2002; M. Post, A call for clarity in reporting BLEU
    scores, 2018.
    """

    def __init__(self, tokenizer: str) -> None:
        self._tokenizer = tokenizer
        self._texts: dict[Any, str] = {}
        self._references: dict[Any, list[str]] = {}

    def update(self, keys: Sequence[Any], texts: Sequence[str], references: Sequence[str]) -> None:
        """Adds a batch: what each item asks for, what was written, and a true text."""
        for key, text, reference in zip(keys, texts, references, strict=True):
            self._texts[key] = text
            self._references.setdefault(key, []).append(reference)

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        right = edits = words = 0
        for key, text in self._texts.items():
            references = self._references[key]
            right += text in references
            least, length = least_edits(text, references)
            edits, words = edits + least, words + length
        return {
            "bleu": self.bleu,
            "wer": edits / max(1, words),
            "sequence_accuracy": right / len(self._texts),
        }

    @property
    def signature(self) -> str:
        """sacreBLEU's, with its version."""
        return self._bleu()[1]

    @property
    def bleu(self) -> float:
        """Of everything seen so far."""
        return self._bleu()[0]

    def _bleu(self) -> tuple[float, str]:
        from sacrebleu.metrics.bleu import BLEU

        bleu = BLEU(tokenize=self._tokenizer, force=True)
        most = max(map(len, self._references.values()))
        columns: Any = [  # None: an item has fewer references than others
            [found[k] if k < len(found) else None for found in self._references.values()]
            for k in range(most)
        ]
        score = bleu.corpus_score(list(self._texts.values()), columns).score / 100
        return min(score, 1.0), str(bleu.get_signature())


class TranscriptMeter:
    """Texts against what was said: the least edits over the length, in words and in characters
    (white space left out), and how many are right."""

    def __init__(self) -> None:
        self._wer, self._cer = WordErrorRate(), CharErrorRate()
        self._right = self._seen = 0

    def update(self, texts: Sequence[str], references: Sequence[str]) -> None:
        """Adds a batch."""
        self._wer.update(list(texts), list(references))
        without = [["".join(text.split()) for text in side] for side in (texts, references)]
        self._cer.update(*without)
        self._right += sum(map(str.__eq__, texts, references))
        self._seen += len(texts)

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        return {
            "wer": float(self._wer.compute()),
            "cer": float(self._cer.compute()),
            "sequence_accuracy": self._right / self._seen,
        }


class ForecastMeter:
    """MAE, RMSE, MAPE, sMAPE and MASE in the series' units; MSE and MAE on scaled data.

    MAPE leaves out observations of zero and counts them (`mape_excluded`). MASE divides by the
    mean error of the seasonal naive forecast on the training part (Hyndman and Koehler 2006),
    column by column. MAE is given per step of the horizon too, as `mae_step_1` and so on. Of
    quantiles there are the mean pinball loss in units, the share of observations inside the
    outermost two (`coverage`), and how far apart these are in units (`interval_width`).

    Args:
        units: turns scaled values [batch, horizon, targets] of rows [batch] into the series' units.
        naive: gives [batch, targets], the training part's mean seasonal naive error, in units, of
            the series that rows [batch] belong to.
    """

    def __init__(
        self, units: Callable[[Tensor, Tensor], Tensor], naive: Callable[[Tensor], Tensor]
    ) -> None:
        self._units, self._naive = units, naive
        self._mae, self._mse = MeanAbsoluteError(), MeanSquaredError()
        self._mape, self._smape = (
            MeanAbsolutePercentageError(),
            SymmetricMeanAbsolutePercentageError(),
        )
        self._scaled_mae, self._scaled_mse = MeanAbsoluteError(), MeanSquaredError()
        for metric in self._all():
            metric.set_dtype(torch.float64)
        self._zeros = 0
        self._steps: Tensor | None = None  # [horizon] summed absolute errors
        self._mase, self._rows = 0.0, 0
        self._pinball, self._inside, self._width, self._quantiles = 0.0, 0, 0.0, 0

    def _all(self) -> list[Metric]:
        return [
            self._mae,
            self._mse,
            self._mape,
            self._smape,
            self._scaled_mae,
            self._scaled_mse,
        ]

    def update(self, forecast: Tensor, truth: Tensor, rows: Tensor) -> None:
        """Adds a batch: scaled values, both [batch, horizon, targets], and a row of each one."""
        forecast, truth = forecast.double(), truth.double()
        self._scaled_mae.update(forecast.flatten(), truth.flatten())
        self._scaled_mse.update(forecast.flatten(), truth.flatten())
        forecast, truth = self._units(forecast, rows), self._units(truth, rows)
        self._mae.update(forecast.flatten(), truth.flatten())
        self._mse.update(forecast.flatten(), truth.flatten())
        self._smape.update(forecast.flatten(), truth.flatten())
        real = truth != 0
        self._zeros += int((~real).sum())
        if real.any():
            self._mape.update(forecast[real], truth[real])
        errors = (forecast - truth).abs()
        steps = errors.mean(dim=2).sum(dim=0)
        self._steps = steps if self._steps is None else self._steps + steps
        self._mase += float((errors / self._naive(rows)[:, None]).mean(dim=(1, 2)).sum())
        self._rows += len(errors)

    def update_quantiles(
        self, forecasts: Tensor, truth: Tensor, rows: Tensor, quantiles: Tensor
    ) -> None:
        """Adds the quantiles of a batch.

        Args:
            forecasts: [batch, horizon, targets, quantiles] scaled, rising.
            truth: [batch, horizon, targets] scaled.
            rows: [batch].
            quantiles: [quantiles] which ones.
        """
        each = [self._units(forecast, rows) for forecast in forecasts.double().unbind(-1)]
        observed = self._units(truth.double(), rows)
        losses = pinball(torch.stack(each, dim=-1), observed, quantiles.double())
        self._pinball += float(losses.mean(-1).sum())
        self._inside += int(((each[0] <= observed) & (observed <= each[-1])).sum())
        self._width += float((each[-1] - each[0]).sum())
        self._quantiles += observed.numel()

    def compute(self) -> Metrics:
        """The metrics of everything seen so far."""
        metrics = {
            "mae": float(self._mae.compute()),
            "rmse": float(self._mse.compute()) ** 0.5,
            "smape": float(self._smape.compute()),
            "mase": self._mase / self._rows,
            "scaled_mse": float(self._scaled_mse.compute()),
            "scaled_mae": float(self._scaled_mae.compute()),
            "mape_excluded": float(self._zeros),
        }
        if self._mape.update_called:
            metrics["mape"] = float(self._mape.compute())
        if self._quantiles:
            metrics["pinball"] = self._pinball / self._quantiles
            metrics["coverage"] = self._inside / self._quantiles
            metrics["interval_width"] = self._width / self._quantiles
        if self._steps is not None and len(self._steps) > 1:
            for step, total in enumerate((self._steps / self._rows).tolist(), start=1):
                metrics[f"mae_step_{step}"] = total
        return metrics
