"""Every message for a file that a source cannot read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from source_files import read, write

from rnnkit.data import sources
from rnnkit.errors import InputError
from rnnkit.params.data import Column, Files, Fractions
from rnnkit.params.source import TS, Audio, LabelledText, Pairs, Table, Tokens, Vectors
from rnnkit.params.source import Text as PlainText

# Messages about bad files
LATIN = "label,text\nx,ok\nx,caf\u00e9\n".encode("latin-1")
BAD = {
    "empty file": (LabelledText, {}, "a.csv", "", r"a\.csv: the file is empty"),
    "empty gzip": (PlainText, {}, "a.gz", "", r"a\.gz: the file is empty"),
    "latin-1": (
        LabelledText,
        {},
        "a.csv",
        LATIN,
        r"a\.csv, line 3: the text must be utf-8, but byte 6 of the line is 0xe9; "
        r"save the file as utf-8 or set `encoding: latin-1`",
    ),
    "not ascii": (
        PlainText,
        {"encoding": "ascii"},
        "a.txt",
        "a\n\u00e9\n",
        r"a\.txt, line 2: the text must be ascii, .* set `encoding: utf-8`",
    ),
    "no codec": (PlainText, {"encoding": "utf-9"}, "a.txt", "a", r"there is no encoding 'utf-9'"),
    "wrong column": (
        LabelledText,
        {},
        "a.csv",
        "text,lable\na,b\n",
        r"a\.csv: there is no column 'label' \(did you mean lable\?\); the columns are text, lable;"
        r" set `data\.source\.label` to one of them",
    ),
    "no rows": (LabelledText, {}, "a.csv", "text,label\n", r"at least one row of data is needed"),
    "a field too many": (
        LabelledText,
        {},
        "a.csv",
        "text,label\na,b\na,b,c\n",
        r"a\.csv, line 3: every line must have as many fields as the first, but it has 3 and not "
        "2; "
        "put quotes around text that holds a comma",
    ),
    "a field too many in a TSV": (
        LabelledText,
        {},
        "a.tsv",
        'text\tlabel\na\tb\na\t"b\tc"\n',
        r"a\.tsv, line 3: every line .* it has 3 and not 2; take the tabs out of its text",
    ),
    "another separator": (
        LabelledText,
        {},
        "a.csv",
        "text;label\na;b\n",
        r"a\.csv: there is no column 'text', for fields are separated by ';' and not by ','; set "
        r'`separator: ";"` in data\.source$',
    ),
    "one field": (
        LabelledText,
        {},
        "a.csv",
        "words\nalone\n",
        r"a\.csv: there is no column 'text', for the first line has one field alone, and ',' must "
        r"stand between fields; write them, or set `data\.source\.separator`",
    ),
    "a file of another kind": (
        LabelledText,
        {},
        "a.csv",
        b"RIFF\x00\xff\x00",
        r"a\.csv: a text file is needed, and this one is of another kind; convert it",
    ),
    "a field too many at once": (
        LabelledText,
        {},
        "a.csv",
        "text,label\na,b,c\n",
        r"a\.csv, line 2: every line must have as many fields as the first, but it has 3 and not 2",
    ),
    "a field too few": (
        LabelledText,
        {},
        "a.csv",
        "text,label\na,b\na\n",
        r"a\.csv, line 3: column 'label' must hold text in every row, but it is empty",
    ),
    "no text": (
        LabelledText,
        {},
        "a.jsonl",
        '{"text": 3.5, "label": "x"}\n',
        r"a\.jsonl, line 1: column 'text' must hold text in every row, but it is 3\.5",
    ),
    "no label": (
        LabelledText,
        {},
        "a.train",
        "1 fine\nbad\n",
        r"a\.train, line 2: a line must be `label text` with one space between, but it is 'bad'",
    ),
    "group in lines": (
        LabelledText,
        {"group": "who"},
        "a.train",
        "1 a\n",
        r"lines have no column 'who', which `group` asks for",
    ),
    "no parquet": (LabelledText, {}, "a.parquet", "text", r"a Parquet file is needed, but "),
    "bad json": (
        Tokens,
        {},
        "a.jsonl",
        '{"tokens": ["a"], "tags": ["b"]}\n{"tokens": [}\n',
        r"a\.jsonl, line 2, column 13: every line must be one JSON object, but expecting value",
    ),
    "an array": (
        LabelledText,
        {},
        "a.json",
        '[{"text": "a", "label": "b"}]\n',
        r"a\.json, line 1: every line must be one JSON object, but this one begins a JSON array; "
        r"write one object in a line",
    ),
    "an indented array": (Pairs, {}, "a.json", "[\n  {\n", r"line 1: .* begins a JSON array"),
    "json by another name": (
        LabelledText,
        {},
        "a.txt",
        '{"text": "a", "label": "b"}\n',
        r"a\.txt, line 1: a line must be `label text`, but this one is JSON: .*; set "
        r"`data\.source\.format: jsonl`",
    ),
    "numbers in json": (Vectors, {}, "a.json", "{}\n", r"must be CSV, TSV or Parquet"),
    "two labels": (
        LabelledText,
        {},
        "a.txt",
        "__label__a one\n__label__a __label__b two\n",
        r"a\.txt, line 2: a text has one label, but it has 2: '__label__a' and '__label__b'; keep",
    ),
    "a label behind the text": (
        LabelledText,
        {},
        "a.txt",
        "fine film __label__a\n",
        r"a\.txt, line 1: the label stands first in a line, but '__label__a' stands behind 'fine'",
    ),
    "json of a number too long": (
        LabelledText,
        {},
        "a.jsonl",
        '\n{"text": ' + "9" * 5_000 + "}\n",
        r"a\.jsonl, line 2: every line must be one JSON object, but a number in it has mor",
    ),
    "json of brackets": (
        Tokens,
        {},
        "a.jsonl",
        '{"a": ' + "[" * 100_000,
        r"a\.jsonl, line 1: every line must be one JSON object of no more than 100 lists",
    ),
    "a key with half a character": (
        LabelledText,
        {},
        "a.jsonl",
        '{"text": "a", "label": "b", "k\\ud83d": 1}\n',
        r"a\.jsonl, line 1: the key 'k\\ud83d' must be a text, but its character 2 is half of one",
    ),
    "blank lines alone": (Tokens, {}, "a.jsonl", "\n \n", r"at least one row of data is needed"),
    "blank lines alone of texts": (LabelledText, {}, "a.jsonl", "\n", r"at least one row of data"),
    "no object": (Tokens, {}, "a.jsonl", "1\n", r"line 1: every line .* but this is a int"),
    "wrong key": (
        Tokens,
        {},
        "a.jsonl",
        '{"words": ["a"], "tag": ["b"]}\n',
        r"a\.jsonl, line 1: there is no key 'tokens'; the keys are words, tag",
    ),
    "unequal": (
        Tokens,
        {},
        "a.jsonl",
        '{"tokens": ["a", "b"], "tags": ["x"]}\n',
        r"line 1: every token needs one tag, but there are 2 tokens and 1 tags",
    ),
    "no list": (
        Tokens,
        {},
        "a.jsonl",
        '{"tokens": "ab", "tags": ["x"]}\n',
        r"line 1: 'tokens' must be a list of texts, but it is 'ab'",
    ),
    "no token": (
        Tokens,
        {},
        "a.jsonl",
        '{"tokens": [], "tags": []}\n',
        r"line 1: at least one token is needed",
    ),
    "white space": (PlainText, {}, "a.txt", " \n\t\n", r"a\.txt: the file holds nothing but white"),
    "no number": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01,1\n2024-01-02,high\n",
        r"a\.csv, line 3: column 'x' must hold numbers, but it is 'high'",
    ),
    "missing values": (
        Table,
        {},
        "a.csv",
        "time,x,y\n2024-01-01,1,2\n2024-01-02,1,\n2024-01-03,NA,inf\n",
        r"but 3 are missing or infinite, the first in column 'y', line 3",
    ),
    "no time": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01,1\n01/02/2024,1\n",
        r"a\.csv, line 3: column 'time' must hold ISO 8601 times, but it is '01/02/2024'",
    ),
    "an offset and none": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01T00:00+01:00,1\n2024-01-01T00:00,1\n",
        r"a\.csv, line 3: either all times of column 'time' have an offset from UTC or none has",
    ),
    "a time before year 1": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01,1\n0000-12-31,1\n",
        r"a\.csv, line 3: times must lie in the years 1 to 9999, but this one is in the year 0;",
    ),
    "a time in year 9999 of a zone": (
        Table,
        {"timezone": "Pacific/Auckland"},
        "a.csv",
        "time,x\n9999-12-30T23:00Z,1\n9999-12-31T23:00Z,1\n",
        r"a\.csv, line 2: times must lie in the years 2 to 9998, but this one is in the year 9999;",
    ),
    "a number beyond float32": (
        Table,
        {"gaps": "forward"},
        "a.csv",
        "time,x\n2024-01-01,1\n2024-01-02,1e308\n",
        r"1 are missing, infinite or beyond 3\.4e\+38, the .* column 'x', line 3 \('1e308'\); fill",
    ),
    "a number of a case beyond float32": (
        TS,
        {},
        "a.ts",
        "@data\n1,1e39:a\n",
        r"a\.ts, line 2: every value must be a finite number, up to 3\.4e\+38; fill missing",
    ),
    "a dimension of many digits": (
        TS,
        {},
        "a.ts",
        f"@dimensions {'9' * 5_000}\n@data\n1:a\n",
        r"a\.ts, line 1: a whole number above 0 is needed, but it is '9{40}'; correct it$",
    ),
    "an encoding with a NUL": (
        PlainText,
        {"encoding": "utf\0"},
        "a.txt",
        "a",
        r"there is no encoding 'utf\\x00'",
    ),
    "an encoding of names": (
        PlainText,
        {"encoding": "idna"},
        "a.txt",
        "xn--a" + "b" * 99,
        r"a\.txt: is no text in the encoding 'idna'; set `encoding` to utf-8, latin-1, utf-16",
    ),
    "an escape of half a character": (
        PlainText,
        {"encoding": "unicode_escape"},
        "a.txt",
        r"a \ud83d",
        r"a\.txt: is no text in the encoding 'unicode_escape'; set `encoding`",
    ),
    "equal times": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01,1\n2024-01-02,2\n2024-01-01,1\n",
        r"a\.csv, line 4: every time may occur once, but 1 occur again, the first is 2024-01-01",
    ),
    "equal times of a series": (
        Table,
        {"id": "shop"},
        "a.csv",
        "time,shop,x\n2024-01-01,a,1\n2024-01-01,b,2\n2024-01-01,a,1\n",
        r"a\.csv, line 4: every time may occur once in each series, but 1 occur .* of 'a'; keep",
    ),
    "no id": (
        Table,
        {"id": "shop"},
        "a.csv",
        "time,shop,x\n2024-01-01,a,1\n2024-01-01,,2\n",
        r"line 3: every row must say to which series .* 'shop' is empty in 1; fill it in",
    ),
    "a taken name": (
        Table,
        {"time": "day"},
        "a.csv",
        "day,series\n2024-01-01,1\n",
        r"no column of values may be called time, series or split, .* but 'series' is; rename it",
    ),
    "a taken prefix": (
        Table,
        {},
        "a.csv",
        "time,filled: x\n2024-01-01,1\n",
        r"or begin with 'filled: ', which have a meaning .* but 'filled: x' is; rename it",
    ),
    "no values": (Table, {}, "a.csv", "time\n2024\n", r"at least one column beside 'time' is need"),
    "jsonl table": (Table, {}, "a.jsonl", "{}\n", r"a table must be CSV, TSV or Parquet"),
    "column typo": (
        Table,
        {"columns": ("temprature",)},
        "a.csv",
        "time,temperature\n2024,1\n",
        r"there is no column 'temprature' \(did you mean temperature\?\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_line(case: str, tmp_path: Path) -> None:
    kind, options, name, content, message = BAD[case]
    path = write(tmp_path, name, content)
    with pytest.raises(InputError, match=message) as raised:
        read(kind(path=path, **options))
    assert "\n" not in str(raised.value)
    assert path in str(raised.value)


HALF = "\ud83d"  # of a pair of surrogates: JSON writes what UTF-8 cannot
SOUND = {"text": "a", "label": "x", "source": "a", "target": "b", "group": "g", "audio": "a.wav"}
SOUND |= {"split": "train", "unused": HALF}
KEYS = {
    LabelledText: ("text", "label", "group", "split"),
    Pairs: ("source", "target", "group", "split"),
    Audio: ("audio", "text", "group", "split"),
    Tokens: ("tokens", "tags", "group", "split"),
}
"""The keys that each reader of JSONL uses."""


@pytest.mark.parametrize("value", [f"ok {HALF}", ["nested"]], ids=["half", "nested"])
@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind in KEYS for key in KEYS[kind]])
def test_a_value_in_jsonl_that_is_no_text_is_refused_with_file_line_and_key(
    kind: Any, key: str, value: Any, tmp_path: Path
) -> None:
    record: dict[str, Any] = dict(SOUND)
    if kind is Tokens:
        record |= {"tokens": ["a"], "tags": ["x"]}
    bad = {**record, key: [value] if key in ("tokens", "tags") else value}
    path = write(tmp_path, "a.jsonl", f"{json.dumps(record)}\n\n{json.dumps(bad)}\n\n")
    (tmp_path / "a.wav").touch()
    with pytest.raises(InputError, match=rf"a\.jsonl, line 3: .*{key}'") as raised:
        sources.read(kind(path=path, group="group"), Column(name="split"))
    assert "\n" not in str(raised.value)
    if value != ["nested"]:
        assert r"character 4 is half of one (\ud83d, a surrogate" in str(raised.value)


def test_blank_lines_of_jsonl_are_no_objects_and_the_line_is_still_told(tmp_path: Path) -> None:
    rows = ['{"text": "a", "label": 1}', "", '{"text": "b", "label": 2}', "", " "]
    frame = read(LabelledText(path=write(tmp_path, "a.jsonl", "\n".join(rows))))
    assert frame["text"].tolist() == ["a", "b"]
    path = write(tmp_path, "b.jsonl", "\n".join([*rows, '{"text": "c"}', ""]))
    with pytest.raises(InputError, match=r"b\.jsonl, line 6: column 'label' must hold text"):
        read(LabelledText(path=path))
    tags = '{"tokens": ["a"], "tags": ["b"]}\n'
    assert len(read(Tokens(path=write(tmp_path, "t.jsonl", f"\n{tags}\n\n{tags}\n\n")))) == 2


@pytest.mark.parametrize("act", [sources.read, sources.fingerprint])
def test_a_file_that_is_not_there(tmp_path: Path, act: Callable) -> None:
    write(tmp_path, "reviews.csv", "text,label\na,b\n")
    with pytest.raises(InputError, match=r"no such file \(did you mean reviews\.csv\?\)"):
        act(LabelledText(path=str(tmp_path / "review.csv")), Fractions())
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        act(LabelledText(path=str(tmp_path / "nowhere" / "a.csv")), Fractions())


def test_a_side_of_pairs_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "train.de").write_text("ein\n")
    (tmp_path / "train.en").mkdir()
    (tmp_path / "train.en" / "1").write_text("one\n")
    with pytest.raises(InputError, match=r"this is a folder; name one of its files \(1\)"):
        read(Pairs(path=f"{tmp_path}/train.{{de,en}}"))


def test_a_gzip_that_is_cut_off_or_none(tmp_path: Path) -> None:
    path = Path(write(tmp_path, "a.csv.gz", "text,label\n" + "some words,x\n" * 50))
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"a\.csv\.gz: a \.gz file must unpack whole, but Compr"):
        read(LabelledText(path=str(path)))
    path.write_bytes(b"plain text")
    with pytest.raises(InputError, match=r"must unpack whole, but Not a gzipped file"):
        read(LabelledText(path=str(path)))


def test_plain_text_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plain text has no column 'split'"):
        sources.read(PlainText(path=write(tmp_path, "a.txt", "a\n")), Column())


def test_the_files_of_a_split_must_agree(tmp_path: Path) -> None:
    train = write(tmp_path, "train.csv", "time,x\n2024,1\n")
    test = write(tmp_path, "test.csv", "time,z\n2025,1\n")
    with pytest.raises(InputError, match=r"test\.csv: the files of a split must have the same col"):
        sources.read(Table(path=train), Files(test=test))
