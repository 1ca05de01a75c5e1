"""Word forms and one of their tags from a Universal Dependencies treebank in CoNLL-U.

Reference: https://universaldependencies.org/format.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.data.sources.conll import Sentences, refuse_part
from rnnkit.errors import InputError
from rnnkit.params.source import Conllu

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "id",
    "form",
    "lemma",
    "upos",
    "xpos",
    "feats",
    "head",
    "deprel",
    "deps",
    "misc",
)
WORD = re.compile(r"\d+")
NO_WORD = re.compile(r"\d+-\d+|\d+\.\d+")  # a multi-word token, an empty node


def fingerprint(params: Conllu) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Conllu, part: str | None) -> pd.DataFrame:
    """Columns tokens (forms) and tags, lists of str, one row per sentence.

    Lines that begin with `#` are comments; a word `#` is in the second column.

    Args:
        params: the source's block.
        part: must be None: there is no column for the split.

    Raises:
        InputError: an invalid file, a line without ten columns, an invalid id, an empty form or
            tag; no sentence; a `part`.
    """
    refuse_part(params.path, part)
    sentences = Sentences()
    for number, line in enumerate(opening.read_rows(params.path, params.encoding), start=1):
        if line.startswith("#"):
            continue
        if not line.strip():
            sentences.end()
            continue
        where = f"{params.path}, line {number}"
        columns = line.split("\t")
        if len(columns) != len(COLUMNS):
            raise InputError(
                f"{where}: a word of CoNLL-U has 10 columns with tabs between, but there are "
                f"{len(columns)}: {line[:40]!r}; correct it, or use `source: {{kind: conll}}`"
            )
        if NO_WORD.fullmatch(columns[0]):
            continue
        if not WORD.fullmatch(columns[0]):
            raise InputError(
                f"{where}: the first column must be a number such as 3, 3-4 or 8.1, but it is "
                f"{columns[0][:40]!r}; correct the line"
            )
        form, tag = columns[1], columns[COLUMNS.index(params.tag)]
        if not form or not tag:
            raise InputError(
                f"{where}: a form and a tag are needed, but the "
                f"{params.tag if form else 'form'} is empty; write `_` where there is none"
            )
        sentences.add(form, tag)
    return sentences.frame(params.path)
