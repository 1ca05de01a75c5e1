"""Limits of input files: each is told in one line, and nothing near one fills the memory."""

import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import soundfile
from recordings import table
from source_files import read, write

from rnnkit.data.sources import limits, opening
from rnnkit.data.sources.delimited import column_names
from rnnkit.data.sources.own_form import is_own_form
from rnnkit.data.sources.tabular import TableFile
from rnnkit.data.word_vectors import read_vectors
from rnnkit.errors import InputError
from rnnkit.params.source import (
    TS,
    Audio,
    Conll,
    LabelledText,
    PianoRolls,
    Table,
    Tokens,
    Vectors,
)
from rnnkit.params.source import Text as PlainText
from rnnkit.tasks.items import numbers

LONG = limits.MAX_LINE + 1
NESTED = limits.MAX_NESTING + 1


def zipped(folder: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(folder / "a.zip", "w", method) as packed:
        packed.writestr("a.csv", content)
    return f"{folder}/a.zip/a.csv"


def patched(folder: Path, offset: int, change: Callable[[int], int]) -> str:
    """A .zip with a changed field of its member's header, here and in the directory."""
    path = zipped(folder, b"text,label\na,b\n" * 100)
    raw = bytearray((folder / "a.zip").read_bytes())
    for place in (offset, raw.index(b"PK\x01\x02") + offset + 2):
        raw[place] = change(raw[place])
    (folder / "a.zip").write_bytes(raw)
    return path


TEXTS = {
    "fields in a row": (
        LabelledText,
        "a.csv",
        lambda: "text,label\n" + "ab," * (LONG // 3 + 1),
        r"a\.csv, line 2: a line may have 16,777,216 characters at most, but it has 16,777,2",
    ),
    "columns": (
        Vectors,
        "a.csv",
        lambda: "a," * limits.MAX_COLUMNS + "b\n1,2\n",
        r"a\.csv, line 1: a table may have 50,000 columns at most, but this one has 50,001; leave",
    ),
    "missing fields": (
        Vectors,
        "a.csv",
        lambda: "a," * 99 + "b\n" + "1\n" * 101_011,
        r"a\.csv, line 101012: the rows of a table may lack 10,000,000 fields in all, but they la",
    ),
    "a quote": (
        LabelledText,
        "a.csv",
        lambda: 'text,label\na,b\n"' + "a text,b\n" * (LONG // 8),
        r"a\.csv, line 3: a row may have 16,777,216 characters at most, but a quote is opened and "
        r"not closed in as many; close it",
    ),
    "a quote in a line": (
        LabelledText,
        "a.csv",
        lambda: 'text,label\na,"' + "b" * LONG,
        r"a\.csv, line 2: a line may have 16,777,216 characters at most, but it has 16,777,220",
    ),
    "a label and a text": (
        LabelledText,
        "a.txt",
        lambda: "a b\na " + "b" * LONG,
        r"a\.txt, line 2: a line may have 16,777,216 characters at most, but it has 16,777,219",
    ),
    "columns of CoNLL": (Conll, "a.conll", lambda: "a " * LONG, r"line 1: a line may have 16,777"),
    "values of a case": (TS, "a.ts", lambda: "@data\n" + "1," * LONG, r"line 2: a line may have"),
    "lines": (
        PlainText,
        "a.txt",
        lambda: "a" + "\n" * (limits.MAX_LINES + 1),
        r"a\.txt: a file may have 50,000,000 lines, but it has 50,000,001; name a part of it",
    ),
    "an object": (Tokens, "a.jsonl", lambda: '{"a": [' + "[]," * LONG, r"line 1: a line may have"),
    "a JSON file": (
        PianoRolls,
        "a.json",
        lambda: "[[" + "[]," * (limits.MAX_JSON // 3) + "[]]]",
        r"a\.json: the file must be JSON of no more than 33,554,432 characters, but it has 33,554",
    ),
    "nested lists of tokens": (
        Tokens,
        "a.jsonl",
        lambda: '{"tokens": ' + "[" * NESTED + "]" * NESTED + ', "tags": []}\n',
        r"line 1: every line must be one JSON object of no more than 100 lists and objects within",
    ),
    "lists nested beyond Python": (
        PianoRolls,
        "a.json",
        lambda: "[" * 3_000 + "]" * 3_000,
        r"a\.json: the file must be JSON of no more than 100 lists and objects within one another",
    ),
    "keys": (
        LabelledText,
        "a.jsonl",
        lambda: "".join(f'{{"text": "a", "label": "b", "{k}": 1}}\n' for k in range(3_200)),
        r"a\.jsonl: the rows of a table may lack 10,000,000 fields in all, but they lack 10,236,8",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_beyond_a_limit_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    kind, name, content, message = TEXTS[case]
    path = write(tmp_path, name, content())
    with pytest.raises(InputError, match=message) as raised:
        read(kind(path=path))
    assert len(str(raised.value).splitlines()) == 1


def test_lists_up_to_the_limit_are_read(tmp_path: Path) -> None:
    deep = json.loads("[" * (limits.MAX_NESTING - 1) + "]" * (limits.MAX_NESTING - 1))
    row = json.dumps({"text": "a", "label": "b", "unused": deep})
    assert len(read(LabelledText(path=write(tmp_path, "a.jsonl", row)))) == 1
    header = ",".join(f"c{k}" for k in range(999)) + ",label\n"
    wide = write(tmp_path, "wide.csv", header + ("1.5," * 999 + "a\n") * 3)
    assert read(Vectors(path=wide))["vector"][0].shape == (999,)


def test_a_table_is_the_same_in_one_piece_and_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["a,b,c", "1,x,", ",,", "2", '3,"y\ny",z', ",,", ",,"]
    path = write(tmp_path, "a.csv", "\n".join(rows))
    source = LabelledText(path=path, text="a", label="b")
    whole = TableFile(source, "csv")
    monkeypatch.setattr("rnnkit.data.sources.delimited.CHUNK_FIELDS", 2)
    pieces = TableFile(source, "csv")
    assert pieces.frame.equals(whole.frame)
    assert pieces.notes == whole.notes
    assert whole.frame["a"].tolist()[::2] == ["1", "2"]
    assert whole.notes[1] == "2 rows without any value at the end were left out"


def test_a_column_that_has_its_name_again_is_numbered(tmp_path: Path) -> None:
    assert column_names(["a", "a.1", "a", "a", ""], True) == [
        "a",
        "a.1",
        "a.2",
        "a.3",
        "Unnamed: 4",
    ]
    assert len(set(column_names(["a"] * 50_000, True))) == 50_000  # in no quadratic time


@pytest.mark.parametrize(
    ("offset", "change", "message"),
    [
        (6, lambda flags: flags | 1, r"a\.zip: a\.csv is encrypted; unpack it and name the file"),
        (8, lambda _: 9, r"a\.zip: a\.csv must be stored or packed by deflate, but .* by method 9"),
        (8, lambda _: 12, r"a\.zip: a\.csv must be stored or packed by deflate, .* by method 12"),
        (14, lambda crc: crc ^ 1, r"a\.zip: a \.zip file must unpack whole, but Bad CRC-32"),
    ],
    ids=["encrypted", "deflate64", "bzip2", "damaged"],
)
def test_a_zip_that_cannot_be_unpacked(
    offset: int, change: Callable[[int], int], message: str, tmp_path: Path
) -> None:
    path = patched(tmp_path, offset, change)
    with pytest.raises(InputError, match=message):
        read(LabelledText(path=path))
    with pytest.raises(InputError, match=message):
        read_vectors(path, ["a"])


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path: Path) -> None:
    bomb = b"a,b\n" * 2**25
    message = r": a packed file may unpack to 100 times its size at most, but of this one [\d,]+ by"
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(bomb))
    for path in (str(packed), zipped(tmp_path, bomb)):
        with pytest.raises(InputError, match=message):
            read(LabelledText(path=path))
    zeros = pa.table({"x": np.zeros(10**7), "label": pa.array(np.zeros(10**7, dtype="i1"))})
    pyarrow.parquet.write_table(zeros, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet" + message):
        read(Vectors(path=str(tmp_path / "a.parquet")))


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(2**31 + 1)
    with pytest.raises(InputError, match=r"a\.txt: a file may have 2,147,483,648 bytes at most"):
        read(PlainText(path=str(tmp_path / "a.txt")))


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"BZh91AY&SY\x00", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04\x00", "zip")],
)
def test_a_packed_file_by_another_name(magic: bytes, name: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", magic + b"\xff")
    with pytest.raises(InputError, match=rf"a\.csv: .* is packed by {name}; unpack it, or pack it"):
        read(LabelledText(path=path))


def test_a_first_line_that_csv_cannot_read_is_no_header() -> None:
    source = LabelledText(path="a.csv")
    assert not is_own_form(source, ["text,a\rb"], "text", ["a"])


def test_a_target_beyond_float32_is_refused() -> None:
    for text in ("1e39", "-1e308", "inf", "nan", 10**400):
        with pytest.raises(InputError, match="no number: x, 1, "):
            numbers([(text,)], ("x",), "no number: {name}, {row}, {text}")


def test_standard_input_without_an_end_of_line() -> None:
    message = "standard input, line 2: a line may have 16,777,216 characters at most"
    rows = opening.stream_rows(io.BytesIO(b"a\n" + b"b" * (LONG + 9)), "utf-8", "standard input")
    assert next(rows) == "a"
    with pytest.raises(InputError, match=message):
        next(rows)


def test_a_parquet_file_with_damaged_metadata_of_pandas(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = pa.table({"text": ["a"], "label": ["x"]})
    for damaged in ("{bad", '{"index_columns": [5], "columns": [{"name": 5}]}'):
        metadata = columns.replace_schema_metadata({"pandas": damaged})
        pyarrow.parquet.write_table(metadata, path)
        with pytest.raises(InputError, match=r"a\.parquet: a Parquet file is needed, but .+ write"):
            read(LabelledText(path=str(path)))


NO_CELLS: Mapping[str, Any] = {
    "lists": [[1, 2]],
    "objects": [{"a": 1}],
    "bytes": [b"\xff"],
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
}


@pytest.mark.parametrize("name", NO_CELLS)
def test_cells_of_parquet_that_are_no_texts_numbers_or_times(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"text": ["a"], "cells": NO_CELLS[name]}), path)
    for key in ("text", "label", "group"):
        names = {"text": "text", "label": "text", "group": "text", key: "cells"}
        with pytest.raises(InputError, match=r"row 1: column 'cells' must be one text or number"):
            read(LabelledText(path=str(path), **names))


def test_times_of_parquet_at_the_ends_of_their_range(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    for ticks, unit, zone, years in (
        (-(2**63) + 9, "ns", None, "1678 to 2261"),
        (253402300799, "s", "Asia/Tokyo", "2 to 9998"),
        (-99 * 10**9, "s", None, "1 to 9999"),
    ):
        times = pa.array([ticks], pa.int64()).cast(pa.timestamp(unit, zone))
        pyarrow.parquet.write_table(pa.table({"time": times, "x": [1.0]}), path)
        for source in (Table(path=path), LabelledText(path=path, text="time", label="x")):
            with pytest.raises(InputError, match=rf"row 1: times must lie in the years {years}, b"):
                read(source)


def wav(rate: int) -> bytes:
    header = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    sound = bytes(2_000)
    data = b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 28 + len(data)) + b"WAVEfmt " + header + data


def test_recordings_with_absurd_headers(tmp_path: Path) -> None:
    flac = io.BytesIO()
    soundfile.write(flac, np.zeros(800), 8_000, format="FLAC")
    raw = bytearray(flac.getvalue())
    raw[21] |= 0x0F  # the upper bits of its number of samples
    for content, message in {
        wav(1): r"a\.wav: its sampling rate must lie between 100 and 1,000,000 Hz, but .* says 1;",
        bytes(raw): r"a\.wav: a recording may have 100,000,000 samples at most, but its header say",
    }.items():
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(InputError, match=message):
            read(Audio(path=table(tmp_path, {"a.wav": "x"})))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a" * 5_000, "file name too long"), ("a\0.wav", "no file can have such a name")],
)
def test_a_recording_with_an_impossible_path(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"table\.csv, line 2: .*{reason}; "):
        read(Audio(path=table(tmp_path, {name: "x"})))
    with pytest.raises(InputError, match=reason):
        opening.existing(name)
    with pytest.raises(InputError, match="there is no user 'nosuchuser'"):
        opening.existing("~nosuchuser/a.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a " + b"1 " * (LONG // 2), r"line 1: a line may have 16,777,216 characters at most"),
        (
            b"2 1000000000\na \0\0\0\0",
            r"line 1: .* numbers are needed, 50,000 at most, but",
        ),
        (b"2 2\n" + b"a\0" * 9_999, r"row 1: a word may have 10,000 bytes at most, but this one"),
    ],
    ids=["line", "width", "word"],
)
def test_word_vectors_beyond_a_limit(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_vectors(write(tmp_path, "a.txt", content), ["a"])


MEASURED = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from data.test_limits import TEXTS, read, write
from rnnkit.errors import InputError
for number, (kind, name, content, _) in enumerate(TEXTS.values()):
    path = write(Path(sys.argv[1]), f"{number}{name}", content())
    try:
        read(kind(path=path))
        sys.exit(f"{name} was read")
    except InputError:
        Path(path).unlink()
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is Linux's VmHWM")
def test_memory_stays_below_1_gib(tmp_path: Path) -> None:
    """Of a process of its own; its ru_maxrss would begin at that of its parent."""
    folders = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    command = [sys.executable, "-c", MEASURED, str(tmp_path), *folders]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1024, done.stdout
