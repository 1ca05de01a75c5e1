"""Columns by what they are called: texts, labels, tokens, sequences, splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnkit.data.guess.cells import Column


def _names(words: str) -> frozenset[str]:
    return frozenset(word.replace("-", " ") for word in words.split())


LABEL = _names(
    "label labels class classes target targets y category categories sentiment species outcome "
    "variety quality diagnosis rating score stars intent topic emotion polarity activity "
    "occupancy genre classification response survived state status event anomaly failure rul"
)
TEXT = _names(
    "text texts sentence review comment content body message tweet title document utterance "
    "headline description abstract post sms question phrase transcript transcription name input"
)
SOURCE = _names("source src input question english en from original word grapheme date")
TARGET = _names("target tgt trg output answer translation to translated pronunciation phonemes")
TOKEN = _names("token tokens word words form")
TAG = _names("tag tags pos ner upos entity bio iob label labels ner-tag pos-tag")
SENTENCE = _names("sentence sent sentence-id sent-id sentence-idx sentence-number")
SEQUENCE = _names(
    "sequence seq sequence-id seq-id trial sample recording session episode unit unit-number case "
    "subject user patient series series-id id engine machine device customer store item sensor "
    "station group run track unique-id"
)
SPLIT = _names("split part fold set subset partition dataset")
AUDIO = _names("audio file path wav filename file-name recording")
NUMBERING = _names("id index row no nr number row-id rownames unnamed-0")
NAMES = LABEL | TEXT | SOURCE | TARGET | TOKEN | TAG | SENTENCE | SEQUENCE | SPLIT | AUDIO
"""All of them: a row of such words is a header."""
PARTS = ("train", "valid", "test")


def named(columns: Iterable[Column], names: frozenset[str]) -> Column | None:
    """The first column that is called by one of the names."""
    return next((column for column in columns if column.is_named(names)), None)


def split_of(columns: Sequence[Column]) -> Column | None:
    """A column that says train, valid or test."""
    return next((column for column in columns if set(column.counts) == set(PARTS)), None)


def is_numbering(column: Column) -> bool:
    """Whether a column numbers the rows."""
    if not column.is_whole or column.empty:
        return False
    begin = int(column.numbers[0])
    if begin not in (0, 1):
        return False
    return column.numbers == [float(begin + row) for row in range(len(column.cells))]
