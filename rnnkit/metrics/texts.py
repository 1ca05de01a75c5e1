"""Meters of generated texts and of transcripts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnkit.metrics.values import Metrics


def least_edits(text: str, references: Sequence[str]) -> tuple[int, int]:
    """Word edit distance (insertions, deletions, substitutions) to the nearest reference, and that
    reference's number of words. The nearest reference has the lowest word error rate."""
    from torchmetrics.functional.text import word_error_rate

    candidates = []
    for reference in references:
        words = len(reference.split())
        rate = float(word_error_rate(text, reference)) if words else 0.0
        edits = round(rate * words) if words else len(text.split())
        candidates.append((edits / max(1, words), edits, words))
    _, edits, words = min(candidates)
    return edits, words


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


class TranscriptMeter:
    """Transcripts against references: word error rate, character error rate (without white space)
    and fraction of exact matches."""

    def __init__(self) -> None:
        from torchmetrics.text import CharErrorRate, WordErrorRate

        self._wer, self._cer = WordErrorRate(), CharErrorRate()
        self._right = self._seen = 0

    def update(self, texts: Sequence[str], references: Sequence[str]) -> None:
        """Add a batch."""
        self._wer.update(list(texts), list(references))
        unspaced = [["".join(text.split()) for text in side] for side in (texts, references)]
        self._cer.update(*unspaced)
        self._right += sum(map(str.__eq__, texts, references))
        self._seen += len(texts)

    def compute(self) -> Metrics:
        return {
            "wer": float(self._wer.compute()),
            "cer": float(self._cer.compute()),
            "sequence_accuracy": self._right / self._seen,
        }
