"""Pairs of texts: two files aligned by line, a table, or a pronouncing dictionary."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.tabular import TableFile, format_of, refuse_blank
from rnnkit.data.sources.texts import refuse_columns_of_lines
from rnnkit.errors import InputError
from rnnkit.params.source import Pairs, Pronunciations
from rnnkit.runtime.files import sha256_json

if TYPE_CHECKING:
    import pandas as pd

COMMENT, REMARK = ";;;", "#"  # of a pronouncing dictionary: a line, the end of a line
VARIANT = re.compile(r"\(\d+\)$")


def pairs_sha256(params: Pairs) -> str:
    """SHA-256 of the file or both files."""
    return sha256_json([opening.fingerprint(path) for path in _files(params)])


def read_pairs(params: Pairs, split: str | None) -> pd.DataFrame:
    """Columns source, target, and optional group and part."""
    import pandas as pd

    files = _files(params)
    if len(files) == 2:
        refuse_columns_of_lines(params, split)
        return _aligned(files, params.encoding)
    if format_of(params.path, params.format, "lines") == "lines":
        rows = opening.read_rows(params.path, params.encoding)
        if "\t" not in next((row for row in rows if row.strip()), "\t"):
            raise InputError(
                f"{params.path}: pairs are a table, with tabs between its columns, or two files "
                "with a line for each; name both of these in braces, as in text.{en,de}"
            )
    file = TableFile(params, "tsv")
    columns = file.chosen(split, "source", "target", "group")
    for field in ("source", "target"):
        refuse_blank(columns[field], file.at)
    frame = pd.DataFrame(columns)
    frame.attrs["notes"] = file.notes
    return frame


def _files(params: Pairs) -> list[str]:
    """The table, or the source and target files."""
    files = [path for _, path in opening.alternatives(params.path)]
    if len(files) not in (1, 2):
        raise InputError(
            f"{params.path}: a pair has two sides, so the braces must hold two names, but they "
            f"hold {len(files)}; name the source's and the target's, as in `train.{{de,en}}`"
        )
    return files


def _aligned(files: list[str], encoding: str) -> pd.DataFrame:
    import pandas as pd

    sides = [list(opening.numbered_rows(path, encoding)) for path in files]
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{files[0]} has {len(sides[0]):,} lines and {files[1]} {len(sides[1]):,}; line by "
            "line they must belong together, so write the missing ones or leave out the rest"
        )
    for where, row in (*sides[0], *sides[1]):
        if not row.strip():
            raise InputError(
                f"{where}: both lines of a pair must hold text, but this one is empty; fill it in, "
                "or leave the line out of both files"
            )
    texts = ([row for _, row in side] for side in sides)
    return pd.DataFrame(dict(zip(("source", "target"), texts, strict=True)))


def read_pronunciations(params: Pronunciations) -> pd.DataFrame:
    """Columns source (the word), target (phonemes joined by spaces) and group (the word: variants
    stay in one split).

    The formats of the CMU Pronouncing Dictionary are `WORD 1 W ER1 D`, with numbered variants, and
    `WORD(2)  W ER1 D`, with the number of further variants in brackets. Comments are lines that
    begin with `;;;`, and text after ` #`.
    """
    import pandas as pd

    rows = []
    for where, line in opening.numbered_rows(params.path, params.encoding):
        if line.startswith(COMMENT) or not line.strip():
            continue
        word, *sounds = line.split()
        sounds = list(takewhile(lambda sound: not sound.startswith(REMARK), sounds))
        if sounds and sounds[0].isdigit():
            sounds = sounds[1:]
        if not sounds:
            raise InputError(
                f"{where}: a word and its phonemes are needed, but it is "
                f"{line[:40]!r}; correct it or leave it out"
            )
        if not params.stress:
            sounds = [sound.rstrip("012") for sound in sounds]
        rows.append((VARIANT.sub("", word).lower(), " ".join(sounds)))
    frame = pd.DataFrame(rows, columns=["source", "target"]).drop_duplicates(ignore_index=True)
    return frame.assign(group=frame["source"])
