"""Tables: which columns are texts, labels, tokens, times and numbers, and the tasks they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rnnkit.data.guess import roles
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.frames import frame_options, vector_options
from rnnkit.data.guess.series import series_options
from rnnkit.data.guess.taken import GUESS, Option, counted
from rnnkit.data.guess.texts import LONG_WORDS, text_size, tokenizer
from rnnkit.data.guess.view import View
from rnnkit.params.beginning import Size


def table_options(view: View, is_json: bool = False) -> list[Option]:
    """The tasks that a table fits, the likeliest first, each once.

    Args:
        is_json: whether the file is JSONL, which holds no tables of numbers.
    """
    options: dict[str, Option] = {}
    for reader in JSON_READERS if is_json else READERS:
        for option in reader(view):
            options.setdefault(option.kind, option)
        if options:
            break
    return list(options.values())


def _recordings(view: View) -> Iterator[Option]:
    """A row for each recording."""
    columns = [c for c in view.columns if c.filled]
    audio = next((c for c in columns if all(x.lower().endswith(".wav") for x in c.filled)), None)
    if audio is None or audio.empty:
        return
    texts = [c for c in columns if c is not audio and c is not view.part and not c.empty]
    text = roles.named(texts, roles.TEXT | roles.LABEL) or next(
        (c for c in texts if not c.is_number), next(iter(texts), None)
    )
    if text is None:
        return
    source = view.source("audio", audio=audio.name, text=text.name)
    yield from recording_options(view, source, text)


def recording_options(view: View, source: Mapping[str, Any], text: Column) -> Iterator[Option]:
    """Transcription and classification of recordings, the likelier first."""
    size = Size(view.total, numbers=True)
    about = view.number_of("recording")
    split = view.split()
    remarks = view.remarks()
    transcription = Option(
        {"kind": "transcription"},
        {"source": source, **split, "tokenizer": tokenizer(text, size.items)},
        size,
        f"{about} with their transcripts",
        remarks,
    )
    if not text.is_category:
        yield transcription
        return
    classification = Option(
        {"kind": "classification"},
        {"source": source, **split},
        size,
        f"{about} with one of {len(text.counts)} labels each",
        remarks,
    )
    is_label = text.is_named(roles.LABEL) or text.words < LONG_WORDS
    yield from (classification, transcription) if is_label else (transcription, classification)


def _tokens(view: View) -> Iterator[Option]:
    """A row for every token."""
    token = roles.named(view.columns, roles.TOKEN)
    tag = roles.named([c for c in view.columns if c is not token], roles.TAG)
    rest = [c for c in view.columns if c is not token and c is not tag]
    sentence = roles.named(rest, roles.SENTENCE) or next(filter(_runs, rest), None)
    if token is None or tag is None or sentence is None or len(token.counts) < len(tag.counts):
        return
    source = view.source(
        "token_table", token=token.name, tag=tag.name, sentence=sentence.name, numbers=False
    )
    begins = sum(1 for _ in groupby(c for c in sentence.cells if c and c.strip()))
    count = round(begins * view.scale)
    yield Option(
        {"kind": "tagging"},
        {"source": source, **view.split()},
        Size(count),
        f"{view.number_of('sentence', count)} with one of {len(tag.counts)} tags for each token",
        view.remarks(),
    )


def _runs(column: Column) -> bool:
    """Whether equal cells, or a cell and the empty ones below it, follow one another."""
    runs = sum(1 for _ in groupby(c for c in column.cells if c and c.strip()))
    return 1 < runs == len(column.counts) <= len(column.cells) // 2


def _texts(view: View) -> Iterator[Option]:
    """Texts with labels, numbers or other texts."""
    columns = [c for c in view.columns if c is not view.part and c.filled]
    texts = [c for c in columns if not c.is_number and not view.is_time(c) and not c.empty]
    source = roles.named(texts, roles.SOURCE)
    target = roles.named([c for c in texts if c is not source], roles.TARGET)
    if source and target and not target.is_category:
        yield _pairs(view, source, target)
        return
    labels = [c for c in columns if not c.empty and (c.is_category or c.is_named(roles.LABEL))]
    long = [
        c
        for c in texts
        if c.words > LONG_WORDS or c.is_named(roles.TEXT - roles.LABEL) or not c.is_category
    ]
    numbers = [c for c in columns if c.is_number and not roles.is_numbering(c)]
    text = roles.named(long, roles.TEXT) or max(long, key=lambda c: c.letters, default=None)
    if text is None or len(numbers) > MAX_NUMBERS_BESIDE_TEXT or view.times is not None:
        return
    labels = [c for c in labels if c is not text]
    label = roles.named(labels, roles.LABEL) or next(iter(labels), None)
    others = [c for c in long if c is not text]
    if label is None and others:
        first, second = sorted((text, others[0]), key=view.columns.index)
        yield _pairs(view, first, second)
        return
    label = label or next((c for c in numbers if not c.empty), None)
    if label is None:
        return
    yield from _labelled(view, text, label)


MAX_NUMBERS_BESIDE_TEXT = 6
"""A table with more columns of numbers is one of numbers."""


def _labelled(view: View, text: Column, label: Column) -> Iterator[Option]:
    source = view.source("labelled_text", text=text.name, label=label.name)
    tokens = tokenizer(text, view.total)
    size = text_size(view.total, tokens)
    data = {"source": source, **view.split(), "tokenizer": tokens}
    remarks = view.remarks(
        {
            "data.source.text": _alternative(view, text),
            "data.source.label": "" if label.is_named(roles.LABEL) else f"{GUESS}few values",
        }
    )
    about = view.number_of("text")
    values = Option({"kind": "regression"}, data, size, f"{about} with a number each", remarks)
    if label.is_number and not label.is_category:
        yield values
        return
    yield Option(
        {"kind": "classification"},
        data,
        size,
        f"{about} with one of {len(label.counts)} labels each",
        remarks,
    )
    if label.is_number:
        yield values
    generated = {**data, "tokenizer": tokens}
    characters = {"bleu_tokenizer": "char"} if tokens["kind"] == "characters" else {}
    yield Option(
        {"kind": "captioning", **characters},
        generated,
        size,
        f"{about} of {len(label.counts)} categories, from which they are generated",
        remarks,
    )


def _alternative(view: View, chosen: Column) -> str:
    """A remark where other columns hold long texts, too."""
    others = [c.name for c in view.columns if c is not chosen and c.words > LONG_WORDS]
    return f"{GUESS}there are also {', '.join(others)}" if others else ""


def _pairs(view: View, source: Column, target: Column) -> Option:
    return pair_option(
        view.source("pairs", source=source.name, target=target.name, numbers=False),
        source,
        target,
        view.total,
        view.split(),
        view.remarks(
            {"data.source.source": GUESS + "the column to the left"}
            if not (source.is_named(roles.SOURCE) and target.is_named(roles.TARGET))
            else {}
        ),
    )


def pair_option(
    block: Mapping[str, Any],
    source: Column,
    target: Column,
    total: int,
    split: Mapping[str, Any],
    remarks: Mapping[str, str],
) -> Option:
    """Translation from one column of texts into another."""
    tokens, target_tokens = tokenizer(source, total), tokenizer(target, total)
    other = {"target_tokenizer": target_tokens} if target_tokens != tokens else {}
    task = {"bleu_tokenizer": "char"} if target_tokens["kind"] == "characters" else {}
    return Option(
        {"kind": "translation", **task},
        {"source": block, **split, "tokenizer": tokens, **other},
        text_size(total, tokens),
        f"{counted(total, 'pair', total == len(source.cells))} of texts",
        remarks,
    )


READERS: Sequence[Callable[[View], Iterator[Option]]] = (
    _recordings,
    _tokens,
    _texts,
    series_options,
    frame_options,
    vector_options,
)
"""In this order; the first that fits decides, with all its tasks."""
JSON_READERS = (_recordings, _texts)
"""Those of JSONL."""
