"""Meters of classes: labels, entity tags, polyphonic notes, next tokens and answers."""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import IGNORED


class LabelMeter:
    """Accuracy over all items; precision, recall and F1 as the mean over classes (macro).

    Args:
        classes: number of labels.
        sequences: also report the fraction of sequences with every token correct.
    """

    def __init__(self, classes: int, sequences: bool) -> None:
        from torchmetrics import MetricCollection
        from torchmetrics.classification import (
            MulticlassAccuracy,
            MulticlassF1Score,
            MulticlassPrecision,
            MulticlassRecall,
        )

        self._scores = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(num_classes=classes, average="micro"),
                "precision": MulticlassPrecision(num_classes=classes, average="macro"),
                "recall": MulticlassRecall(num_classes=classes, average="macro"),
                "f1": MulticlassF1Score(num_classes=classes, average="macro"),
            }
        )
        self._sequences = AnswerMeter() if sequences else None

    def update(
        self, predicted: Int[Tensor, "batch *time"], targets: Int[Tensor, "batch *time"]
    ) -> None:
        """Add a batch of label ids; `IGNORED` marks padding in the targets."""
        real = targets != IGNORED
        self._scores.update(predicted[real], targets[real])
        if self._sequences is not None:
            self._sequences.update(((predicted == targets) | ~real).all(dim=1))

    def compute(self) -> Metrics:
        scores = self._scores.compute().items()
        metrics = {name: min(1.0, float(value)) for name, value in scores}  # float32 rounds up
        if self._sequences is not None:
            metrics["sequence_accuracy"] = self._sequences.compute()["accuracy"]
        return metrics


SCHEMES = ("BI", "BIES", "BILU", "BMES", "BMEW")
"""Letters of entity tags: BIO and IOB, IOBES, BILOU, and two more names of IOBES."""
AS_IOBES: Mapping[str, str] = {"L": "E", "M": "I", "U": "S", "W": "S"}
"""Letter -> the letter of IOBES with the same meaning."""
LIKE_ENTITY = re.compile(r"[BI][-_].|\(.+\*\)?$")
"""The begin of an entity as a letter, or as a bracket of CoNLL-2012."""
ENTITY_TAG = re.compile(r"([BIESLUMW])(?:[-_](.+))?")


def are_entities(labels: Collection[str]) -> bool:
    """Whether labels are entity tags of one scheme: `B-PER` or `B_PER`, and `O`; or `B`, `I` and
    `O` alone, of one type.

    >>> are_entities(["B-PER", "L-PER", "O", "U-LOC"]), are_entities(["B-PER", "VERB"])
    (True, False)
    >>> are_entities(["B", "I", "O"]), are_entities(["B", "S"])
    (True, False)
    """
    tags = [ENTITY_TAG.fullmatch(label) for label in labels if label != "O"]
    letters = {tag[1] for tag in tags if tag}
    one_scheme = any(letters <= set(scheme) for scheme in SCHEMES)
    typed = all(tag[2] for tag in tags if tag) or {"B", "I", "O"} <= set(labels)
    return bool(tags) and all(tags) and one_scheme and typed


def why_no_entities(labels: Sequence[str]) -> str | None:
    """Why tags that look like entities are not scored as such; None: they are, or look otherwise.

    >>> why_no_entities(["B-PER", "I-PER", "O", "X"])
    "'X' is no tag of BIO, IOBES or BILOU"
    >>> why_no_entities(["B-PER", "E-PER", "L-PER"]), why_no_entities(["NOUN", "X"])
    ('they mix BIO, IOBES and BILOU', None)
    """
    if are_entities(labels) or not any(map(LIKE_ENTITY.match, labels)):
        return None
    for label in labels:
        tag = ENTITY_TAG.fullmatch(label)
        if label != "O" and not (tag and tag[2]):
            return f"{label!r} is no tag of BIO, IOBES or BILOU"
    return "they mix BIO, IOBES and BILOU"


def as_iobes(label: str) -> str:
    """An entity tag with the letters of IOBES; `O` for what is no entity tag.

    >>> [as_iobes(label) for label in ("U_PER", "L-PER", "B-PER", "O", "VERB")]
    ['S-PER', 'E-PER', 'B-PER', 'O', 'O']
    """
    tag = ENTITY_TAG.fullmatch(label)
    return "O" if tag is None else f"{AS_IOBES.get(tag[1], tag[1])}-{tag[2] or ''}"


def entity_counts(truth: Sequence[str], predicted: Sequence[str]) -> tuple[int, int]:
    """Terms of a sentence in F1 = 2·correct / (predicted + true), which is over all sentences.

    >>> entity_counts(["B-PER", "I-PER", "O", "U-LOC"], ["B-PER", "I-PER", "O", "O"])
    (2, 3)
    """
    from seqeval.metrics.sequence_labeling import get_entities

    true, guessed = (set(get_entities([*map(as_iobes, tags)])) for tags in (truth, predicted))
    return 2 * len(true & guessed), len(true) + len(guessed)


