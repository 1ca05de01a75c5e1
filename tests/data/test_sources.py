"""The readers of files: labelled text, tokens, plain text and tables."""

import json
from pathlib import Path

import pandas as pd
import pytest
from source_files import read, write

from rnnkit.data import sources
from rnnkit.data.sources import opening
from rnnkit.params.data import Column, Files
from rnnkit.params.source import LabelledText, Table, Tokens
from rnnkit.params.source import Text as PlainText

LABELLED = {
    "a.csv": 'text,label,who\n"one, two",x,1\nNA,y,2\n',
    "a.tsv": "text\tlabel\twho\none, two\tx\t1\nNA\ty\t2\n",
    "a.jsonl": '{"text": "one, two", "label": "x", "who": 1}\n'
    '{"text": "NA", "label": "y", "who": 2}\n',
}
LABELLED["a.json"] = LABELLED["a.jsonl"]


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
    frame = read(PlainText(path=path, unit=unit))  # type: ignore[arg-type]
    assert frame["text"].tolist() == items
    assert frame.attrs["notes"] == ["2 blank lines were left out"] * (unit == "line")


def test_blank_lines_of_a_file_for_each_label_are_told(tmp_path: Path) -> None:
    for label in ("a", "b"):
        write(tmp_path, f"{label}.txt", "one\n\ntwo\n \n")
    frame = read(LabelledText(path=f"{tmp_path}/{{a,b}}.txt"))
    assert frame["text"].tolist() == ["one", "two"] * 2
    assert frame.attrs["notes"] == ["4 blank lines were left out"]


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
