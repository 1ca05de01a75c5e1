"""Entity tags: their schemes, the entities of a sentence, and the meter of entities."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from jaxtyping import Int
from torch import Tensor

from rnnkit.metrics.fractions import precision_recall_f1
from rnnkit.metrics.values import Metrics
from rnnkit.nn.losses import IGNORED

Entity = tuple[str, int, int]
"""Type, first token and last token."""

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


def entities_of(labels: Sequence[str]) -> set[Entity]:
    """The entities of a sentence, whatever its tags' order: as conlleval counts them, a tag that
    cannot go on the entity before it begins one.

    >>> sorted(entities_of(["B-PER", "I-PER", "I-LOC", "O", "E-LOC"]))
    [('LOC', 2, 2), ('LOC', 4, 4), ('PER', 0, 1)]
    """
    from seqeval.metrics.sequence_labeling import get_entities  # half a second, for entities alone

    return set(get_entities([*map(as_iobes, labels)]))


def entity_counts(truth: Sequence[str], predicted: Sequence[str]) -> tuple[int, int]:
    """Terms of a sentence in F1 = 2·correct / (predicted + true), which is over all sentences.

    >>> entity_counts(["B-PER", "I-PER", "O", "U-LOC"], ["B-PER", "I-PER", "O", "O"])
    (2, 3)
    """
    true, guessed = entities_of(truth), entities_of(predicted)
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
    counts = {name: Counter[str]() for name in ("entities", "predicted", "right")}
    for pair in zip(truth, predicted, strict=True):
        true, said = map(entities_of, pair)
        for name, group in zip(counts, (true, said, true & said), strict=True):
            counts[name].update(entity[0] for entity in group)
    scores: dict[str, dict[str, float]] = {}
    for kind in sorted({*counts["entities"], *counts["predicted"]}):
        entities, guessed, right = (counts[name][kind] for name in counts)
        scores[kind] = {
            "entities": entities,
            "predicted": guessed,
            **precision_recall_f1(right, guessed, entities),
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
        labels = self._truth, self._predicted
        right = [[a == b for a, b in zip(*pair, strict=True)] for pair in zip(*labels, strict=True)]
        true, guessed, correct = 0, 0, 0
        for sides in zip(*labels, strict=True):
            of_truth, of_predicted = map(entities_of, sides)
            true, guessed = true + len(of_truth), guessed + len(of_predicted)
            correct += len(of_truth & of_predicted)
        return {
            "accuracy": sum(map(sum, right)) / sum(map(len, right)),
            **precision_recall_f1(correct, guessed, true),
            "sequence_accuracy": sum(map(all, right)) / len(right),
        }
