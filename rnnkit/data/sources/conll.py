"""Tokens with a tag each, a line for every token, as the CoNLL shared tasks have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rnnkit.data.sources import opening
from rnnkit.errors import InputError
from rnnkit.params.source import Conll

if TYPE_CHECKING:
    import pandas as pd

DOCUMENT = "-DOCSTART-"  # begins a document in CoNLL-2003; no token

SEPARATORS: Mapping[str, Callable[[str], list[str]]] = {
    # str.split() would break at U+00A0 too, which may stand inside a token
    "whitespace": lambda line: re.split(r"[ \t]+", line.strip(" \t")),
    "tab": lambda line: line.split("\t"),
    "space": lambda line: line.split(" "),
}


def fingerprint(params: Conll) -> str:
    """SHA-256 of the file."""
    return opening.fingerprint(params.path)


def read(params: Conll, part: str | None) -> pd.DataFrame:
    """Columns tokens and tags, lists of str, a row for each sentence.

    Args:
        params: the source's block.
        part: must be None, for the columns are the tokens' and none says train, valid or test.

    Raises:
        InputError: a bad file, a line whose columns are too few, more or fewer than the first
            line's, or empty; a token without the prefix; no sentence; a part is asked for.
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
    """The token and the tag of a line."""
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
    """Sentences that grow token by token."""

    def __init__(self) -> None:
        self.tokens: list[list[str]] = []
        self.tags: list[list[str]] = []
        self._open = False

    def add(self, token: str, tag: str) -> None:
        """A token of the sentence that is under way, or of a new one."""
        if not self._open:
            self.tokens.append([])
            self.tags.append([])
            self._open = True
        self.tokens[-1].append(token)
        self.tags[-1].append(tag)

    def end(self) -> None:
        """The next token begins a sentence."""
        self._open = False

    def frame(self, path: str) -> pd.DataFrame:
        """Columns tokens and tags.

        Raises:
            InputError: there is no sentence.
        """
        import pandas as pd

        if not self.tokens:
            raise InputError(f"{path}: the file holds no token; name another")
        return pd.DataFrame({"tokens": self.tokens, "tags": self.tags})


def refuse_part(path: str, part: str | None) -> None:
    """Raise InputError where a column of parts is asked for."""
    if part is not None:
        raise InputError(
            f"{path}: its columns are those of the tokens, and there is no column {part!r}; "
            "use `split: {kind: fractions}` or `split: {kind: files}`"
        )
