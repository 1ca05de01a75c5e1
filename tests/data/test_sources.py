"""Every reader over the tables, and every message that a bad file can get."""

import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from rnnkit.data import sources
from rnnkit.data.sources import builtin, opening, python_docstrings, python_tokens
from rnnkit.errors import InputError
from rnnkit.params import source as params
from rnnkit.params.data import Column, Files, Fractions
from rnnkit.params.source import BUILTINS, Builtin, LabelledText, Table, Tokens
from rnnkit.params.source import Text as PlainText

COLUMNS = {
    "labelled_text": {"text", "label"},
    "tagged": {"tokens", "tags", "group"},
    "text": {"text"},
    "series": {"time"},
    "frames": {"frames", "label"},
    "pairs": {"source", "target"},
    "vectors": {"vector", "target"},
    "audio": {"samples", "text", "name"},
}


def read(source: params.Source) -> pd.DataFrame:
    return sources.read(source, Fractions())


# The tables


def test_the_tables_have_a_row_for_every_kind_of_the_params() -> None:
    kinds = get_args(get_args(params.Source)[0])
    assert set(sources.SOURCES) == {kind.model_fields["kind"].default for kind in kinds}
    assert set(builtin.BUILTINS) == set(BUILTINS)


@pytest.mark.parametrize("name", BUILTINS)
def test_a_builtin_gives_the_columns_of_its_form(name: str) -> None:
    source = Builtin(name=name)  # type: ignore[arg-type]
    frame = read(source)
    assert COLUMNS[source.form] <= set(frame.columns)
    assert len(frame) > 50
    assert not frame.isna().any().any()
    assert name in sources.describe(source)


@pytest.mark.parametrize("name", BUILTINS)
def test_a_builtin_has_no_files_and_no_column_of_parts(name: str) -> None:
    source = Builtin(name=name)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"{name}: built-in data are no files"):
        sources.fingerprint(source, Files(test="x"))
    with pytest.raises(InputError, match=rf"{name}: built-in data have no column 'split'"):
        sources.read(source, Column())


def test_fingerprints_are_of_64_digits_all_different_and_import_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from rnnkit.params.data import Fractions\n"
        "from rnnkit.params.source import BUILTINS, Builtin\n"
        "from rnnkit.data import sources\n"
        "for name in BUILTINS: print(sources.fingerprint(Builtin(name=name), Fractions()))\n"
        "heavy = {'torch', 'pandas', 'numpy', 'statsmodels', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = done.stdout.split()
    assert len(set(found)) == len(BUILTINS)
    assert {len(one) for one in found} == {64}


# The builtins' own figures


def test_python_tokens_is_whole_files_in_items_of_200_with_a_class_for_each_character() -> None:
    frame = read(Builtin(name="python_tokens"))
    lengths = frame["tokens"].map(len)
    assert (lengths == frame["tags"].map(len)).all()
    assert lengths.max() == 200
    assert 1_000_000 <= lengths.sum() < 1_300_000
    by_character: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tokens, tags in zip(frame["tokens"], frame["tags"], strict=True):
        for character, tag in zip(tokens, tags, strict=True):
            by_character[character][tag] += 1
    best = sum(max(tags.values()) for tags in by_character.values())
    # 56 % on 3.11; other versions of Python have somewhat other modules.
    assert 0.50 < best / lengths.sum() < 0.62


def test_python_tokens_classes() -> None:
    text = "class A:  # note\n  def f(self): return len('x') + 1\n"
    spans = {"class": "keyword", "A": "definition", "# note": "comment", "f(": "definition"}
    spans |= {"self": "name", "len": "builtin", "'x'": "string", "1": "number", "+": "operator"}
    tags = python_tokens.classes(text)
    assert len(tags) == len(text)
    for span, expected in spans.items():
        assert tags[text.index(span)] == expected, span
        if len(span) > 2:
            assert set(tags[text.index(span) : text.index(span) + len(span)]) == {expected}