def scores_by_type(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Type of entity -> entities, predicted (numbers of them), precision, recall and F1, sorted;
    where nothing was predicted, precision is 0.

    Args:
        truth: the tags of each sentence.
        predicted: likewise.

    >>> tags = [["B-PER", "I-PER", "O", "U-LOC"]]
    >>> scores_by_type(tags, [["B-PER", "I-PER", "B-PER", "O"]])["PER"]
    {'entities': 1, 'predicted': 2, 'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666}
    """
    from seqeval.metrics.sequence_labeling import get_entities

    counts = {name: Counter[str]() for name in ("entities", "predicted", "right")}
    for pair in zip(truth, predicted, strict=True):
        true, guessed = (set(get_entities([*map(as_iobes, tags)])) for tags in pair)
        for name, group in zip(counts, (true, guessed, true & guessed), strict=True):
            counts[name].update(entity[0] for entity in group)
    scores: dict[str, dict[str, float]] = {}
    for kind in sorted({*counts["entities"], *counts["predicted"]}):
        entities, found, right = (counts[name][kind] for name in counts)
        scores[kind] = {
            "entities": entities,
            "predicted": found,
            "precision": right / max(found, 1),
            "recall": right / max(entities, 1),
            "f1": 2 * right / (entities + found),
        }
    return scores


class EntityMeter:
    """Micro-averaged precision, recall and F1 of entities. A correct entity has the right begin,
    end and type. Accuracy is over tokens, sequence accuracy over sentences.

    Args:
        labels: tags of one of `SCHEMES`.

    Reference: E. F. Tjong Kim Sang, F. De Meulder, Introduction to the CoNLL-2003 shared
    task, 2003.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._predicted: list[list[str]] = []
        self._truth: list[list[str]] = []

    def update(
        self, predicted: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
    ) -> None:
        """Add a batch of tag ids; `IGNORED` marks padding."""
        for prediction, target in zip(predicted, targets, strict=True):
            real = target != IGNORED
            self._predicted.append([self._labels[i] for i in prediction[real].tolist()])
            self._truth.append([self._labels[i] for i in target[real].tolist()])

    def compute(self) -> Metrics:
        from seqeval.metrics import f1_score, precision_score, recall_score

        labels = self._truth, self._predicted
        right = [[a == b for a, b in zip(*pair, strict=True)] for pair in zip(*labels, strict=True)]
        iobes = {label: as_iobes(label) for label in self._labels}
        tags = [[[iobes[label] for label in sentence] for sentence in side] for side in labels]
        return {
            "accuracy": sum(map(sum, right)) / sum(map(len, right)),
            "precision": float(precision_score(*tags, zero_division=0)),
            "recall": float(recall_score(*tags, zero_division=0)),
            "f1": float(f1_score(*tags, zero_division=0)),
            "sequence_accuracy": sum(map(all, right)) / len(right),
        }


class NoteMeter:
    """Predicted notes against sounding ones, over all frames and keys (micro).

    Accuracy is TP / (TP + FP + FN); true negatives (silent keys) are not counted.

    Reference: M. Bay, A. Ehmann, J. S. Downie, Evaluation of multiple-F0 estimation and tracking
    systems, ISMIR 2009.
    """

    def __init__(self) -> None:
        from torchmetrics import MetricCollection
        from torchmetrics.classification import (
            BinaryF1Score,
            BinaryJaccardIndex,
            BinaryPrecision,
            BinaryRecall,
        )

        self._scores = MetricCollection(
            {
                "accuracy": BinaryJaccardIndex(),
                "precision": BinaryPrecision(),
                "recall": BinaryRecall(),
                "f1": BinaryF1Score(),
            }
        )

    def update(
        self, predicted: Bool[Tensor, "frames keys"], targets: Shaped[Tensor, "frames keys"]
    ) -> None:
        """Add a batch of real frames: whether each key sounds."""
        self._scores.update(predicted.int(), targets.int())

    def compute(self) -> Metrics:
        return {name: float(value) for name, value in self._scores.compute().items()}


class TokenMeter:
    """Perplexity exp(mean nats) = 2^(mean bits), and the accuracy of the most probable token."""

    def __init__(self) -> None:
        self._nats, self._right, self._tokens = 0.0, 0, 0

    def update(self, nats: Float[Tensor, " tokens"], right: Bool[Tensor, " tokens"]) -> None:
        """Add a batch: cross-entropies and hits of real tokens."""
        self._nats += float(nats.double().sum())
        self._right += int(right.sum())
        self._tokens += nats.numel()

    def compute(self) -> Metrics:
        mean = self._nats / self._tokens
        return {
            "loss": mean,
            "perplexity": math.exp(mean) if mean < 700 else math.inf,
            "bits": mean / math.log(2),
            "accuracy": self._right / self._tokens,
        }


class AnswerMeter:
    """The fraction of correct answers."""

    def __init__(self) -> None:
        self._right = self._seen = 0

    def update(self, right: Bool[Tensor, "*answers"]) -> None:
        """Add a batch: whether each answer is correct."""
        self._right += int(right.sum())
        self._seen += right.numel()

    def compute(self) -> Metrics:
        return {"accuracy": self._right / self._seen}
