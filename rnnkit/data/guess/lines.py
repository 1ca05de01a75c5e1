"""Files of lines: `.ts`, label and text, pronouncing dictionaries, pairs, plain text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.line_file import Guessed, Lines
from rnnkit.data.guess.tables import pair_option
from rnnkit.data.guess.tagged_lines import conll, conllu
from rnnkit.data.guess.taken import GUESS, Option, counted
from rnnkit.data.guess.texts import LONG_WORDS, text_size, tokenizer
from rnnkit.data.guess.view import View
from rnnkit.data.sources.pairs import COMMENT, VARIANT
from rnnkit.data.sources.texts import FASTTEXT
from rnnkit.params.beginning import Size

MAX_LINE_LABELS = 60
"""Most labels in front of the texts of lines."""
PHONEME = re.compile(r"[A-Z]{1,4}[0-2]?")
SHORT_LINE = 40
"""Mean number of characters up to which lines are items of their own."""
WINDOW_CHARACTERS, WINDOW_WORDS = 100, 35
"""Windows into which a text is cut, in tokens."""
WORD_BYTES = 20_000_000
"""Size of a text from which on it is cut into words."""


def ts(lines: Lines) -> Guessed | None:
    """A .ts file: header lines `@name value`, and cases behind `@data`."""
    names = [row.split()[0].lower() for row in lines.rows if row.startswith("@") and row.split()]
    if "@data" not in names:
        return None
    begin = next(i for i, row in enumerate(lines.rows) if row.lower().startswith("@data"))
    cases = [row for row in lines.rows[begin + 1 :] if row.strip() and row[0] not in "#%@"]
    if not cases:
        return None
    header = " ".join(row.lower() for row in lines.rows[:begin])
    numbers = "@targetlabel true" in header
    total = round(len(cases) * lines.scale)
    steps = sum(case.split(":")[0].count(",") + 1 for case in cases) / len(cases)
    labels = Counter(case.rpartition(":")[2].strip() for case in cases)
    kinds = ["regression"] if numbers else ["classification", "vector"]
    channels = counted(cases[0].count(":"), "channel")
    about = f"{lines.number_of('sequence', total)} of {steps:.0f} steps and {channels} with "
    said = "a number each" if numbers else f"one of {len(labels)} labels each"
    data = {"source": lines.source("ts"), **lines.split(total)}
    options = tuple(
        Option({"kind": kind}, data, Size(total, numbers=True), about + said, lines.remarks())
        for kind in kinds
    )
    return "a .ts file of the UEA and UCR archives", options


def label_text(lines: Lines) -> Guessed | None:
    """Lines of a label and a text."""
    pairs = [row.partition(" ")[::2] for row in lines.rows if row.strip()]
    labels = Counter(label for label, _ in pairs)
    if not all(label and "\t" not in label and text.strip() for label, text in pairs):
        return None
    most = min(MAX_LINE_LABELS, len(pairs) // 5)
    marked = all(label.startswith(FASTTEXT) for label in labels)
    if not 2 <= len(labels) <= (len(pairs) if marked else most):
        return None
    texts = Column("text", [text for _, text in pairs])
    total = round(len(pairs) * lines.scale)
    tokens = tokenizer(texts, total)
    option = Option(
        {"kind": "classification"},
        {
            "source": lines.source("labelled_text", format="label_text"),
            **lines.split(total),
            "tokenizer": tokens,
        },
        text_size(total, tokens),
        f"{lines.number_of('text', total)} with one of {len(labels)} labels each",
        lines.remarks({} if marked else {"data.source.format": f"{GUESS}a label begins each line"}),
    )
    return "lines of a label and a text", (option,)


def pronunciations(lines: Lines) -> Guessed | None:
    """A pronouncing dictionary."""
    entries = [row.split() for row in lines.rows if row.strip() and not row.startswith(COMMENT)]
    sounds = [entry[1 + (len(entry) > 2 and entry[1].isdigit()) :] for entry in entries]
    if not entries or not all(s and all(map(PHONEME.fullmatch, s)) for s in sounds):
        return None
    total = round(len({VARIANT.sub("", entry[0]) for entry in entries}) * lines.scale)
    task = {"kind": "translation", "bleu_tokenizer": "none"}
    option = Option(
        task,
        {
            "source": lines.source("pronunciations"),
            **lines.split(total),
            "tokenizer": {"kind": "characters"},
            "target_tokenizer": {"kind": "words"},
        },
        Size(total, characters=True),
        f"{lines.number_of('word', total)} and their phonemes",
        lines.remarks(),
    )
    return "a pronouncing dictionary", (option,)


def pair_lines(
    path: str,
    sources: Sequence[str],
    targets: Sequence[str],
    total: int,
    given: Mapping[str, Any] | None,
) -> Option:
    """Two files whose lines belong together."""
    columns = Column("source", sources), Column("target", targets)
    view = View(path, {}, {}, columns, total, given)
    return pair_option({"kind": "pairs", "path": path}, *columns, total, view.split(), {})


def plain_text(lines: Lines) -> Guessed | None:
    """Any other text, for language modeling."""
    rows = [row for row in lines.rows if row.strip()]
    if not rows:
        return None
    column = Column("text", rows)
    total = round(len(rows) * lines.scale)
    has_words = any("<unk>" in row for row in rows)
    if has_words or column.letters * total > WORD_BYTES:
        tokens: dict[str, Any] = {"kind": "words", "vocabulary": 10_000}
        window = WINDOW_WORDS
    else:
        tokens, window = {"kind": "characters"}, WINDOW_CHARACTERS
    data: dict[str, Any] = {"source": lines.source("text"), **lines.split(total)}
    data["tokenizer"] = tokens
    remarks = {}
    if column.letters <= SHORT_LINE and column.words <= LONG_WORDS:
        items, about = total, f"{lines.number_of('line', total)}, each an item"
    else:
        data["max_length"] = window
        remarks["data.max_length"] = "tokens of a window; the text is one stream"
        length = column.words if tokens["kind"] == "words" else column.letters + 1
        items, about = (
            max(1, round(length * total / window)),
            f"{lines.number_of('line', total)} of text",
        )
    size = Size(items, characters=tokens["kind"] == "characters")
    option = Option({"kind": "language_modeling"}, data, size, about, lines.remarks(remarks))
    return "plain text", (option,)


FORMS: Sequence[Callable[[Lines], Guessed | None]] = (ts, conllu, conll)
"""Forms that are recognised before tables."""
OTHER_FORMS: Sequence[Callable[[Lines], Guessed | None]] = (
    pronunciations,
    label_text,
    plain_text,
)
"""Forms of files that are no table."""


def guessed(lines: Lines, forms: Sequence[Callable[[Lines], Guessed | None]]) -> Guessed | None:
    """The first form that fits."""
    fits: Iterator[Guessed | None] = (form(lines) for form in forms)
    return next((guess for guess in fits if guess is not None), None)
