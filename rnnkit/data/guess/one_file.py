"""What one file is taken for: by its ending, its first bytes and its first lines."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from rnnkit.data.guess import lines
from rnnkit.data.guess.cells import Column
from rnnkit.data.guess.divided import Divided, divided
from rnnkit.data.guess.line_file import Lines
from rnnkit.data.guess.records import from_json
from rnnkit.data.guess.tables import table_options
from rnnkit.data.guess.taken import GUESS, NotTaken, Taken
from rnnkit.data.guess.view import View
from rnnkit.data.sources import opening
from rnnkit.data.sources.rows import parquet_beginning
from rnnkit.data.sources.tabular import FILE, format_of
from rnnkit.data.sources.unpacking import members, packer
from rnnkit.runtime.disk import user_path

SEEN_BYTES = 4_000_000
"""First bytes of a file that decide what it is."""
SEEN_ROWS = 20_000
"""First rows of a Parquet file."""
READ = (
    "CSV, TSV, JSON lines, Parquet, CoNLL, CoNLL-U, plain text, .ts, JSON piano rolls, pairs of "
    "texts and folders of WAV files are read"
)


def take_file(
    path: str, samples: Sequence[str], share: float, given: Mapping[str, Any] | None
) -> Taken:
    """What a file, or the files of a path, are taken for.

    Args:
        path: as in the params; it may name several files of one form.
        samples: the file, or two of the files, that are looked at.
        share: bytes of all files over those of the samples.
        given: the split that files give.

    Raises:
        InputError: it cannot be read; NotTaken: it has no form that is read.
    """
    sample = samples[0]
    _refuse_other_kinds(path, sample)
    format = format_of(sample, "auto", "")
    content, is_whole = opening.beginning(sample, SEEN_BYTES)
    if format == "parquet" or content.startswith(b"PAR1"):
        return _parquet(path, samples, share, given)
    text, keys, said = _text(path, content)
    rows = text.replace("\r\n", "\n").split("\n")
    if not is_whole or not rows[-1]:
        rows.pop()
    size = user_path(opening.archived(sample)[0]).stat().st_size
    scale = share * len(samples) * (1.0 if is_whole else max(1.0, size / SEEN_BYTES))
    if format == "jsonl" or _is_json(text):
        return from_json(path, sample, text, keys, round(len(rows) * scale), given)
    seen = Lines(path, keys, said, rows, scale, given)
    if guess := lines.guessed(seen, lines.FORMS):
        return Taken(path, *guess)
    table = divided(text, format, is_whole)
    if table is not None:
        columns, file = _joined(table, samples, format)
        view = View(
            path,
            {**keys, **table.keys},
            {**said, **table.remarks},
            columns,
            round(len(columns[0].cells) * scale / len(samples)),
            given,
            file=file,
        )
        if options := table_options(view):
            return Taken(path, table.form, tuple(options))
    if format:
        names = ", ".join(column.name for column in table.columns) if table else "one"
        raise _no_task(path, names)
    guess = lines.guessed(seen, lines.OTHER_FORMS)
    assert guess is not None  # any text is one for language modeling
    return Taken(path, *guess)


def _refuse_other_kinds(path: str, sample: str) -> None:
    """Raise NotTaken for a single recording and for an archive."""
    name = sample.lower()
    if name.endswith(".wav"):
        raise NotTaken(
            f"{path}: is one recording; give the folder of all of them, or the table that names "
            "them with their texts"
        )
    if name.endswith(".zip") and user_path(sample).is_file():
        inside = members(user_path(sample))
        raise NotTaken(
            f"{path}: is an archive; name one of its files, as {path}/{inside[0] if inside else ''}"
        )


def _no_task(path: str, names: str) -> NotTaken:
    return NotTaken(
        f"{path}: no task fits the columns ({names}): no text with a label, two texts, tokens with "
        "tags, times with numbers, or numbers with a target; write the params by hand"
    )


def _joined(
    table: Divided, samples: Sequence[str], format: str
) -> tuple[Sequence[Column], Column | None]:
    """The columns of two files, and a column with the file of each row."""
    if len(samples) == 1:
        return table.columns, None
    content, is_whole = opening.beginning(samples[1], SEEN_BYTES)
    other = divided(_text(samples[1], content)[0], format, is_whole)
    names = [column.name for column in table.columns]
    if other is None or [column.name for column in other.columns] != names:
        raise NotTaken(
            f"{samples[1]}: its columns are not those of {samples[0]}, {', '.join(names)}; name "
            "files of one form, with * for a part of their names"
        )
    pairs = zip(table.columns, other.columns, strict=True)
    columns = [Column(a.name, [*a.cells, *b.cells]) for a, b in pairs]
    return columns, Column(FILE, ["1"] * table.rows + ["2"] * other.rows)


def _is_json(text: str) -> bool:
    first = text.lstrip()[:40].replace(" ", "").replace("\n", "")
    return first.startswith(('{"', "[[[", '[{"'))


def _text(path: str, content: bytes) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The text of a file's first bytes, the key of its encoding, and a remark on it."""
    if packed := packer(content):
        raise NotTaken(f"{path}: is packed by {packed}; unpack it, or pack it by gzip as .gz")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content[: len(content) // 2 * 2].decode("utf-16", errors="ignore")
        return text, {"encoding": "utf-16"}, {}
    if b"\0" in content[:1024]:
        raise NotTaken(f"{path}: is no text, and of no form that is read; {READ}")
    keys, said = {}, {}
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content)
    except UnicodeDecodeError:
        encoding = "cp1252" if any(0x80 <= byte < 0xA0 for byte in content) else "latin-1"
        text = content.decode(encoding, errors="replace")
        keys, said = {"encoding": encoding}, {"encoding": f"{GUESS}it is not UTF-8"}
    if not text.strip():
        raise NotTaken(f"{path}: holds nothing but white space; name another file")
    return text, keys, said


def _parquet(
    path: str, samples: Sequence[str], share: float, given: Mapping[str, Any] | None
) -> Taken:
    beginnings = [parquet_beginning(sample, SEEN_ROWS) for sample in samples]
    first = beginnings[0]
    columns = [
        Column(name, [_cell(value) for b in beginnings for value in b.columns.get(name, ())])
        for name in first.columns
    ]
    if not columns or not columns[0].cells:
        raise NotTaken(f"{path}: holds no rows; name another file")
    keys = {} if format_of(samples[0], "auto", "") == "parquet" else {"format": "parquet"}
    file = None
    if len(samples) > 1:
        counts = [len(next(iter(b.columns.values()))) for b in beginnings]
        file = Column(FILE, [str(i) for i, count in enumerate(counts) for _ in range(count)])
    total = round(sum(b.rows for b in beginnings) * share)
    view = View(path, keys, {}, columns, total, given, first.index, file)
    options = table_options(view)
    if not options:
        raise _no_task(path, ", ".join(column.name for column in columns))
    return Taken(path, f"a Parquet table of {len(columns)} columns", tuple(options))


def _cell(value: Any) -> str | None:
    """A value of a Parquet file as a table of text would have it."""
    if value is None or value != value or isinstance(value, list | dict | bytes):
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str) else str(value)


def head(path: str, encoding: str, count: int = 5_000) -> list[str]:
    """First lines of a text file."""
    content, _ = opening.beginning(path, SEEN_BYTES)
    text = content.decode(encoding, errors="replace")
    return list(chain(text.replace("\r\n", "\n").split("\n")))[:count]


def size_of(path: str) -> int:
    """Bytes of a file on disk, at least 1."""
    return max(1, Path(opening.archived(path)[0]).stat().st_size)
