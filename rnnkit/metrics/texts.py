"""Meters of generated texts and of transcripts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.metrics.values import Metrics


def edit_distance(text: Sequence[str], reference: Sequence[str]) -> int:
    """Insertions, deletions and substitutions that make a text of its reference (Levenshtein).

    >>> edit_distance("sitting", "kitten")
    3
    """
    before = list(range(len(reference) + 1))  # from no symbols of the text
    for row, symbol in enumerate(text, start=1):
        now = [row]
        for column, other in enumerate(reference):
            replaced = before[column] + (symbol != other)
            now.append(min(replaced, before[column + 1] + 1, now[column] + 1))
        before = now
    return before[-1]


def least_edits(text: str, references: Sequence[str]) -> tuple[int, int]:
    """Word edit distance (insertions, deletions, substitutions) to the nearest reference, and that
    reference's number of words. The nearest reference has the lowest word error rate."""
    candidates = []
    for reference in references:
        words = reference.split()
        edits = edit_distance(text.split(), words)
        candidates.append((edits / max(1, len(words)), edits, len(words)))
    _, edits, length = min(candidates)
    return edits, length


def bleu_statistics(
    texts: Sequence[str], references: Sequence[Sequence[str]], tokenizer: str
) -> list[list[float]]:
    """Terms of each text in the corpus's BLEU: number of tokens of the text and of its reference,
    correct n-grams and all n-grams of 1 to 4 tokens."""
    from sacrebleu.metrics.bleu import BLEU

    bleu, rows = BLEU(tokenize=tokenizer, force=True), []
    for text, own in zip(texts, references, strict=True):
        score = bleu.corpus_score([text], [[reference] for reference in own])
        rows.append([score.sys_len, score.ref_len, *score.counts, *score.totals])
    return rows


def bleu_of(sums: np.ndarray) -> np.ndarray:
    """BLEU of [10, …] summed `bleu_statistics`; between 0 and 1."""
    from sacrebleu.metrics.bleu import BLEU

    def score(terms: np.ndarray) -> float:
        sys_len, ref_len = np.rint(terms[:2]).astype(int).tolist()  # sacreBLEU prints them as such
        correct, total = terms[2:6].tolist(), terms[6:].tolist()
        bleu = BLEU.compute_bleu(correct, total, sys_len, ref_len, smooth_method="exp")
        return min(1.0, bleu.score / 100)

    return np.asarray(np.apply_along_axis(score, 0, sums))


class TextMeter:
    """Generated texts against their references: BLEU, word error rate, fraction of exact matches.

    Items with the same key share their references. A text that equals any of them is correct; the
    word error rate uses the nearest one. BLEU is between 0 and 1.

    Args:
        tokenizer: name of a sacreBLEU tokenizer.

    Reference: K. Papineni et al., BLEU, 2002; M. Post, A call for clarity in reporting BLEU
    scores, 2018.
    """

    def __init__(self, tokenizer: str) -> None:
        self._tokenizer = tokenizer
        self._texts: dict[Any, str] = {}
        self._references: dict[Any, list[str]] = {}

    def update(self, keys: Sequence[Any], texts: Sequence[str], references: Sequence[str]) -> None:
        """Add a batch: each item's key, generated text and reference."""
        for key, text, reference in zip(keys, texts, references, strict=True):
            self._texts[key] = text
            self._references.setdefault(key, []).append(reference)

    def compute(self) -> Metrics:
        right = edits = words = 0
        for key, text in self._texts.items():
            references = self._references[key]
            right += text in references
            distance, length = least_edits(text, references)
            edits, words = edits + distance, words + length
        exact = right / len(self._texts)
        return {"bleu": self.bleu()[0], "wer": edits / max(1, words), "sequence_accuracy": exact}

    def bleu(self) -> tuple[float, str]:
        """BLEU over all batches, and sacreBLEU's signature with its version."""
        from sacrebleu.metrics.bleu import BLEU

        bleu = BLEU(tokenize=self._tokenizer, force=True)
        most = max(map(len, self._references.values()))
        columns: Any = [  # None pads items with fewer references
            [texts[k] if k < len(texts) else None for texts in self._references.values()]
            for k in range(most)
        ]
        score = bleu.corpus_score(list(self._texts.values()), columns).score / 100
        return min(score, 1.0), str(bleu.get_signature())


class ErrorRate:
    """Edit distance to the references, per symbol of theirs."""

    def __init__(self) -> None:
        self._edits = self._symbols = 0

    def add(self, text: Sequence[str], reference: Sequence[str]) -> None:
        """Add an item's symbols."""
        self._edits += edit_distance(text, reference)
        self._symbols += len(reference)

    @property
    def value(self) -> float:
        return self._edits / max(1, self._symbols)


class TranscriptMeter:
    """Transcripts against references: word error rate, character error rate (without white space)
    and fraction of exact matches."""

    def __init__(self) -> None:
        self._words, self._characters = ErrorRate(), ErrorRate()
        self._right = self._seen = 0

    def update(self, texts: Sequence[str], references: Sequence[str]) -> None:
        """Add a batch."""
        for text, reference in zip(texts, references, strict=True):
            words = text.split(), reference.split()
            self._words.add(*words)
            self._characters.add(*map("".join, words))
            self._right += text == reference
            self._seen += 1

    def compute(self) -> Metrics:
        return {
            "wer": self._words.value,
            "cer": self._characters.value,
            "sequence_accuracy": self._right / self._seen,
        }