@pytest.mark.parametrize("string", ["f\"a {b + f'{c}'} d\"", "f'''x{y}\nz'''", '"ä" f"{q!r:>{w}}"'])
def test_all_of_an_fstring_is_string_in_every_python(string: str) -> None:
    tags = python_tokens.classes(f"é = {string}\nx")
    inside = tags[4 : 4 + len(string)]
    gap = {"string", "space"} if string.startswith('"') else {"string"}
    assert set(inside) <= gap
    assert tags[0] == tags[-1] == "name"


def test_python_docstrings_has_20_modules_no_text_twice_and_a_modest_majority() -> None:
    frame = read(Builtin(name="python_docstrings"))
    assert set(frame["label"]) == set(python_docstrings.MODULES)
    assert len(python_docstrings.MODULES) == 20
    assert not frame["text"].duplicated().any()
    assert 2_500 < len(frame) < 4_500
    assert frame["label"].value_counts(normalize=True).max() < 0.15


def test_python_docs_is_english_of_about_half_a_megabyte() -> None:
    frame = read(Builtin(name="python_docs"))
    assert 350_000 < frame["text"].map(len).sum() < 700_000
    assert frame["text"].str.contains("statement").any()


def test_sunspots_and_co2_are_sorted_and_whole() -> None:
    sunspots, co2 = read(Builtin(name="sunspots")), read(Builtin(name="co2"))
    assert len(sunspots) == 309
    assert sunspots["time"].iloc[0] == pd.Timestamp("1700-01-01")
    assert len(co2) == 2284
    assert co2.attrs["notes"] == ["59 missing values were interpolated linearly in time"]
    for frame in (sunspots, co2):
        assert frame["time"].is_monotonic_increasing
        assert np.isfinite(frame.drop(columns="time").to_numpy()).all()


def test_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = datasets.load_digits(return_X_y=True)
    frame = read(Builtin(name="digits"))
    assert np.array_equal(np.stack(frame["frames"].tolist()), images.reshape(-1, 8, 8) / 16)
    assert frame["label"].tolist() == [str(label) for label in labels]


# The readers of files


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return str(path)


LABELLED = {
    "a.csv": 'text,label,who\n"one, two",x,1\nNA,y,2\n',
    "a.tsv": "text\tlabel\twho\none, two\tx\t1\nNA\ty\t2\n",
    "a.jsonl": '{"text": "one, two", "label": "x", "who": 1}\n'
    '{"text": "NA", "label": "y", "who": 2}\n',
}


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("name", LABELLED)
def test_labelled_text_of_every_format(tmp_path: Path, name: str, ending: str) -> None:
    path = write(tmp_path, name + ending, LABELLED[name])
    frame = read(LabelledText(path=path, group="who"))
    assert frame["text"].tolist() == ["one, two", "NA"]
    assert frame["label"].tolist() == ["x", "y"]
    assert frame["group"].astype(str).tolist() == ["1", "2"]


def test_labelled_text_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"review": ["a", "b"], "stars": [1, 5]}).to_parquet(path)
    frame = read(LabelledText(path=str(path), text="review", label="stars"))
    assert frame["label"].tolist() == ["1", "5"]


def test_lines_of_label_and_text_split_at_the_first_space_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "a.train", "1 two\u00a0words here\u2028now\r\n0  kept\n")
    frame = read(LabelledText(path=path))
    assert frame["text"].tolist() == ["two\u00a0words here\u2028now", " kept"]
    assert frame["label"].tolist() == ["1", "0"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "\ufefftext,label\na,b\n")
    assert read(LabelledText(path=path))["text"].tolist() == ["a"]


def test_tokens_with_a_group(tmp_path: Path) -> None:
    line = {"tokens": ["a", "b c"], "tags": ["x", "y"], "document": "d"}
    frame = read(Tokens(path=write(tmp_path, "a.jsonl", json.dumps(line)), group="document"))
    assert frame.to_dict("records") == [
        {"tokens": ["a", "b c"], "tags": ["x", "y"], "group": "d"},
    ]


