"""Tokens in columns, a line for each: CoNLL and CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rnnkit.data.guess.line_file import Guessed, Lines
from rnnkit.data.guess.taken import GUESS, Option
from rnnkit.data.sources.tagged import COLUMNS, DOCUMENT, NO_WORD, SEPARATORS, WORD
from rnnkit.params.beginning import Size

CONLL = (".conll", ".bio", ".iob", ".iob2", ".bioes", ".conll2003")
"""Endings of files of tokens in columns."""
MAX_TAGS = 400
"""Most tags of a file of tokens in columns."""


def conllu(lines: Lines) -> Guessed | None:
    """A treebank: ten columns with tabs between, numbered words, comments, blank lines."""
    words = [row.split("\t") for row in lines.rows if row.strip() and not row.startswith("#")]
    if not words or any(len(word) != len(COLUMNS) for word in words):
        return None
    if not all(WORD.fullmatch(word[0]) or NO_WORD.fullmatch(word[0]) for word in words):
        return None
    tags = Counter(word[COLUMNS.index("upos")] for word in words)
    sentences = _groups(lines.rows)
    total = round(len(sentences) * lines.scale)
    tag = "upos" if set(tags) != {"_"} else "xpos"
    option = Option(
        {"kind": "tagging"},
        {
            "source": lines.source("conllu", tag=tag),
            **lines.split(total),
            "tokenizer": _words(word[1] for word in words),
        },
        Size(total),
        f"{lines.number_of('sentence', total)} with one of {len(tags)} tags for each word",
        lines.remarks({"data.source.tag": "or xpos, feats, deprel"}),
    )
    return "a treebank in CoNLL-U", (option,)


def conll(lines: Lines) -> Guessed | None:
    """Tokens in columns, a blank line after each sentence."""
    is_named = lines.path.lower().removesuffix(".gz").endswith(CONLL)
    kept = [row for row in lines.rows if not row.startswith(("# ", "#\t", DOCUMENT))]
    has_comments = any(row.startswith("# ") for row in lines.rows)
    sentences = _groups(kept)
    if not sentences or (not is_named and (len(sentences) < 2 or len(kept) < 2 * len(sentences))):
        return None
    tabs = all("\t" in row for sentence in sentences for row in sentence)
    divide = SEPARATORS["tab" if tabs else "whitespace"]
    rows = [[divide(row) for row in sentence] for sentence in sentences]
    widths = Counter(len(columns) for sentence in rows for columns in sentence)
    width, count = widths.most_common(1)[0]
    if width < 2 or count < sum(widths.values()):
        return None
    columns = list(zip(*(columns for sentence in rows for columns in sentence), strict=True))
    token = 1 if all(map(WORD.fullmatch, columns[0])) and width > 2 else 0
    tags = Counter(columns[-1])
    many = len(tags) > min(MAX_TAGS, len(columns[0]) // 3)
    if not is_named and (many or len(set(columns[token])) <= len(tags)):
        return None
    keys: dict[str, Any] = {"separator": "tab"} if tabs else {}
    if token:
        keys["token"] = token + 1
    keys["tag"] = width
    if has_comments:
        keys["comment"] = "# "
    prefix = re.match(r"[a-z]{2,3}:", columns[token][0])
    if prefix and all(word.startswith(prefix[0]) for word in columns[token]):
        keys["token_prefix"] = prefix[0]
    total = round(len(sentences) * lines.scale)
    remarks = {"data.source.tag": f"{GUESS}the last of {width} columns"} if width > 2 else {}
    option = Option(
        {"kind": "tagging"},
        {
            "source": lines.source("conll", **keys),
            **lines.split(total),
            "tokenizer": _words(columns[token]),
        },
        Size(total),
        f"{lines.number_of('sentence', total)} with one of {len(tags)} tags for each token",
        lines.remarks(remarks),
    )
    return f"tokens in {width} columns, as in CoNLL", (option,)


def _groups(rows: Sequence[str]) -> list[list[str]]:
    """Runs of lines between blank ones, without comments."""
    runs = groupby(rows, key=lambda row: bool(row.strip()))
    return [list(run) for filled, run in runs if filled]


def _words(tokens: Any) -> dict[str, Any]:
    has_capitals = any(token != token.lower() for token in tokens)
    return {"kind": "words", **({"lowercase": True} if has_capitals else {})}
