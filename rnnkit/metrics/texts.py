"""Meters of texts: generated ones and transcripts."""

from collections.abc import Sequence
from typing import Any

from torchmetrics.functional.text import word_error_rate
from torchmetrics.text import CharErrorRate, WordErrorRate

from rnnkit.metrics.values import Metrics


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