@pytest.mark.parametrize(
    ("unit", "items"),
    [
        ("line", ["one", " two ", "three"]),
        ("paragraph", ["one\n two ", "three"]),
        ("file", ["one\n two \n \n\nthree"]),
    ],
)
def test_text_in_units(tmp_path: Path, unit: str, items: list[str]) -> None:
    path = write(tmp_path, "a.txt.gz", "one\n two \n \n\nthree\n")
    assert read(PlainText(path=path, unit=unit))["text"].tolist() == items  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
def test_a_table_is_sorted_by_time(tmp_path: Path, name: str) -> None:
    content = "day,x,y\n2024-02-01,2,20.5\n2024-01-01,1,10\n"
    path = write(tmp_path, name, content.replace(",", "\t") if "tsv" in name else content)
    frame = read(Table(path=path, time="day"))
    assert frame["time"].dt.month.tolist() == [1, 2]
    assert frame[["x", "y"]].to_numpy().tolist() == [[1.0, 10.0], [2.0, 20.5]]
    assert list(read(Table(path=path, time="day", columns=("y",))).columns) == ["time", "y"]


def test_a_parquet_table_keeps_its_own_times(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    times = pd.date_range("2024-01-01", periods=3, tz="Europe/Zurich")
    pd.DataFrame({"time": times, "x": [1, 2, 3]}).to_parquet(path)
    assert (read(Table(path=str(path)))["time"].to_numpy() == times.to_numpy()).all()


def test_a_split_by_files_reads_them_all_and_hashes_them_all(tmp_path: Path) -> None:
    train, test = write(tmp_path, "train", "1 a\n0 b\n"), write(tmp_path, "test", "1 c\n")
    source, split = LabelledText(path=train), Files(test=test)
    frame = sources.read(source, split)
    assert frame["part"].tolist() == ["train", "train", "test"]
    before = sources.fingerprint(source, split)
    write(tmp_path, "test", "1 d\n")
    assert sources.fingerprint(source, split) != before


def test_a_split_by_column_brings_the_column_as_part(tmp_path: Path) -> None:
    text = write(tmp_path, "a.csv", "text,label,split\na,x,train\nb,y,test\n")
    assert sources.read(LabelledText(path=text), Column())["part"].tolist() == ["train", "test"]
    table = write(tmp_path, "t.csv", "time,x,split\n2024,1,train\n2025,2,test\n")
    frame = sources.read(Table(path=table), Column())
    assert list(frame.columns) == ["time", "x", "part"]
    tokens = write(tmp_path, "t.jsonl", '{"tokens": ["a"], "tags": ["b"], "split": "test"}')
    assert sources.read(Tokens(path=tokens), Column())["part"].tolist() == ["test"]


def test_closest_names_one_neighbour() -> None:
    assert opening.closest("tset.csv", ["train.csv", "test.csv"]) == " (did you mean test.csv?)"


# What a bad file is told

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
        r"a\.csv: there is no column 'text', for the first line has one field alone: a csv file "
        r"needs commas between its fields; write them, or set `data\.source\.format`",
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
        r"a\.jsonl, line 2, column 13: every line must be one JSON object, but Expecting value",
    ),
    "no object": (Tokens, {}, "a.jsonl", "[1]\n", r"line 1: every line .* but this is a list"),
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
    "two offsets": (
        Table,
        {},
        "a.csv",
        "time,x\n2024-01-01T00:00+01:00,1\n2024-01-01T00:00+02:00,1\n",
        r"column 'time' must hold times of one kind, but Mixed timezones",
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
        r"no column of values may be called time, series or part, .* but 'series' is; rename it",
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


@pytest.mark.parametrize("act", [sources.read, sources.fingerprint])
def test_a_file_that_is_not_there(tmp_path: Path, act: Callable) -> None:
    write(tmp_path, "reviews.csv", "text,label\na,b\n")
    with pytest.raises(InputError, match=r"no such file \(did you mean reviews\.csv\?\)"):
        act(LabelledText(path=str(tmp_path / "review.csv")), Fractions())
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        act(LabelledText(path=str(tmp_path / "nowhere" / "a.csv")), Fractions())
    with pytest.raises(InputError, match=r"this is a folder; name one of its files \(reviews\.csv"):
        act(LabelledText(path=str(tmp_path)), Fractions())


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
