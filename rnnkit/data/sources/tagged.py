"""Tokens with tags: JSONL, the columns of the CoNLL shared tasks, and CoNLL-U treebanks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rnnkit.data.sources.jsonl import fault, objects
from rnnkit.data.sources.opening import numbered_rows
from rnnkit.data.sources.tabular import format_of, shown
from rnnkit.errors import InputError, closest
from rnnkit.params.source import Conll, Conllu, Tokens

if TYPE_CHECKING:
    import pandas as pd

DOCUMENT = "-DOCSTART-"  # marks a document in CoNLL-2003
SEPARATORS: Mapping[str, Callable[[str], list[str]]] = {
    # str.split() also splits at U+00A0, which may be part of a token
    "whitespace": lambda line: re.split(r"[ \t]+", line.strip(" \t")),
    "tab": lambda line: line.split("\t"),
    "space": lambda line: line.split(" "),
}
COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""Columns of CoNLL-U, https://universaldependencies.org/format.html."""
WORD = re.compile(r"\d+")
NO_WORD = re.compile(r"\d+-\d+|\d+\.\d+")  # a multi-word token, an empty node

Words = Iterator[tuple[str, str] | None]
"""(token, tag) of each word; None ends a sentence."""


def read_tokens(params: Tokens, split: str | None) -> pd.DataFrame:
    """Columns tokens and tags (lists of str), and optional group and part."""
    import pandas as pd

    if format_of(params.path, "auto", "jsonl") != "jsonl":
        raise InputError(
            f"{params.path}: tokens are read from JSONL, and this is a table; use `source: "
            "{kind: token_table}`, which reads a row for every token"
        )
    names = {"tokens": params.tokens, "tags": params.tags, "group": params.group, "part": split}
    keys = {field: key for field, key in names.items() if key is not None}
    columns: dict[str, list[Any]] = {field: [] for field in keys}
    for where, record in objects(params.path, params.encoding):
        for field, key in keys.items():
            if key not in record:
                raise InputError(
                    f"{where}: there is no key {key!r}{closest(key, list(record))}; "
                    f"the keys are {', '.join(record)}; name the right one in the params"
                )
            columns[field].append(record[key])
        if params.group is not None and shown(record[params.group]) == "empty":
            raise InputError(
                f"{where}: every line must say to which group it belongs, but {params.group!r} is "
                "empty; fill it in or leave the line out"
            )
        _check(where, [(key, record[key]) for key in (params.tokens, params.tags)])
        for key in filter(None, (params.group, split)):
            if reason := fault(record[key]):
                raise InputError(f"{where}: {key!r} {reason}; correct it or leave the line out")
    return pd.DataFrame(columns)


def _check(where: str, lists: list[tuple[str, Any]]) -> None:
    for key, value in lists:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(
                f"{where}: {key!r} must be a list of texts, but it is {str(value)[:40]!r}; "
                'write it as ["…", "…"]'
            )
        if reason := next(filter(None, map(fault, value)), None):
            raise InputError(f"{where}: a text of {key!r} {reason}; correct it or leave it out")
    tokens, tags = (len(value) for _, value in lists)
    if tokens != tags:
        raise InputError(
            f"{where}: every token needs one tag, but there are {tokens} tokens and {tags} tags; "
            "correct the line"
        )
    if not tokens:
        raise InputError(
            f"{where}: at least one token is needed, but the list is empty; leave the line out"
        )


def read_conll(params: Conll) -> pd.DataFrame:
    """Columns tokens and tags, lists of str, one row per sentence."""
    widths: dict[int, str] = {}
    frame = _sentences(params.path, _conll(params, widths))
    if len(widths) > 1:
        few, many = min(widths), max(widths)
        frame.attrs["notes"] = [
            f"sentences have from {few} ({widths[few]}) to {many} columns ({widths[many]}); the "
            f"token is column {params.token} and the tag column {params.tag} of all"
        ]
    return frame


def read_conllu(params: Conllu) -> pd.DataFrame:
    """Columns tokens (forms) and tags, lists of str, one row per sentence."""
    return _sentences(params.path, _conllu(params))


def _sentences(path: str, words: Words) -> pd.DataFrame:
    import pandas as pd

    runs = groupby(words, key=lambda word: word is None)
    sentences = [[word for word in run if word] for ended, run in runs if not ended]
    if not sentences:
        raise InputError(f"{path}: the file holds no token; name another")
    tokens = [[token for token, _ in sentence] for sentence in sentences]
    frame = pd.DataFrame({"tokens": tokens, "tags": [[tag for _, tag in s] for s in sentences]})
    if len(sentences) == 1:
        frame.attrs["single"] = (
            f"{path} is one sentence of {len(tokens[0]):,} tokens, because no blank line ends one; "
            "write a blank line after each sentence"
        )
    return frame


def _conll(params: Conll, widths: dict[int, str]) -> Words:
    """Sets `widths`: number of columns -> first sentence with so many, as file and line."""
    divide, width = SEPARATORS[params.separator], 0
    needed = max(params.token, params.tag)
    for where, line in numbered_rows(params.path, params.encoding):
        if params.comment is not None and line.startswith(params.comment):
            continue
        columns = divide(line)
        if not line.strip() or columns[0] == DOCUMENT:
            width = 0
            yield None
            continue
        width = width or len(columns)
        widths.setdefault(width, where.rpartition(", ")[2])
        if len(columns) != width or width < needed:
            rule = f"as many columns as the first of its sentence ({width})"
            rule = rule if width >= needed else f"{needed} columns"
            raise InputError(
                f"{where}: every line must have {rule}, but it has {len(columns)}: "
                f"{' '.join(columns)[:40]!r}; correct it, or set data.source.separator, token, tag "
                "and comment"
            )
        token, tag, prefix = columns[params.token - 1], columns[params.tag - 1], params.token_prefix
        if prefix is not None and not token.startswith(prefix):
            raise InputError(
                f"{where}: every token must begin with {prefix!r}, but it is "
                f"{token[:40]!r}; correct it, or leave data.source.token_prefix out"
            )
        token = token.removeprefix(prefix or "")
        if not token or not tag:
            raise InputError(
                f"{where}: a token and a tag are needed, but the "
                f"{'tag' if token else 'token'} is empty; fill it in, or set data.source.separator"
            )
        yield token, tag


def _conllu(params: Conllu) -> Words:
    """Lines that begin with `#` are comments; a word `#` is in the second column."""
    for where, line in numbered_rows(params.path, params.encoding):
        if line.startswith("#"):
            continue
        if not line.strip():
            yield None
            continue
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
        yield form, tag
