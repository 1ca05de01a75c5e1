"""Tokens with tags, one per line, in the format of the CoNLL shared tasks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.errors import InputError
from rnnkit.params.source import Conll

if TYPE_CHECKING:
    import pandas as pd

DOCUMENT = "-DOCSTART-"  # marks a document in CoNLL-2003

SEPARATORS: Mapping[str, Callable[[str], list[str]]] = {
    # str.split() also splits at U+00A0, which may be part of a token
    "whitespace": lambda line: re.split(r"[ \t]+", line.strip(" \t")),
    "tab": lambda line: line.split("\t"),
    "space": lambda line: line.split(" "),
}


def fingerprint(params: Conll) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Conll, part: str | None) -> pd.DataFrame:
    """Columns tokens and tags, lists of str, one row per sentence.

    Args:
        params: the source's block.
        part: must be None: there is no column for the split.

    Raises:
        InputError: an invalid file, a line with too few columns, another number than the first
            line, or empty columns; a token without the prefix; no sentence; a `part`.
    """
    refuse_part(params.path, part)
    divide, width = SEPARATORS[params.separator], 0
    sentences = Sentences()
    for number, line in enumerate(opening.read_rows(params.path, params.encoding), start=1):
        if params.comment is not None and line.startswith(params.comment):
            continue
        columns = divide(line)
        if not line.strip() or columns[0] == DOCUMENT:
            sentences.end()
            continue
        width = width or len(columns)
        where = f"{params.path}, line {number}"
        token, tag = _chosen(where, params, columns, width)
        sentences.add(token, tag)
    return sentences.frame(params.path)


def _chosen(where: str, params: Conll, columns: list[str], width: int) -> tuple[str, str]:
    """Token and tag of a line."""
    needed = max(params.token, params.tag)
    if len(columns) != width or width < needed:
        rule = f"as many columns as the first ({width})" if width >= needed else f"{needed} columns"
        raise InputError(
            f"{where}: every line must have {rule}, but it has {len(columns)}: "
            f"{' '.join(columns)[:40]!r}; correct it, or set data.source.separator, token and tag"
        )
    token, tag = columns[params.token - 1], columns[params.tag - 1]
    if params.token_prefix is not None:
        if not token.startswith(params.token_prefix):
            raise InputError(
                f"{where}: every token must begin with {params.token_prefix!r}, but it is "
                f"{token[:40]!r}; correct it, or leave data.source.token_prefix out"
            )
        token = token.removeprefix(params.token_prefix)
    if not token or not tag:
        raise InputError(
            f"{where}: a token and a tag are needed, but the "
            f"{'tag' if token else 'token'} is empty; fill it in, or set data.source.separator"
        )
    return token, tag


class Sentences:
    """Builds sentences token by token."""

    def __init__(self) -> None:
        self.tokens: list[list[str]] = []
        self.tags: list[list[str]] = []
        self._open = False

    def add(self, token: str, tag: str) -> None:
        """Add a token to the current or a new sentence."""
        if not self._open:
            self.tokens.append([])
            self.tags.append([])
            self._open = True
        self.tokens[-1].append(token)
        self.tags[-1].append(tag)

    def end(self) -> None:
        """End the current sentence."""
        self._open = False

    def frame(self, path: str) -> pd.DataFrame:
        """Columns tokens and tags.

        Raises:
            InputError: no sentence.
        """
        import pandas as pd

        if not self.tokens:
            raise InputError(f"{path}: the file holds no token; name another")
        return pd.DataFrame({"tokens": self.tokens, "tags": self.tags})


def refuse_part(path: str, part: str | None) -> None:
    """Raise InputError for a split by column."""
    if part is not None:
        raise InputError(
            f"{path}: its columns are those of the tokens, and there is no column {part!r}; "
            "use `split: {kind: fractions}` or `split: {kind: files}`"
        )
