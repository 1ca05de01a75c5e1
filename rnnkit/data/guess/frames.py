"""Tables of numbers: sequences of frames, and vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rnnkit.data.guess import roles
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.features import complete
from rnnkit.data.guess.taken import GUESS, Option, counted
from rnnkit.data.guess.view import View
from rnnkit.params.beginning import Size

MIN_FRAMES = 3
"""Mean number of frames of a sequence."""


def frame_options(view: View) -> Iterator[Option]:
    """Rows that a column gathers to sequences, with a label for each sequence or each row."""
    sequence = _sequence(view)
    if sequence is None:
        return
    others = [c for c in view.columns if c is not sequence and c is not view.part and not c.empty]
    others = [c for c in others if not view.is_time(c)]
    constant = [c for c in others if _is_constant(c, sequence) and len(c.counts) > 1]
    labels = [c for c in constant if c.is_category or c.is_named(roles.LABEL)]
    label = roles.named(labels, roles.LABEL) or next(
        (c for c in labels if not c.is_number), next(iter(reversed(labels)), None)
    )
    is_per_frame = label is None
    if label is None:
        named = [c for c in others if c.is_named(roles.LABEL) or not c.is_number]
        label = next((c for c in named if c.is_category), None)
    if label is None:
        return
    read = complete(view, [sequence, label])
    if not read.columns:
        return
    begins = len(sequence.counts)
    count = round(begins * view.scale)
    size = Size(count, numbers=True)
    labels_of = "per_frame" if is_per_frame else "per_sequence"
    source = view.source("frames", sequence=sequence.name, label=label.name, labels=labels_of)
    remarks = dict(read.remarks)
    if view.times is not None:
        rows = {*zip(sequence.cells, view.times.read.times, strict=True)}
        if len(rows) == len(sequence.cells):
            names = view.times.names
            source["time"] = names if isinstance(names, str) else list(names)
            source |= view.times.read.keys
        else:
            read.keys["columns"] = [column.name for column in read.columns]
            remarks["data.source.columns"] = f"left out: {view.times.names} (times occur again)"
    data = {"source": {**source, **read.keys}, **view.split()}
    if not sequence.is_named(roles.SEQUENCE):
        remarks["data.source.sequence"] = GUESS + "equal values follow one another"
    if not label.is_named(roles.LABEL):
        remarks["data.source.label"] = GUESS + "few values"
    about = f"{view.number_of('sequence', count)} of {view.rows / begins:.0f} rows"
    said = view.remarks(remarks)
    labelled = f"{about} with one of {len(label.counts)} labels each"
    if is_per_frame:
        yield Option({"kind": "tagging"}, data, size, f"{labelled} row", said)
        return
    values = Option({"kind": "regression"}, data, size, f"{about} with a number each", said)
    if label.is_category:
        yield Option({"kind": "classification"}, data, size, labelled, said)
    if label.is_number:
        yield values


def _sequence(view: View) -> Column | None:
    """The column whose equal values are a sequence."""
    columns = [*view.columns, *([view.file] if view.file is not None else [])]
    fits = [
        column
        for column in columns
        if not column.empty
        and not view.is_time(column)
        and column is not view.part
        and (column.is_whole or not column.is_number)
        and 1 < len(column.counts) <= len(column.cells) / MIN_FRAMES
    ]
    if (chosen := roles.named(fits, roles.SEQUENCE)) is not None:
        return chosen
    follow = [c for c in fits if sum(1 for _ in groupby(c.cells)) == len(c.counts) > 2]
    return max(follow, key=lambda c: len(c.counts), default=None)


def _is_constant(column: Column, sequence: Column) -> bool:
    """Whether a column has one value in each sequence."""
    values: dict[Any, set[Any]] = defaultdict(set)
    for name, cell in zip(sequence.cells, column.cells, strict=True):
        values[name].add(cell)
    return all(len(cells) == 1 for cells in values.values())


def vector_options(view: View) -> Iterator[Option]:
    """A vector in each row, with a label, a number or a text."""
    if "row_names" in view.keys:
        return
    columns = [
        c
        for c in view.columns
        if c is not view.part and not c.empty and len(c.counts) > 1 and not roles.is_numbering(c)
    ]
    target = roles.named(columns, roles.LABEL) or next(
        (c for c in columns if not c.is_number and c.is_category), columns[-1] if columns else None
    )
    if target is None:
        return
    read = complete(view, [target])
    if not read.columns:
        return
    source = view.source("vectors", targets=[target.name]) | read.keys
    data = {"source": source, **view.split()}
    size = Size(view.total, numbers=True)
    remarks = dict(read.remarks)
    if not target.is_named(roles.LABEL):
        remarks["data.source.targets"] = GUESS + "the column to predict"
    about = f"{view.number_of('vector')} of {counted(len(read.columns), 'number')}"
    said = view.remarks(remarks)
    if target.is_category:
        yield Option(
            {"kind": "vector"},
            data,
            size,
            f"{about} with one of {len(target.counts)} labels each",
            said,
        )
    elif target.is_number:
        task = {"kind": "vector", "loss": "squared"}
        yield Option(task, data, size, f"{about} with a number each", said)
    if not target.is_number:
        text = {**data, "tokenizer": {"kind": "characters"}}
        task = {"kind": "captioning", "bleu_tokenizer": "char"}
        yield Option(task, text, size, f"{about} with a text each", said)
