"""Words and pronunciations, in the formats of the CMU Pronouncing Dictionary.

The formats are `WORD 1 W ER1 D`, with numbered variants, and `WORD(2)  W ER1 D`, with the number of
further variants in brackets. Comments are lines that begin with `;;;`, and text after ` #`.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.errors import InputError
from rnnkit.params.source import Pronunciations

if TYPE_CHECKING:
    import pandas as pd

COMMENT, REMARK = ";;;", "#"
VARIANT = re.compile(r"\(\d+\)$")


def fingerprint(params: Pronunciations) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Pronunciations, part: str | None) -> pd.DataFrame:
    """Columns source (the word), target (phonemes joined by spaces) and group (the word: variants
    stay in one split).

    Args:
        params: the source's block.
        part: always None: there is no column for the split.

    Raises:
        InputError: an invalid file, a line without a phoneme.
    """
    import pandas as pd

    assert part is None
    words, phonemes = [], []
    for number, line in enumerate(opening.read_rows(params.path, params.encoding), start=1):
        if line.startswith(COMMENT) or not line.strip():
            continue
        word, *sounds = line.split()
        sounds = list(takewhile(lambda sound: not sound.startswith(REMARK), sounds))
        if sounds and sounds[0].isdigit():
            sounds = sounds[1:]
        if not sounds:
            raise InputError(
                f"{params.path}, line {number}: a word and its phonemes are needed, but it is "
                f"{line[:40]!r}; correct it or leave it out"
            )
        if not params.stress:
            sounds = [sound.rstrip("012") for sound in sounds]
        words.append(VARIANT.sub("", word).lower())
        phonemes.append(" ".join(sounds))
    frame = pd.DataFrame({"source": words, "target": phonemes}).drop_duplicates(ignore_index=True)
    return frame.assign(group=frame["source"])
